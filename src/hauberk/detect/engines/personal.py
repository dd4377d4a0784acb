"""Engine `personal`: personal data in a message, found by the recognisers of `detect.personal`.

    match:
      kinds: [card, iban]              # any of these
      min_confidence: medium           # optional; low also takes what only looks like it
      roles: [user, tool]              # optional: only messages of these roles
      directions: [output]             # optional: only towards the model (input) or from it (output)

Each distinct value is a finding of its own; it quotes the value with its middle left out, and says where every occurrence stands.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role, message_of
from hauberk.core import Asset, Confidence, Detector, Evidence, Finding, Gap, GapReason, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import MAX_EVIDENCE, finding_of
from hauberk.detect.personal.find import KINDS, find
from hauberk.detect.personal.span import Span

MAX_SPANS = 2000  # values reported of one message; a gap says that there are more


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kinds: tuple[str, ...]
    min_confidence: Confidence = Confidence.MEDIUM
    roles: tuple[Role, ...] = ()
    directions: tuple[Direction, ...] = ()

    def fits(self, message: MessageContent) -> bool:
        return (not self.roles or message.role in self.roles) and (not self.directions or message.direction in self.directions)

    def wants(self, span: Span) -> bool:
        return span.kind in self.kinds and span.confidence.rank >= self.min_confidence.rank


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or kind in `match`."""
    compiled = [(rule, match_of(rule, _Match)) for rule in rules]
    for rule, match in compiled:
        if unknown := sorted(set(match.kinds) - KINDS):
            raise RuleError(f"{rule.id}: no recogniser for {', '.join(unknown)}; there are {', '.join(sorted(KINDS))}")

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None:
            return
        spans = message.once("personal.spans", lambda: find(message.text))
        if len(spans) > MAX_SPANS:
            note = f"{len(spans)} personal values, of which the first {MAX_SPANS} are reported"
            yield Gap(asset.uri, GapReason.TOO_LARGE, note, rule="personal")
        for rule, match in compiled:
            if match.fits(message):
                yield from _findings(rule, asset, message, [span for span in spans[:MAX_SPANS] if match.wants(span)])

    return detect


def _findings(rule: Rule, asset: Asset, message: MessageContent, spans: Sequence[Span]) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.kind, message.text[span.start : span.end]), []).append(span)
    for (kind, value), places in groups.items():
        shown = shortened(value)
        confidence = max((place.confidence for place in places), key=lambda c: c.rank)
        for start in range(0, len(places), MAX_EVIDENCE):
            evidence = [_evidence(message, place, shown) for place in places[start : start + MAX_EVIDENCE]]
            yield finding_of(rule, asset, evidence, note=f"{kind} {shown}", confidence=confidence)


def _evidence(message: MessageContent, span: Span, shown: str) -> Evidence:
    offset, length = message.byte_span(span.start, span.end)
    return Evidence(offset=offset, length=length, where=span.kind, quote=shown)


def shortened(value: str) -> str:
    """A personal value as it may be shown: a quarter of it at most, its ends, never more than two characters each."""
    kept = min(2, len(value) // 8)
    return f"{value[:kept]}…{value[len(value) - kept :]} ({len(value)} characters)"
