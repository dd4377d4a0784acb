"""What the engines over facts share: the form of `match`, and which facts a rule asks for."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from hauberk.core import Asset, Detector, Fact, Finding, Gap, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.finding_of import findings_of_facts

_Value = str | int | float | bool
M = TypeVar("M")


class FactMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`checks`: any of these; `where`: every attribute equals (one of) the values."""

    checks: tuple[str, ...]
    where: dict[str, _Value | list[_Value]] = {}

    def fits(self, fact: Fact) -> bool:
        """Whether the attributes of `fact` are those of `where`."""
        for key, wanted in self.where.items():
            value = fact.attrs.get(key)
            if value not in wanted if isinstance(wanted, list) else value != wanted:
                return False
        return True


def match_of(rule: Rule, form: type[M]) -> M:
    """The `match` of `rule` in its engine's form. Raises RuleError on an unknown key or type."""
    try:
        return msgspec.convert(rule.match, form)
    except msgspec.ValidationError as error:
        raise RuleError(f"{rule.id}: match: {error}") from error


F = TypeVar("F", bound=FactMatch)
S = TypeVar("S")


def detector_of(rules: Sequence[Rule], form: type[F], see: Callable[[Fact], S], fits: Callable[[S, F], bool]) -> Detector:
    """A detector of the facts that `rules` ask for by check, and that fit.

    `see` works out once of each fact what `fits` holds against each rule. Raises RuleError.
    """
    by_check: dict[str, list[tuple[Rule, F]]] = {}
    for rule in rules:
        match = match_of(rule, form)
        for check in match.checks:
            by_check.setdefault(check, []).append((rule, match))

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        hits: dict[str, tuple[Rule, list[Fact]]] = {}
        for fact in asset.facts:
            judged = by_check.get(fact.check)
            if not judged:
                continue
            seen = see(fact)
            for rule, match in judged:
                if fits(seen, match) and (not match.where or match.fits(fact)):
                    hits.setdefault(rule.id, (rule, []))[1].append(fact)
        for rule, facts in hits.values():
            yield from findings_of_facts(rule, asset, facts)

    return detect
