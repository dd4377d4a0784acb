"""Packs the ordinary texts that ship with `hauberk probe learn`: `src/hauberk/probe/learn/data/ordinary.msgpack.zst`.

    python evals/probe/loop/ordinary.py

From the guard's corpus it takes rows labelled 0 that were written for this project (its licence), and of the two collected MIT
repositories questions and personas, spread evenly over their families. Nothing comes from sets that are measured on.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from evals.guard.data import collected, generate
from evals.guard.data.row import Row

TARGET = Path(__file__).resolve().parents[3] / "src" / "hauberk" / "probe" / "learn" / "data" / "ordinary.msgpack.zst"
COLLECTED = 2_400
LARGEST = 400_000
LONGEST = 1_200
"""Characters of a collected text; longer ones are left out."""
_ROLES = ("user", "tool", "document")


def spread(rows: Iterable[Row], most: int) -> Iterator[Row]:
    """At most `most` rows, chosen by hash and so the same each time."""
    yield from sorted(rows, key=lambda row: hashlib.blake2b(row.text.encode(), digest_size=8).digest())[:most]


def chosen() -> list[Row]:
    """Own rows, then collected ones, without doubles."""
    own = [row for row in generate.rows() if row.label == 0 and row.role in _ROLES]
    found = [row for row in collected.rows() if row.label == 0 and len(row.text) <= LONGEST]
    kept: dict[str, Row] = {}
    for row in (*own, *spread(found, COLLECTED)):
        kept.setdefault(row.text, row)
    return list(kept.values())


def main() -> None:
    """Writes the pack and says what is in it."""
    rows = chosen()
    data = zstandard.ZstdCompressor(level=19).compress(msgspec.msgpack.encode([(row.text, row.role, row.group) for row in rows]))
    if len(data) > LARGEST:
        sys.exit(f"{len(data)} bytes are more than {LARGEST}")
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(data)
    counts = {role: sum(row.role == role for row in rows) for role in _ROLES}
    print(f"{len(rows)} texts {counts}, {len(data)} bytes")


if __name__ == "__main__":
    main()
