"""National numbers of Europe with their check: Britain, Spain, Italy, Germany, Poland, the Netherlands."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import mod11_10, weighted
from hauberk.detect.personal.cn_resident import is_date
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, first, graded, label, labelled, numbers
from hauberk.detect.personal.span import Span

_NINO_LABEL = label(r"national insurance|\bnino\b|\bni (?:no|number)")
_NHS_LABEL = label(r"\bnhs\b")
_SPAIN_LABEL = label(r"\bdni\b|\bnie\b|\bnif\b|documento")
_ELEVEN = {"pesel": label(r"pesel"), "de-tax-id": label(r"steuer|tax id|\bidnr\b|\btin\b")}
_BSN_LABEL = label(r"\bbsn\b|burgerservice|sofi")
_NEVER = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})  # prefixes that are not issued
_NINO = re.compile(rf"{first('[A-CEGHJ-PR-TW-Z]')}[A-CEGHJ-NPR-TW-Z]( ?)[0-9]{{2}}\1[0-9]{{2}}\1[0-9]{{2}}\1[A-D]{RIGHT}")
_NHS = re.compile(rf"{LEFT}[0-9]{{3}}([ -]?)[0-9]{{3}}\1[0-9]{{4}}{RIGHT}(?!\1[0-9])")
_SPAIN = re.compile(rf"{LEFT}([XYZ]?)-?([0-9]{{7,8}})-?([A-HJ-NP-TV-Z]){RIGHT}")
_ITALY = re.compile(
    rf"(?i){first('[A-Z]')}[A-Z]{{5}}[0-9LMNP-V]{{2}}[ABCDEHLMPRST][0-9LMNP-V]{{2}}[A-Z][0-9LMNP-V]{{3}}[A-Z]{RIGHT}"
)
_NUMBER = re.compile(rf"{LEFT}[0-9]{{9,11}}{RIGHT}|{LEFT}[1-9][0-9] [0-9]{{3}} [0-9]{{3}} [0-9]{{3}}{RIGHT}")


def britain(text: str) -> Iterator[Span]:
    """National Insurance numbers."""
    for found in _NINO.finditer(text):
        if found[0][:2] in _NEVER:
            continue
        confidence = graded(text, found.start(), _NINO_LABEL, Confidence.MEDIUM)
        if confidence:
            yield Span("uk-nino", found.start(), found.end(), confidence)


def health(text: str) -> Iterator[Span]:
    """NHS numbers (modulus 11)."""
    for found in numbers(_NHS, text):
        value = digits_of(found[0])
        if -weighted(value[:9], range(10, 1, -1)) % 11 != int(value[9]) or len(set(value)) == 1:
            continue
        confidence = graded(text, found.start(), _NHS_LABEL, Confidence.LOW)
        if confidence:
            yield Span("uk-nhs", found.start(), found.end(), confidence)


def spain(text: str) -> Iterator[Span]:
    """DNI and NIE: the letter is the number modulo 23."""
    for found in _SPAIN.finditer(text):
        foreign, digits = found[1], found[2]
        if len(digits) != (7 if foreign else 8):
            continue
        number = int(("XYZ".index(foreign) if foreign else 0) * 10**7 + int(digits))
        if "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == found[3]:
            confidence = graded(text, found.start(), _SPAIN_LABEL, Confidence.MEDIUM if foreign else Confidence.LOW)
            if confidence:
                yield Span("es-dni", found.start(), found.end(), confidence)


_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_MORE = (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_VALUES, *_VALUES, *_MORE), strict=True))


def italy(text: str) -> Iterator[Span]:
    """Codice fiscale with its check letter."""
    for found in _ITALY.finditer(text):
        value = found[0].upper()
        total = sum(_ODD[c] for c in value[0:15:2]) + sum(int(c) if c.isdigit() else ord(c) - 65 for c in value[1:15:2])
        if chr(65 + total % 26) == value[15]:
            yield Span("it-codice-fiscale", found.start(), found.end(), Confidence.HIGH)


def labelled_numbers(text: str) -> Iterator[Span]:
    """PESEL, the German tax number and BSN: only behind their label, since every tenth number passes."""
    for found in numbers(_NUMBER, text):
        value = digits_of(found[0])
        kind = _eleven(text, found.start(), value) if len(value) == 11 else ""
        if len(value) == 9 and labelled(text, found.start(), _BSN_LABEL):
            kind = "nl-bsn" if (weighted(value[:8], range(9, 1, -1)) - int(value[8])) % 11 == 0 else ""
        if kind:
            yield Span(kind, found.start(), found.end(), Confidence.HIGH)


def _eleven(text: str, start: int, value: str) -> str:
    if labelled(text, start, _ELEVEN["pesel"]):
        century, month = divmod(int(value[2:4]), 20)
        born = f"{(1900, 2000, 2100, 2200, 1800)[century] // 100}{value[:2]}{month:02d}{value[4:6]}"
        return "pl-pesel" if is_date(born, 1800, 2299) and weighted(value, (1, 3, 7, 9) * 2 + (1, 3, 1)) % 10 == 0 else ""
    if labelled(text, start, _ELEVEN["de-tax-id"]):
        repeats = max(value[:10].count(digit) for digit in set(value[:10]))
        return "de-tax-id" if value[0] != "0" and repeats in {2, 3} and mod11_10(value) else ""
    return ""


_WORDS = "pesel|steuer|tax id|idnr|tin|bsn|burgerservice|sofi"
RECOGNISERS = (
    Recogniser(("uk-nino",), r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", britain),
    Recogniser(("uk-nhs",), r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", health),
    Recogniser(("es-dni",), r"[0-9]{7}-?[A-Z]", spain),
    Recogniser(("it-codice-fiscale",), r"(?i)[A-Z]{6}[0-9L-V]{2}[A-T][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z]", italy),
    Recogniser(("pl-pesel", "de-tax-id", "nl-bsn"), rf"(?i)(?:{_WORDS})[^0-9\n]{{0,16}}[0-9][0-9 ]{{8}}", labelled_numbers),
)
