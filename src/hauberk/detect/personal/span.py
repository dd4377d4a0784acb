"""A piece of personal data, where it stands in a text."""

import msgspec

from hauberk.core import Confidence


class Span(msgspec.Struct, frozen=True):
    """`kind` from character `start` up to `end`, not included."""

    kind: str
    start: int
    end: int
    confidence: Confidence = Confidence.HIGH
