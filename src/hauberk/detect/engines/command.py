r"""Engine `command`: RE2 patterns over what a model writes, lighter where code is shown and explained.

    match:
      any: ['curl [^|\n]*\| *(?:ba)?sh']   # RE2; each place that one of these matches
      not: ['(?i)never run']               # optional: a match whose lines match one of these is dropped
      code: lower                          # a match in code that is explained: lower (default), drop, or keep
      prose: keep                          # a match outside all code: keep (default) or drop
      calls: true                          # optional: arguments of tool calls are read too (default)
      roles: [tool]                        # optional: messages to the model from these roles, instead of answers

Severity in explained code is `low`. A command in an answer that is nothing but the command keeps the rule's severity: it is
what an agent would run. Each distinct quoted piece is one finding, at most 20 a rule; more of them say nothing new.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule, Severity
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.output.fences import CodeMap
from hauberk.detect.output.patterns import Positions, compiled, refused
from hauberk.detect.pattern_set import PatternSet

MAX_PLACES = 20  # of one pattern
_AROUND = 300  # bytes of the lines around a match that `not` is held against


class Shown(StrEnum):
    """What becomes of a match by where it stands."""

    KEEP = "keep"
    LOWER = "lower"
    DROP = "drop"


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"excluded": "not"}):
    any: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    code: Shown = Shown.LOWER
    prose: Shown = Shown.KEEP
    calls: bool = True
    roles: tuple[Role, ...] = ()

    def reads(self, message: MessageContent) -> bool:
        if self.roles:
            return message.direction is Direction.INPUT and message.role in self.roles
        return message.direction is Direction.OUTPUT and (self.calls or message.call is None)


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key in `match` or a pattern that RE2 refuses."""
    matches = [(rule, _checked(rule)) for rule in rules]
    together = PatternSet(pattern for _, match in matches for pattern in match.any)
    owners = [number for number, (_, match) in enumerate(matches) for _ in match.any]

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None:
            return
        hit = {owners[index] for index in together.matching(message.data)}
        for rule, match in (matches[number] for number in sorted(hit)):
            if match.reads(message):
                yield from _findings(rule, match, asset, message)

    return detect


def _checked(rule: Rule) -> _Match:
    match = match_of(rule, _Match)
    for pattern in (*match.any, *match.excluded):
        try:
            compiled(pattern)
        except refused() as error:
            raise RuleError(f"{rule.id}: {pattern!r} is not RE2: {error}") from error
    return match


def _findings(rule: Rule, match: _Match, asset: Asset, message: MessageContent) -> Iterator[Finding]:
    seen: dict[str, tuple[Severity, list[Evidence]]] = {}
    for pattern in match.any:
        positions = Positions(message.text, message.data)
        for number, found in enumerate(compiled(pattern).finditer(message.data)):
            if number >= MAX_PLACES:
                break
            start, end = found.span()
            severity = _severity(rule, match, message, positions.at(start))
            if severity is None or _excluded(match, message.data, start, end):
                continue
            shown = quote(found[0].strip())
            worst, places = seen.setdefault(shown, (severity, []))
            places.append(Evidence(offset=start, length=end - start, quote=shown))
            seen[shown] = (max(worst, severity, key=lambda s: s.rank), places)
    for shown, (severity, places) in list(seen.items())[:MAX_PLACES]:
        yield finding_of(rule, asset, places, note=shown, severity=severity)


def _severity(rule: Rule, match: _Match, message: MessageContent, position: int) -> Severity | None:
    """How bad a match at `position` is; None when it does not count there."""
    if message.call is not None:
        return rule.severity
    code = message.once("code-map", lambda: CodeMap(message.text))
    inside = code.holds(position)
    shown = match.code if inside else match.prose
    if shown is Shown.DROP:
        return None
    lighter = shown is Shown.LOWER and (code.explained or not inside)
    return min(rule.severity, Severity.LOW, key=lambda s: s.rank) if lighter else rule.severity


def _excluded(match: _Match, data: bytes, start: int, end: int) -> bool:
    if not match.excluded:
        return False
    first = max(data.rfind(b"\n", max(0, start - _AROUND), start) + 1, start - _AROUND, 0)
    last = data.find(b"\n", end, end + _AROUND)
    lines = data[first : last if last >= 0 else end + _AROUND]
    return any(compiled(pattern).search(lines) is not None for pattern in match.excluded)
