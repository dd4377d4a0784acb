"""Engine `call`: rules over what is called, imported or named, in any format, by what it can do.

    match:
      checks: [pickle.call, keras.class]       # facts whose attrs hold `module` and `name`
      capabilities: [execute, import]          # any of these, by the capability map
      where: {how: [call, build]}              # optional, as in engine `fact`

A fact may carry `capability` itself where its reader knows better than the name tells (a `getattr` followed to its end).
"""

from collections.abc import Sequence

from hauberk.core import Detector, Fact, Rule
from hauberk.detect.capability import Capability, classify
from hauberk.detect.facts import FactMatch, detector_of

_CAPABILITIES = frozenset(map(str, Capability))


class _Match(FactMatch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    capabilities: tuple[Capability, ...]


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key, type or capability in `match`."""
    return detector_of(rules, _Match, capability_of, lambda capability, match: capability in match.capabilities)


def capability_of(fact: Fact) -> Capability:
    """The capability of what a fact names: as its reader worked it out, else by the map."""
    worked_out = fact.attrs.get("capability")
    if isinstance(worked_out, str) and worked_out in _CAPABILITIES:
        return Capability(worked_out)
    return classify(str(fact.attrs.get("module", "")), str(fact.attrs.get("name", "")))
