"""Numbers of the Americas: US social security and taxpayer numbers, Brazilian CPF and CNPJ."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import weighted
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, graded, label, numbers
from hauberk.detect.personal.span import Span

_SSN_LABEL = label(r"\bssn\b|social security|\bitin\b|taxpayer|tax id")
_BRAZIL_LABEL = label(r"\bcpf\b|\bcnpj\b")
_US = re.compile(rf"{LEFT}([0-9]{{3}})([- ]?)([0-9]{{2}})\2([0-9]{{4}}){RIGHT}(?!\2[0-9])")
_BRAZIL = re.compile(
    rf"{LEFT}(?:([0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]{{2}}|[0-9]{{11}})"
    rf"|([0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}/[0-9]{{4}}-[0-9]{{2}}|[0-9]{{14}})){RIGHT}"
)


def united_states(text: str) -> Iterator[Span]:
    """SSN by the rules of areas, groups and serials that were never issued; ITIN by its group ranges."""
    for found in numbers(_US, text):
        area, group = int(found[1]), int(found[3])
        taxpayer = area >= 900 and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)
        social = area not in {0, 666} and area < 900 and group > 0 and found[4] != "0000"
        bare = Confidence.MEDIUM if found[2] == "-" else None
        confidence = graded(text, found.start(), _SSN_LABEL, bare) if taxpayer or social else None
        if confidence:
            yield Span("us-itin" if taxpayer else "us-ssn", found.start(), found.end(), confidence)


def _remainder(value: str, weights: range | tuple[int, ...]) -> int:
    rest = weighted(value, weights) % 11
    return 0 if rest < 2 else 11 - rest


_CNPJ = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def brazil(text: str) -> Iterator[Span]:
    """CPF and CNPJ with both their check digits."""
    for found in numbers(_BRAZIL, text):
        value = digits_of(found[0])
        if found[1]:
            first, second = _remainder(value, range(10, 1, -1)), _remainder(value, range(11, 1, -1))
        else:
            first, second = _remainder(value, _CNPJ[1:]), _remainder(value, _CNPJ)
        if value[-2:] != f"{first}{second}" or len(set(value)) == 1:
            continue
        confidence = graded(text, found.start(), _BRAZIL_LABEL, Confidence.HIGH if "-" in found[0] else Confidence.LOW)
        if confidence:
            yield Span("br-cpf" if found[1] else "br-cnpj", found.start(), found.end(), confidence)


RECOGNISERS = (
    Recogniser(
        ("us-ssn", "us-itin"),
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}|(?i:ssn|social sec|itin|tax)[^0-9\n]{0,20}[0-9]{3}[ -]?[0-9]{2}",
        united_states,
    ),
    Recogniser(("br-cpf", "br-cnpj"), r"[0-9]{3}\.?[0-9]{3}(?:\.[0-9]{3}-|/[0-9]{4}-|[0-9]{3})[0-9]{2}", brazil),
)
