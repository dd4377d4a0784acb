"""Engine `call`: rules over what is called, imported or named, in any format, by what it can do.

    match:
      checks: [pickle.call, keras.class]       # facts whose attrs hold `module` and `name`
      capabilities: [execute, import]          # any of these, by the capability map
      where: {how: [call, build]}              # optional, as in engine `fact`

A fact may carry `capability` itself where its reader knows better than the name tells (a `getattr` followed to its end).
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.core import Asset, Detector, Fact, Finding, Gap, Rule
from hauberk.detect.capability import Capability, classify
from hauberk.detect.errors import RuleError
from hauberk.detect.finding_of import findings_of_facts

_Value = str | int | float | bool
_CAPABILITIES = frozenset(map(str, Capability))


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checks: tuple[str, ...]
    capabilities: tuple[Capability, ...]
    where: dict[str, _Value | list[_Value]] = {}


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key, type or capability in `match`."""
    by_check: dict[str, list[tuple[Rule, _Match]]] = {}
    for rule in rules:
        try:
            match = msgspec.convert(rule.match, _Match)
        except msgspec.ValidationError as error:
            raise RuleError(f"{rule.id}: match: {error}") from error
        for check in match.checks:
            by_check.setdefault(check, []).append((rule, match))

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        hits: dict[str, tuple[Rule, list[Fact]]] = {}
        for fact in asset.facts:
            judged = by_check.get(fact.check)
            if not judged:
                continue
            capability = capability_of(fact)
            for rule, match in judged:
                if capability in match.capabilities and _fits(fact, match):
                    hits.setdefault(rule.id, (rule, []))[1].append(fact)
        for rule, facts in hits.values():
            yield from findings_of_facts(rule, asset, facts)

    return detect


def capability_of(fact: Fact) -> Capability:
    """The capability of what a fact names: as its reader worked it out, else by the map."""
    worked_out = fact.attrs.get("capability")
    if isinstance(worked_out, str) and worked_out in _CAPABILITIES:
        return Capability(worked_out)
    return classify(str(fact.attrs.get("module", "")), str(fact.attrs.get("name", "")))


def _fits(fact: Fact, match: _Match) -> bool:
    for key, wanted in match.where.items():
        value = fact.attrs.get(key)
        if value not in wanted if isinstance(wanted, list) else value != wanted:
            return False
    return True
