"""The corpus the guard's detectors are trained and calibrated on.

``load`` gives rows of public sets whose licence lets a model made from them be shipped, and rows written for this project. What is
measured on is denied by name, and its near-duplicates are taken out of everything that is given. Run as a script for counts.
"""

import argparse
import collections
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from evals.guard.data import collected, families, generate, near, sources
from evals.guard.data.denied import is_denied
from evals.guard.data.row import Row

__all__ = ["Corpus", "Row", "build", "load"]

Split: TypeAlias = Literal["train", "calibration", "experiment"]
DEFAULT_ROOT = Path(__file__).resolve().parents[4] / "shared" / "data" / "guard"


class Corpus(msgspec.Struct, frozen=True):
    """All rows, and how many were dropped by source and reason."""

    rows: dict[Split, list[Row]]
    dropped: dict[str, dict[str, int]]


def root_of(root: Path | str | None = None) -> Path:
    """The shared data's folder: the argument, ``HAUBERK_GUARD_DATA``, or the place beside the repository."""
    return Path(root or os.environ.get("HAUBERK_GUARD_DATA") or DEFAULT_ROOT)


def load(split: Split, root: Path | str | None = None) -> Iterator[Row]:
    """Rows of one split, in a fixed order.

    Args:
        split: ``train`` and ``calibration`` (about 12% of the template families) may train and tune what ships; ``experiment``
            holds sets whose licence does not allow that.
        root: The folder with ``meta.json``, ``train/`` and ``eval/``; if it is absent, only rows of this folder are given,
            unfiltered.
    """
    yield from build(root_of(root)).rows[split]


def build(root: Path) -> Corpus:
    """The whole corpus; kept in a cache file, as the comparison with the denied sets takes a minute or two."""
    path = _cache(root)
    if path and path.exists():
        return msgspec.msgpack.decode(path.read_bytes(), type=Corpus)
    corpus = _built(root)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(msgspec.msgpack.encode(corpus))
        part.replace(path)
    return corpus


def _cache(root: Path) -> Path | None:
    """Where this corpus is kept: named after everything it is made from."""
    if not (root / "meta.json").exists():
        return None
    here = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=10)
    for path in sorted(
        [*(path for kind in ("py", "yaml", "gz") for path in here.rglob(f"*.{kind}")), *root.rglob("*.gz"), root / "meta.json"]
    ):
        digest.update(f"{path.name} {path.stat().st_size}".encode())
        if path.suffix in {".py", ".yaml"}:
            digest.update(path.read_bytes())
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hauberk" / f"guard-corpus-{digest.hexdigest()}.msgpack"


def references(root: Path) -> list[str]:
    """Texts of everything that is only measured on, wherever it lies: compared with, never given out."""
    found: list[str] = []
    for path in sorted(root.glob("*/*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if path.parent.name == "eval" or is_denied(name):
            found.extend(str(entry["text"]) for entry in sources.file_rows(root, path.parent.name, name))
    return found


def _built(root: Path) -> Corpus:
    dropped: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    public: list[Row] = []
    licence = sources.classes(root) if (root / "meta.json").exists() else {}
    for source in sources.sources():
        if is_denied(source.name, licence.get(source.name, ("", ""))[1]) or source.name not in licence:
            continue
        rows, filtered = sources.read(root, source)
        dropped[source.name]["filtered"] += filtered
        public.extend(rows)
    names = families.families([row.text for row in public])
    public = [msgspec.structs.replace(row, group=f"public:{name}") for row, name in zip(public, names, strict=True)]
    rows = _without_copies([*generate.rows(), *collected.rows(), *public], references(root), dropped)
    splits: dict[Split, list[Row]] = {"train": [], "calibration": [], "experiment": []}
    for row in rows:
        free = row.source.startswith(("own:", "collected:")) or licence[row.source][0] == "P"
        splits["train" if free and families.side(row.group) == "train" else "calibration" if free else "experiment"].append(row)
    return Corpus(splits, {name: dict(reasons) for name, reasons in dropped.items()})


def _without_copies(rows: list[Row], denied: list[str], dropped: dict[str, collections.Counter[str]]) -> list[Row]:
    """Rows that copy neither a denied text nor an earlier row of the same role."""
    reasons = near.NearIndex(denied).copies([row.text for row in rows])
    seen: set[tuple[str, str]] = set()
    kept: list[Row] = []
    for row, reason in zip(rows, reasons, strict=True):
        key = (near.normalise(row.text), row.role)
        if reason or key in seen:
            dropped[row.source][f"measured on: {reason}" if reason else "repeated"] += 1
            continue
        seen.add(key)
        kept.append(row)
    return kept


def _summary(corpus: Corpus) -> None:
    for split, rows in corpus.rows.items():
        print(f"{split}: {len(rows)} rows, {len({row.group for row in rows})} families")
        for (task, label, kind, lang, role), count in sorted(
            collections.Counter((row.task, row.label, row.kind, row.lang, row.role) for row in rows).items()
        ):
            print(f"  {task:7} {label} {kind:20} {lang:6} {role:9} {count:6}")
        for source, count in collections.Counter(row.source for row in rows).most_common():
            print(f"  from {source:34} {count:6}")
    for source, reasons in sorted(corpus.dropped.items()):
        print(f"dropped of {source}: " + ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()) if count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--summary", action="store_true", help="print counts by split, task, kind, language and role, and what was dropped"
    )
    parser.add_argument("--root", help="folder with meta.json, train/ and eval/")
    arguments = parser.parse_args()
    if arguments.summary:
        _summary(build(root_of(arguments.root)))


if __name__ == "__main__":
    main()
