"""Chinese licence plates (GA 36): ordinary, new energy, police, trailer, learner, Hong Kong and Macao, embassy."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_MARK = "[A-HJ-NP-Z0-9]"
_PLATE = re.compile(
    rf"[{_PROVINCE}][A-HJ-NP-Z][· -]?"
    rf"(?:(?:[DF]{_MARK}[0-9]{{4}}|[0-9]{{5}}[DF])|({_MARK}{{4}}[警学挂港澳领])|({_MARK}{{5}}))(?![A-Za-z0-9])"
    rf"|(?<![0-9A-Za-z])(?:使[0-9]{{6}}|[0-9]{{6}}使)"
)
_CODE = f"[{_PROVINCE}][A-HJ-NP-Z]"


def plate(text: str) -> Iterator[Span]:
    """Plates in `text`; of the five free marks at least three are digits."""
    for found in _PLATE.finditer(text):
        marks = found[2] or found[1]
        if marks and sum(c.isdigit() for c in marks) < (3 if found[2] else 2):
            continue
        confidence = Confidence.LOW if "使" in found[0] else Confidence.HIGH
        yield Span("cn-plate", found.start(), found.end(), confidence)


RECOGNISERS = (Recogniser(("cn-plate",), rf"{_CODE}[· -]?[A-Z0-9]{{4}}|使[0-9]{{6}}|[0-9]{{6}}使", plate),)
