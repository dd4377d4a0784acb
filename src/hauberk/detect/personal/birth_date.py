"""Dates of birth: a date behind words that say so."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_WORDS = r"出生日期|出生年月日?|出生于|生日|生于|date of birth|birth ?date|birthday|\bd\.?o\.?b\b|\bborn(?: on)?"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_BORN = re.compile(
    rf"(?i)(?:{_WORDS})(?: (?:is|was)|是|为)? ?[:=]? ?"
    rf"((?:19|20)[0-9]{{2}} ?[-./年] ?[0-9]{{1,2}} ?[-./月] ?[0-9]{{1,2}} ?日?|(?:19|20)[0-9]{{6}}"
    rf"|[0-9]{{1,2}}[-./][0-9]{{1,2}}[-./](?:19|20)?[0-9]{{2}}"
    rf"|{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}|[0-9]{{1,2}}(?:st|nd|rd|th)? {_MONTH},? (?:19|20)[0-9]{{2}})"
    r"(?![0-9A-Za-z])"
)


def birth(text: str) -> Iterator[Span]:
    """Dates of birth in `text`."""
    for found in _BORN.finditer(text):
        yield Span("birth-date", found.start(1), found.end(1), Confidence.HIGH)


RECOGNISERS = (Recogniser(("birth-date",), rf"(?i)(?:{_WORDS})[^0-9\n]{{0,16}}[0-9]", birth),)
