r"""Engine `phrase`: RE2 patterns over every view of a message.

    match:
      any: ['(?i)\bignore (?:all )?previous instructions\b']   # RE2; each place that one of these matches
      not: ['(?i)ignore previous whitespace']                 # optional: a match whose surroundings match one of these is dropped
      roles: [tool, document]                                 # optional: only in messages of these roles
      directions: [input]                                     # optional: only in messages that go this way
      decoded_only: true                                      # optional: only in what was hidden by an encoding

Evidence points into the original text and its note names the decodings that led to the phrase. What the normaliser left
undecoded is a Gap.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule
from hauberk.detect.engines.regex import pattern_of
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import MAX_EVIDENCE, finding_of
from hauberk.detect.normalise import View, views
from hauberk.detect.pattern_set import PatternSet

AROUND = 80  # bytes before and after a match in which `not` is looked for


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"excluded": "not"}):
    any: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    directions: tuple[Direction, ...] = ()
    decoded_only: bool = False

    def reads(self, message: MessageContent) -> bool:
        return (not self.roles or message.role in self.roles) and (not self.directions or message.direction in self.directions)


class _Owner(msgspec.Struct, frozen=True):
    """A pattern with its rule."""

    rule: Rule
    match: _Match
    pattern: str


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key in `match` or a pattern that RE2 refuses."""
    owners = [owner for rule in rules for owner in _owners(rule)]
    together = PatternSet(owner.pattern for owner in owners)

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None:
            return
        seen = views(message)
        hits: dict[str, tuple[Rule, dict[tuple[int, int], Evidence]]] = {}
        for view in seen.views:
            data = view.text.encode("utf-8", "replace") if view.steps else message.data
            for index in together.matching(data):
                if _applies(owners[index], message, view):
                    places = hits.setdefault(owners[index].rule.id, (owners[index].rule, {}))[1]
                    _collect(owners[index], message, view, data, places)
        for rule, places in hits.values():
            if places:
                evidence = tuple(places.values())
                yield finding_of(rule, asset, evidence, note=evidence[0].quote)
        for gap in seen.gaps:
            yield msgspec.structs.replace(gap, asset=asset.uri)

    return detect


def _owners(rule: Rule) -> Iterator[_Owner]:
    match = match_of(rule, _Match)
    for pattern in (*match.any, *match.excluded):
        try:
            pattern_of(pattern)
        except import_module("re2").error as error:
            raise RuleError(f"{rule.id}: {pattern!r} is not RE2: {error}") from error
    for pattern in match.any:
        yield _Owner(rule, match, pattern)


def _applies(owner: _Owner, message: MessageContent, view: View) -> bool:
    return owner.match.reads(message) and (bool(view.steps) or not owner.match.decoded_only)


def _collect(owner: _Owner, message: MessageContent, view: View, data: bytes, places: dict[tuple[int, int], Evidence]) -> None:
    """Adds where the pattern matches, as bytes of the original text; a place that an earlier view gave stays as it was."""
    for found in pattern_of(owner.pattern).finditer(data):
        if len(places) >= MAX_EVIDENCE:
            return
        start, end = found.span()
        near = data[max(0, start - AROUND) : end + AROUND]
        if any(pattern_of(dropped).search(near) for dropped in owner.match.excluded):
            continue
        first = len(data[:start].decode("utf-8", "replace"))
        last = first + len(found[0].decode("utf-8", "replace"))
        offset, length = message.byte_span(*view.origin(first, last))
        note = f"after decoding: {', '.join(view.steps)}" if view.steps else ""
        places.setdefault((offset, length), Evidence(offset=offset, length=length, quote=quote(found[0].strip()), note=note))
