"""Travel papers of China, Hong Kong, Macao and Taiwan, and Hong Kong identity cards."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, label, labelled
from hauberk.detect.personal.span import Span

_PERMIT_LABEL = label(r"通行证|回乡证|台胞证|往来港澳|往来台湾|居住证|travel permit|home return permit")
_PERMIT = re.compile(rf"{LEFT}(?:[HM][0-9]{{8}}(?:[0-9]{{2}})?|[CWTL][A-Z]?[0-9]{{7,8}}|[0-9]{{8}}(?:[0-9]{{2}})?){RIGHT}")
_HONG_KONG = re.compile(r"(?<![A-Za-z0-9])([A-Z]{1,2})([0-9]{6}) ?\(([0-9A])\)")


def permit(text: str) -> Iterator[Span]:
    """Permits to cross between the mainland, Hong Kong, Macao and Taiwan; all need their label."""
    for found in _PERMIT.finditer(text):
        if labelled(text, found.start(), _PERMIT_LABEL):
            yield Span("cn-permit", found.start(), found.end(), Confidence.HIGH)


def hong_kong(text: str) -> Iterator[Span]:
    """Hong Kong identity cards, whose check digit stands in brackets."""
    for found in _HONG_KONG.finditer(text):
        letters = [36, *(ord(c) - 55 for c in found[1])][-2:]
        total = sum(n * w for n, w in zip([*letters, *map(int, found[2])], range(9, 1, -1), strict=True))
        if "0123456789A"[-total % 11] == found[3]:
            yield Span("hk-id", found.start(), found.end(), Confidence.HIGH)


RECOGNISERS = (
    Recogniser(("cn-permit",), r"(?i)(?:通行证|回乡证|台胞证|往来港澳|往来台湾|居住证|permit)[^0-9]{0,16}[0-9]{7}", permit),
    Recogniser(("hk-id",), r"[A-Z][0-9]{6} ?\([0-9A]\)", hong_kong),
)
