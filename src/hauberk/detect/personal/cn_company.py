"""Unified social credit identifiers (统一社会信用代码, GB 32100)."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import mod31
from hauberk.detect.personal.cn_resident import REGIONS
from hauberk.detect.personal.recogniser import RIGHT, Recogniser, first, graded, label
from hauberk.detect.personal.span import Span

_CODE = re.compile(rf"{first('[159ANY]')}[0-9A-HJ-NPQRTUWXY][0-9]{{6}}[0-9A-HJ-NPQRTUWXY]{{10}}{RIGHT}")
_LABEL = label(r"信用代码|税号|纳税人|credit code|credit identifier")


def company(text: str) -> Iterator[Span]:
    """Identifiers in `text` whose check character holds, and the check of the organisation code inside (GB 11714)."""
    for found in _CODE.finditer(text):
        value = found[0]
        if not mod31(value):
            continue
        whole = value[1] in "1239" and value[2:4] in REGIONS and _organisation(value[8:17])
        confidence = graded(text, found.start(), _LABEL, Confidence.HIGH if whole else Confidence.LOW)
        if confidence:
            yield Span("cn-company", found.start(), found.end(), confidence)


def _organisation(code: str) -> bool:
    total = sum(int(c, 36) * weight for c, weight in zip(code[:8], (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return "0123456789X0"[11 - total % 11] == code[8]


RECOGNISERS = (Recogniser(("cn-company",), r"[159ANY][0-9A-Y][0-9]{6}[0-9A-Y]{10}", company),)
