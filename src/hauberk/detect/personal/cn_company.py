"""Unified social credit identifiers (统一社会信用代码, GB 32100)."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import mod31
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser
from hauberk.detect.personal.span import Span

_CODE = re.compile(rf"{LEFT}[159ANY][0-9A-HJ-NPQRTUWXY][0-9]{{6}}[0-9A-HJ-NPQRTUWXY]{{10}}{RIGHT}")


def company(text: str) -> Iterator[Span]:
    """Identifiers in `text` whose check character holds."""
    for found in _CODE.finditer(text):
        if mod31(found[0]):
            yield Span("cn-company", found.start(), found.end(), Confidence.HIGH)


RECOGNISERS = (Recogniser(("cn-company",), r"[159ANY][0-9A-Y][0-9]{6}[0-9A-Y]{10}", company),)
