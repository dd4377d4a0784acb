"""Requests for each of TC260-003's 31 risks, and ordinary questions on the same subjects (`harm_seeds.*.yaml`)."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml

from evals.guard.data.row import Row

FILES = sorted(Path(__file__).parent.glob("harm_seeds*.yaml"))


class Seeds(msgspec.Struct, frozen=True):
    """Seeds of one risk.

    Attributes:
        risk: Its number in annex A, from ``A.1.1`` to ``A.5.2``.
        harm: Requests that ask for the harm, by language.
        benign: Reporting, law, history, prevention, statistics on the same subject, by language.
    """

    risk: str
    harm: dict[str, list[str]]
    benign: dict[str, list[str]]


def seeds() -> list[Seeds]:
    """All seeds, by file and in order."""
    return [msgspec.convert(entry, Seeds) for path in FILES for entry in yaml.safe_load(path.read_text("utf-8"))]


def rows() -> Iterator[Row]:
    """One row per seed; each is its own family, as none is made from a template."""
    for entry in seeds():
        for label, part, kind in ((1, entry.harm, "harmful-request"), (0, entry.benign, "benign-harm-topic")):
            for lang, texts in part.items():
                for text in texts:
                    yield Row(text, label, "harm", kind, lang, "user", f"own:harm-{entry.risk}", f"own:harm:{text}")
