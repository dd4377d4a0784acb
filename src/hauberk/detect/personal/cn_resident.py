"""Chinese resident identity numbers (GB 11643): 18 characters with ISO 7064 MOD 11-2, and the old form of 15 digits."""

import re
from collections.abc import Iterator
from datetime import date

from hauberk.core import Confidence
from hauberk.detect.personal.checks import mod11_2
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, graded, label, labelled, numbers
from hauberk.detect.personal.span import Span

_LABEL = label(r"身份证|身份號碼|身份证号|证件号|证号|居民证|resident id|id card|identity card|national id|\bid (?:no|number)")
# 11-65 provinces, 71 Taiwan, 81-83 residence permits of people from Hong Kong, Macao and Taiwan.
_DECADES = (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66))
REGIONS = frozenset(map(str, (*_DECADES, 71, 81, 82, 83)))
_FORMS = (
    r"[0-9]{17}[0-9Xx]|[0-9]{6}([ -])[0-9]{8}\1[0-9]{3}[0-9Xx]|[0-9]{6}([ -])[0-9]{4}\2[0-9]{4}\2[0-9]{3}[0-9Xx]"
    r"|[0-9]{3}([ -])[0-9]{3}\3[0-9]{4}\3[0-9]{4}\3[0-9]{3}[0-9Xx]|[0-9]{4}([ -])[0-9]{4}\4[0-9]{4}\4[0-9]{4}\4[0-9][0-9Xx]"
    r"|(?:[0-9] ){17}[0-9Xx]"
)
_NEW = re.compile(f"{LEFT}(?:{_FORMS}){RIGHT}")
_OLD = re.compile(f"{LEFT}[1-8][0-9]{{14}}{RIGHT}")


def resident(text: str) -> Iterator[Span]:
    """Identity numbers in `text`."""
    for found in numbers(_NEW, text):
        value = found[0].replace(" ", "").replace("-", "")
        if _placed(value, value[6:14]) and mod11_2(value):
            yield Span("cn-resident-id", found.start(), found.end(), Confidence.HIGH)
        elif labelled(text, found.start(), _LABEL) and _placed(value, value[6:14]):
            yield Span("cn-resident-id", found.start(), found.end(), Confidence.MEDIUM)  # mistyped, yet given as one
    for found in numbers(_OLD, text):
        if not _placed(found[0], f"19{found[0][6:12]}"):
            continue
        confidence = graded(text, found.start(), _LABEL, Confidence.LOW)
        if confidence:
            yield Span("cn-resident-id", found.start(), found.end(), confidence)


def _placed(value: str, born: str) -> bool:
    return value[:2] in REGIONS and value[2:4] != "00" and is_date(born, 1900, 2049)


def is_date(digits: str, first: int, last: int) -> bool:
    """Whether `digits`, as YYYYMMDD, is a day from the year `first` to `last`."""
    try:
        return first <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).year <= last
    except ValueError:
        return False


RECOGNISERS = (Recogniser(("cn-resident-id",), r"[0-9](?:[ -]?[0-9]){14}", resident),)
