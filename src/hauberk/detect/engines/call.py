"""Engine `call`: rules over what is called, imported or named, in any format, by what it can do.

    match:
      checks: [pickle.call, keras.class]       # facts whose attrs hold `module` and `name`
      capabilities: [execute, import]          # any of these, by the capability map
      where: {how: [call, build]}              # optional, as in engine `fact`

A fact may carry `capability` itself where its reader knows better than the name tells (a `getattr` followed to its end).
"""

import sys
from collections.abc import Sequence

from hauberk.core import Detector, Fact, Rule
from hauberk.detect.capability import Capability, classify
from hauberk.detect.facts import FactMatch, detector_of

# Packages whose classes take strings as values: names of devices, paths that nobody opens, time zones.
_OWN_VALUES = sys.stdlib_module_names | {"__builtin__", "numpy", "torch", "pandas", "pyarrow", "pytz", "dateutil"}
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
    module, name = str(fact.attrs.get("module", "")), str(fact.attrs.get("name", ""))
    found = classify(module, name)
    # Classes of other packages are plain as a pickler makes them, without __init__; called with a path many open it.
    opens = found is Capability.DATA and fact.attrs.get("place") is True and name.rpartition(".")[2][:1].isupper()
    return Capability.UNKNOWN if opens and module.partition(".")[0] not in _OWN_VALUES else found
