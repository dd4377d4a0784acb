"""Passports, which have no check digit on their face: only behind their label."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import RIGHT, Recogniser
from hauberk.detect.personal.span import Span

_PASSPORT = re.compile(
    r"(?i)(?:护照|passport)(?:号码|号|编号| ?(?:no|number|num|#)\.?)?(?: (?:is|was)|是|为)? ?[:=#]{0,2} ?"
    rf"((?:[a-z]{{1,2}}[0-9]{{6,8}}|[0-9]{{8,9}}|[0-9]{{2}}[a-z]{{2}}[0-9]{{5}}|[a-z][0-9]{{2}}[a-z]{{2}}[0-9]{{4}}){RIGHT})"
)


def passport(text: str) -> Iterator[Span]:
    """Passport numbers in `text`."""
    for found in _PASSPORT.finditer(text):
        yield Span("passport", found.start(1), found.end(1), Confidence.HIGH)


RECOGNISERS = (Recogniser(("passport",), r"(?i)(?:护照|passport)[^\n]{0,20}[0-9]{4}", passport),)
