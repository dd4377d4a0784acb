"""International bank account numbers (ISO 13616): the country's length and MOD 97-10."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import mod97_10
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

# SWIFT's registry: length of an IBAN by country.
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_MARK = re.compile(r"[A-Za-z0-9]")
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,29}|(?<![A-Za-z0-9])[a-z]{2}[0-9]{2}[a-z0-9]{11,29}(?![A-Za-z0-9])"
)


def iban(text: str) -> Iterator[Span]:
    """Account numbers in `text` whose check digits hold."""
    for found in _IBAN.finditer(text):
        length = _LENGTHS.get(found[0][:2].upper())
        if length is None:
            continue
        end, value = found.start(), ""
        while len(value) < length and end < found.end():
            if text[end].isalnum():
                value += text[end].upper()
            end += 1
        whole = len(value) == length and not _MARK.match(text, end)
        if whole and value.isascii() and mod97_10(value):
            yield Span("iban", found.start(), end, Confidence.HIGH)


RECOGNISERS = (Recogniser(("iban",), r"(?i)[a-z]{2}[0-9]{2}[ -]?[a-z0-9]{4}[ -]?[a-z0-9]{4}[ -]?[a-z0-9]{3}", iban),)
