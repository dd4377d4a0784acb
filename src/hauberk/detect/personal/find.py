"""Runs the recognisers that a text can concern: one RE2 set reads the text once and says which."""

from collections.abc import Iterable, Sequence
from functools import cache

from hauberk.core import Confidence
from hauberk.detect.pattern_set import PatternSet
from hauberk.detect.personal import (
    american,
    asian,
    birth_date,
    card,
    cn_account,
    cn_address,
    cn_company,
    cn_phone,
    cn_plate,
    cn_resident,
    cn_travel,
    crypto,
    email,
    european,
    iban,
    network,
    passport,
    person_name,
    phone,
)
from hauberk.detect.personal.fold import fold
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_FAMILIES = (
    *(cn_resident, iban, card, cn_company, cn_phone, cn_plate, cn_travel, cn_account, email, network, crypto, birth_date),
    *(american, european, asian, passport, phone, person_name, cn_address),
)
RECOGNISERS: tuple[Recogniser, ...] = tuple(one for family in _FAMILIES for one in family.RECOGNISERS)
KINDS = frozenset(kind for one in RECOGNISERS for kind in one.kinds)
"""Every kind of personal data that has a recogniser."""
_MEMORY = 64 << 20  # bytes for the automaton


def find(text: str, kinds: frozenset[str] = KINDS, least: Confidence = Confidence.LOW) -> list[Span]:
    """The personal data of `kinds` in `text` at `least` that sure, in order; of spans that overlap only the surest stays.

    Places count characters of `text` as given, although full-width and invisible characters are seen through. What is
    found at a place depends on at most 64 characters before it, and ends before the next line.
    """
    folded = fold(text)
    spans: list[Span] = []
    for index in _set().matching(folded.text.encode("utf-8", "replace")):
        if not kinds.isdisjoint(RECOGNISERS[index].kinds):
            spans += RECOGNISERS[index].find(folded.text)
    if not spans:
        return []
    kept = _surest(span for span in spans if span.kind in kinds)
    traced = ((span, *folded.origin(span.start, span.end)) for span in kept if span.confidence.rank >= least.rank)
    return [Span(span.kind, start, end, span.confidence) for span, start, end in traced]


def _surest(spans: Iterable[Span]) -> Sequence[Span]:
    kept: list[Span] = []
    taken: set[int] = set()
    for span in sorted(spans, key=lambda s: (-s.confidence.rank, s.start - s.end, s.start)):
        places = range(span.start, span.end)
        if taken.isdisjoint(places):
            taken.update(places)
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)


@cache
def _set() -> PatternSet:
    return PatternSet((recogniser.hint for recogniser in RECOGNISERS), _MEMORY)
