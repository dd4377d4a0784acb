"""Telephone numbers of the world: E.164 with its plus, and common national forms, which need a label to be believed."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.cn_phone import PHONE_LABEL
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, graded, label, labelled, numbers
from hauberk.detect.personal.span import Span

_WORLD = re.compile(rf"(?<![0-9A-Za-z_+])\+[1-9][0-9]{{0,2}}(?:[ .-]?\(0?[0-9]{{1,4}}\))?(?:[ .-]?[0-9]{{1,5}}){{1,6}}{RIGHT}")
_AMERICA = re.compile(
    rf"{LEFT}(?:1[-. ])?(?:\(([2-9][0-9]{{2}})\) ?|[2-9][0-9]{{2}}([-. ]))[2-9][0-9]{{2}}(?:[-. ])[0-9]{{4}}{RIGHT}"
)
_BRITAIN = re.compile(rf"{LEFT}(?:07[0-9]{{3}} ?[0-9]{{3}} ?[0-9]{{3}}|0[12][0-9]{{2,3}} [0-9]{{3,4}} ?[0-9]{{3,4}}){RIGHT}")
_WORDS = r"手机|电话|联系方式|致电|拨打|热线|座机|传真|phone|mobile|\btel\b|\bcell\b|whatsapp|\bfax\b"
_SAID_LABEL = label(_WORDS)  # the words of the hint and no others: a value is found by what stands before it alone
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-. ][01]?[0-9][-. ][0-3]?[0-9]")
_SAID = re.compile(rf"{LEFT}\(?[0-9](?:[ .()-]{{0,2}}[0-9]){{6,12}}{RIGHT}")


def world(text: str) -> Iterator[Span]:
    """Numbers with a plus and a country code, 8 to 15 digits (ITU-T E.164)."""
    for found in numbers(_WORLD, text):
        if 8 <= len(digits_of(found[0])) <= 15:
            yield Span("phone", found.start(), found.end(), Confidence.HIGH)


def national(text: str) -> Iterator[Span]:
    """North American and British forms without a country code."""
    for found in numbers(_AMERICA, text):
        confidence = graded(text, found.start(), PHONE_LABEL, Confidence.MEDIUM if found[1] or found[2] == "-" else Confidence.LOW)
        if confidence:
            yield Span("phone", found.start(), found.end(), confidence)
    for found in numbers(_BRITAIN, text):
        confidence = graded(text, found.start(), PHONE_LABEL, Confidence.MEDIUM if found[0].startswith("07") else Confidence.LOW)
        if confidence:
            yield Span("phone", found.start(), found.end(), confidence)


def said(text: str) -> Iterator[Span]:
    """Any number of 7 to 13 digits that is said to be a telephone's."""
    for found in numbers(_SAID, text):
        if labelled(text, found.start(), _SAID_LABEL) and not _DATE.fullmatch(found[0]):
            yield Span("phone", found.start(), found.end(), Confidence.MEDIUM)


RECOGNISERS = (
    Recogniser(("phone",), r"\+[1-9][0-9]{0,2}[ .(-]{0,2}[0-9]", world),
    Recogniser(("phone",), r"[2-9][0-9]{2}\)?[-. ][2-9][0-9]{2}[-. ][0-9]{4}|0[1-9][0-9]{2,3} ?[0-9]{3}", national),
    Recogniser(("phone",), rf"(?i)(?:{_WORDS})[^0-9\n]{{0,16}}[0-9](?:[ .()-]{{0,2}}[0-9]){{6}}", said),
)
