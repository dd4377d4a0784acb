"""Chinese telephone numbers: mobile, and landlines with their area code."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, graded, label, numbers
from hauberk.detect.personal.span import Span

PHONE_LABEL = label(
    r"手机|电话|联系方式|联系我|致电|拨打|打给|热线|座机|传真|号码|微信同号"
    r"|phone|mobile|\btel\b|\bcell\b|\bcall\b|whatsapp|contact|\btext\b|\bfax\b|reach (?:me|us|him|her|them)|telegram|signal"
)
_SECOND = r"1(?:3[0-9]|4[014-9]|5[0-35-9]|6[2567]|7[0-8]|8[0-9]|9[0-35-9])"
_MOBILE = re.compile(
    rf"{LEFT}(?:\(?\+?(?:00)?86\)?[ -]?)?{_SECOND}"
    # In groups the next group must not belong to it, unless it begins another number.
    rf"(?:[0-9]{{8}}|([ -])[0-9]{{4}}\1[0-9]{{4}}(?!\1(?!1[3-9][0-9]\1)[0-9])|[0-9]([ -])[0-9]{{3}}\2[0-9]{{4}}(?!\2[0-9])){RIGHT}"
)
_LANDLINE = re.compile(
    rf"{LEFT}(?:\+?86[ -]?)?\(?0(?:10|2[0-57-9]|[3-9][0-9]{{2}})(\)|-|\)-| )?[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}(?:-[0-9]{{1,4}})?"
    r"(?![0-9A-Za-z_])(?![.-][0-9])"
)


def mobile(text: str) -> Iterator[Span]:
    """Mobile numbers in `text`."""
    for found in numbers(_MOBILE, text):
        written = len(digits_of(found[0])) > 11 or len(found[0]) > 11  # with its country code, or in groups
        confidence = graded(text, found.start(), PHONE_LABEL, Confidence.HIGH if written else Confidence.MEDIUM)
        if confidence:
            yield Span("phone", found.start(), found.end(), confidence)


def landline(text: str) -> Iterator[Span]:
    """Landline numbers in `text`."""
    for found in numbers(_LANDLINE, text):
        parted = found[1] in {"-", ")", ")-"}
        confidence = graded(text, found.start(), PHONE_LABEL, Confidence.MEDIUM if parted else Confidence.LOW)
        if confidence:
            yield Span("phone", found.start(), found.end(), confidence)


RECOGNISERS = (
    Recogniser(("phone",), r"1[3-9][0-9](?:[ -]?[0-9]){8}", mobile),
    Recogniser(("phone",), r"0[1-9][0-9]{1,2}[-) ]{0,2}[2-8][0-9]{2,3}[ -]?[0-9]{4}", landline),
)
