"""Makes the two pickle inputs of the speed figures: one large stream of small objects, and many small pickles.

    python bench/pickle_inputs.py FOLDER

`large_pickle` gives about 67 MB and 19.5 million opcodes; `small_pickles` 10,000 streams of about 800 bytes.
"""

import collections
import datetime as dt
import decimal
import pickle
import pickletools
import random
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

RECORDS = 232_000
PATH = "a record of the large input, with a name as long as the paths and keys of real data are, number"


class Point:
    """A plain class, as user code has many of."""

    def __init__(self, x: float, y: int, name: str) -> None:
        self.x = x
        self.y = y
        self.name = name
        self.flags = (True, None, False)


Point.__module__ = "bench_objects"
Point.__qualname__ = "Point"


def _record(number: int, rng: random.Random) -> dict[str, object]:
    return {
        "id": number,
        "name": f"{PATH}/{rng.randrange(1 << 24):014}",
        "score": rng.random(),
        "tags": ("a", "bb", rng.randrange(200)),
        "counts": [rng.randrange(70_000) for _ in range(rng.randrange(4, 9))],
        "points": [Point(rng.random(), rng.randrange(100), "p"), Point(0.5, number, f"q{number}")],
        "more": {"on": True, "off": False, "none": None, "pair": (number, -number)},
    }


def large_pickle(path: Path, records: int = RECORDS) -> int:
    """Writes the large pickle; returns its size."""
    module = type(sys)("bench_objects")
    module.Point = Point  # type: ignore[attr-defined]
    sys.modules["bench_objects"] = module
    rng = random.Random(7)  # noqa: S311 - the same input every time
    with path.open("wb") as file:
        pickler = pickle.Pickler(file, protocol=4)
        pickler.dump([_record(number, rng) for number in range(records)])
    del sys.modules["bench_objects"]
    return path.stat().st_size


def small_pickles(count: int = 10_000) -> Iterator[bytes]:
    """Small pickles of mixed constructs and protocols: arrays, estimator-like state, dates, containers."""
    import numpy as np

    rng = random.Random(11)  # noqa: S311 - the same input every time
    for number in range(count):
        array = np.arange(rng.randrange(8, 40), dtype="float64") * number
        state = {
            "coef_": array,
            "classes_": np.array(["no", "yes"]) if number % 3 else np.array([0, 1]),
            "n_features_in_": number,
            "params": {"alpha": rng.random(), "fit_intercept": True, "max_iter": None, "solver": "lbfgs", "tol": 1e-4},
            "history": [rng.random() for _ in range(rng.randrange(12))],
            "when": dt.datetime(2026, 1, 1 + number % 28, tzinfo=dt.UTC),
            "names": collections.OrderedDict((f"feature_{i}", i) for i in range(rng.randrange(4, 10))),
            "rest": (uuid.UUID(int=number), decimal.Decimal("1.5"), {1, 2, 3}, frozenset("abc"), b"raw", complex(1, 2)),
        }
        yield pickle.dumps(state, protocol=(2, 3, 4, 5)[number % 4])


def opcodes(path: Path) -> int:
    """How many opcodes a pickle has."""
    with path.open("rb") as file:
        return sum(1 for _ in pickletools.genops(file))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    size = large_pickle(folder / "objects.pkl")
    small = folder / "small"
    small.mkdir(exist_ok=True)
    for number, data in enumerate(small_pickles()):
        (small / f"{number:05}.pkl").write_bytes(data)
    print(f"objects.pkl {size} bytes; {len(list(small.iterdir()))} small pickles")


if __name__ == "__main__":
    main()
