"""How long answers usually are, to reserve for the next one."""

import math
from collections import OrderedDict

from hauberk.guard.limits.settings import LimitSettings, Reserve

_ALPHA = 0.1
_NOTHING = (0.0, 0.0, 0)
_DEVIATIONS = 2.0  # over the mean; answers of very different lengths need more than a factor
_ENOUGH = 5  # answers, before their mean is trusted
_MOST = 1 << 24  # no answer is longer, whatever a request claims
MAX_PAIRS = 20_000


class Expectation:
    """Exponentially weighted mean and variance of output tokens by key and model. Bounded: pairs longest unused are forgotten."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._means: OrderedDict[tuple[str, str], tuple[float, float, int]] = OrderedDict()

    def reserve(self, key_id: str, model: str, max_tokens: int | None) -> int:
        """Output tokens to hold for a request, never more than its `max_tokens`."""
        mean, variance, seen = self._means.get((key_id, model), _NOTHING)
        if max_tokens is not None:
            max_tokens = min(max(max_tokens, 0), _MOST)
        if max_tokens is not None and (self._settings.reserve is Reserve.MAXIMUM or seen < _ENOUGH):
            return max_tokens
        usual = max(mean * self._settings.headroom, mean + _DEVIATIONS * math.sqrt(variance))
        expected = int(usual) + 1 if seen >= _ENOUGH else self._settings.first_output
        return expected if max_tokens is None else min(expected, max_tokens)

    def learn(self, key_id: str, model: str, output: int) -> None:
        """Takes an answer's true length into the mean."""
        pair = (key_id, model)
        mean, variance, seen = self._means.get(pair, _NOTHING)
        weight = max(_ALPHA, 1 / (seen + 1))
        moved = weight * (output - mean)
        self._means[pair] = (mean + moved, (1 - weight) * (variance + moved * (output - mean)), min(seen + 1, _ENOUGH))
        self._means.move_to_end(pair)
        if len(self._means) > MAX_PAIRS:
            self._means.popitem(last=False)
