"""Engine `fact`: rules over what a reader saw.

    match:
      checks: [gguf.tensor-bounds, gguf.tensor-overlap]   # any of these
      where: {dtype: [F32, F16], nested: true}            # optional: every attribute equals (one of) the values

Each distinct quoted piece becomes one finding.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.core import Asset, Detector, Fact, Finding, Gap, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.finding_of import findings_of_facts

_Value = str | int | float | bool


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checks: tuple[str, ...]
    where: dict[str, _Value | list[_Value]] = {}


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or type in `match`."""
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
            for rule, match in by_check.get(fact.check, ()):
                if not match.where or _fits(fact, match):
                    hits.setdefault(rule.id, (rule, []))[1].append(fact)
        for rule, facts in hits.values():
            yield from findings_of_facts(rule, asset, facts)

    return detect


def _fits(fact: Fact, match: _Match) -> bool:
    for key, wanted in match.where.items():
        value = fact.attrs.get(key)
        if value not in wanted if isinstance(wanted, list) else value != wanted:
            return False
    return True
