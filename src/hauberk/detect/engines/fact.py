"""Engine `fact`: rules over what a reader saw.

    match:
      checks: [gguf.tensor-bounds, gguf.tensor-overlap]   # any of these
      where: {dtype: [F32, F16], nested: true}            # optional: every attribute equals (one of) the values

Each distinct quoted piece becomes one finding.
"""

from collections.abc import Sequence

from hauberk.core import Detector, Rule
from hauberk.detect.facts import FactMatch, detector_of


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or type in `match`."""
    return detector_of(rules, FactMatch, lambda fact: fact, lambda _fact, _match: True)
