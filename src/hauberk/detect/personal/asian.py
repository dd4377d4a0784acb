"""National numbers of Asia: India, Korea, Japan, Singapore."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import verhoeff, weighted
from hauberk.detect.personal.cn_resident import is_date
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, first, graded, label, labelled, numbers
from hauberk.detect.personal.span import Span

_AADHAAR_LABEL = label(r"aadhaa?r|\buid(?:ai)?\b")
_PAN_LABEL = label(r"\bpan\b|permanent account")
_KOREA_LABEL = label(r"주민|resident registration|\brrn\b")
_JAPAN_LABEL = label(r"マイナンバー|個人番号|my ?number|individual number")
_NRIC_LABEL = label(r"\bnric\b|\bfin\b|identity card")
_AADHAAR = re.compile(rf"{LEFT}[2-9][0-9]{{3}}([ -]?)[0-9]{{4}}\1[0-9]{{4}}{RIGHT}(?!\1[0-9])")
_PAN = re.compile(rf"{first('[A-Z]')}[A-Z]{{2}}[ABCFGHJLPT][A-Z][0-9]{{4}}[A-Z]{RIGHT}")
_KOREA = re.compile(rf"{LEFT}[0-9]{{6}}-?[1-8][0-9]{{6}}{RIGHT}")
_JAPAN = re.compile(rf"{LEFT}[0-9]{{4}}([ -]?)[0-9]{{4}}\1[0-9]{{4}}{RIGHT}(?!\1[0-9])")
_NRIC = re.compile(rf"{first('[STFGM]')}[0-9]{{7}}[A-Z]{RIGHT}")


def india(text: str) -> Iterator[Span]:
    """Aadhaar (Verhoeff)."""
    for found in numbers(_AADHAAR, text):
        if verhoeff(digits_of(found[0])):
            confidence = graded(text, found.start(), _AADHAAR_LABEL, Confidence.MEDIUM if found[1] else Confidence.LOW)
            if confidence:
                yield Span("in-aadhaar", found.start(), found.end(), confidence)


def taxpayer(text: str) -> Iterator[Span]:
    """Indian permanent account numbers, whose form is their only check."""
    for found in _PAN.finditer(text):
        confidence = graded(text, found.start(), _PAN_LABEL, Confidence.MEDIUM if found[0][3] == "P" else Confidence.LOW)
        if confidence:
            yield Span("in-pan", found.start(), found.end(), confidence)


def korea(text: str) -> Iterator[Span]:
    """Resident registration numbers; those issued since October 2020 have no check digit."""
    for found in numbers(_KOREA, text):
        value = digits_of(found[0])
        century = {"1": 19, "2": 19, "5": 19, "6": 19}.get(value[6], 20)
        if not is_date(f"{century}{value[:6]}", 1900, 2049):
            continue
        checked = (11 - weighted(value[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10 == int(value[12])
        confidence = graded(text, found.start(), _KOREA_LABEL, Confidence.MEDIUM if checked and "-" in found[0] else Confidence.LOW)
        if confidence:
            yield Span("kr-rrn", found.start(), found.end(), confidence)


def japan(text: str) -> Iterator[Span]:
    """Individual numbers (My Number), only behind their label."""
    for found in numbers(_JAPAN, text):
        value = digits_of(found[0])
        rest = weighted(value[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
        if int(value[11]) == (0 if rest <= 1 else 11 - rest) and labelled(text, found.start(), _JAPAN_LABEL):
            yield Span("jp-my-number", found.start(), found.end(), Confidence.HIGH)


_OFFSETS = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}
_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}


def singapore(text: str) -> Iterator[Span]:
    """NRIC and FIN with their check letter."""
    for found in _NRIC.finditer(text):
        first = found[0][0]
        rest = (weighted(found[0][1:8], (2, 7, 6, 5, 4, 3, 2)) + _OFFSETS[first]) % 11
        place = 10 - rest if first == "M" else rest
        if _LETTERS[first][place] == found[0][8]:
            confidence = graded(text, found.start(), _NRIC_LABEL, Confidence.MEDIUM)
            if confidence:
                yield Span("sg-nric", found.start(), found.end(), confidence)


RECOGNISERS = (
    Recogniser(("in-aadhaar",), r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}", india),
    Recogniser(("in-pan",), r"[A-Z]{5}[0-9]{4}[A-Z]", taxpayer),
    Recogniser(("kr-rrn",), r"[0-9]{6}-?[1-8][0-9]{6}", korea),
    Recogniser(("jp-my-number",), r"(?i)(?:ナンバー|個人番号|my ?number|individual number)[^0-9\n]{0,16}[0-9]{4}", japan),
    Recogniser(("sg-nric",), r"[STFGM][0-9]{7}[A-Z]", singapore),
)
