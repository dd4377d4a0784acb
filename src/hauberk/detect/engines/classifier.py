"""Engine `classifier`: what the prompt models say of a message.

    match:
      head: attack             # attack (the user's words), indirect (foreign text) or harm
      rate: 0.02               # the score counts from where this share of ordinary messages would be flagged by mistake
      roles: [user]            # optional: only messages of these roles
      directions: [input]      # optional: only messages that go this way
      kinds: [prompt-leak]     # optional: only when this kind of attack is the likeliest

All rules share one judgement a message, by the judge that stands in its memo under `judge`, else by the shipped one. A rule
gives one finding, whose evidence holds the score and the window that decided. What the models could not decide is a Gap.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role, message_of
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.prompt import Judgement, Span, judge
from hauberk.detect.prompt.labels import KINDS
from hauberk.detect.prompt.rates import threshold

HEADS = ("attack", "indirect", "harm")


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    head: str
    rate: float = 0.02
    roles: tuple[Role, ...] = ()
    directions: tuple[Direction, ...] = ()
    kinds: tuple[str, ...] = ()

    def reads(self, message: MessageContent) -> bool:
        """Whether the rule is about messages like this one."""
        return (not self.roles or message.role in self.roles) and (not self.directions or message.direction in self.directions)


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key, head, kind or role in `match`, or a rate outside 0 to 1."""
    compiled = [(rule, _checked(rule, match_of(rule, _Match))) for rule in rules]

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None:
            return
        asked = [(rule, match) for rule, match in compiled if match.reads(message)]
        if not asked or not message.text.strip():
            return
        judgement = message.once("judge", judge).judge(message)
        for rule, match in asked:
            yield from _held(rule, match, asset, judgement)
        for gap in judgement.gaps:
            yield msgspec.structs.replace(gap, asset=asset.uri, kind=asset.kind, rule=gap.rule or "classifier")

    return detect


def _checked(rule: Rule, match: _Match) -> _Match:
    if match.head not in HEADS:
        raise RuleError(f"{rule.id}: match: there is no head {match.head!r}")
    if unknown := set(match.kinds) - set(KINDS):
        raise RuleError(f"{rule.id}: match: there is no kind {min(unknown)!r}")
    if not 0 < match.rate <= 1:
        raise RuleError(f"{rule.id}: match: a rate lies between 0 and 1")
    return match


def _held(rule: Rule, match: _Match, asset: Asset, judgement: Judgement) -> Iterator[Finding]:
    score = judgement.heads.get(match.head, 0.0)
    if score < threshold(match.head, match.rate) or (match.kinds and judgement.kind not in match.kinds):
        return
    place = next((span for span in judgement.spans if span.head == match.head), None)
    note = judgement.category if match.head == "harm" else judgement.kind
    yield finding_of(rule, asset, [_evidence(place, score, judgement.stage, note)], note=note)


def _evidence(place: Span | None, score: float, stage: int, note: str) -> Evidence:
    where = place.view if place and place.view else ""
    return Evidence(
        offset=place.offset if place else None,
        length=place.length if place else None,
        where=where,
        note=f"stage {stage}: {note}",
        score=round(score, 6),
    )
