"""Less at a time when the upstream gets slow: a gradient on the time to the first token.

The method is the gradient controller of Envoy's adaptive concurrency filter and Netflix's concurrency-limits (Gradient2):
limit <- gradient x limit + sqrt(limit), gradient = unloaded time / time now. Total latency would not do: it grows with the
answer's length. The time to the first token grows with the prompt, so times are compared within classes of prompt length
(powers of two), each with its own unloaded time.
"""

import math
from statistics import median

_SAMPLES = 20  # first tokens between two changes of the limit
_TOLERANCE = 2.0  # slower than this times unloaded counts as load
_LEAST = 4
_FORGET = 1.02  # unloaded times drift up by this each change, so that a slower model is learnt in the end


class Gradient:
    """How many requests may be under way.

    Args:
        most: The configured limit, never passed.
    """

    def __init__(self, most: int) -> None:
        self.limit = most
        self._most = most
        self._exact = float(most)
        self._unloaded: dict[int, float] = {}
        self._ratios: list[float] = []

    def first_token(self, prompt: int, seconds: float, running: int) -> int:
        """Takes one time to the first token, `prompt` in tokens; the limit that holds from now on."""
        if not 0 < seconds < math.inf:
            return self.limit
        size = max(prompt, 1).bit_length()
        least = min(self._unloaded.get(size, seconds), seconds)
        self._unloaded[size] = least
        self._ratios.append(least / seconds)
        if len(self._ratios) >= _SAMPLES:
            self._change(running)
        return self.limit

    def _change(self, running: int) -> None:
        gradient = min(1.0, max(0.5, _TOLERANCE * median(self._ratios)))
        self._ratios.clear()
        self._unloaded = {size: least * _FORGET for size, least in self._unloaded.items()}
        wanted = gradient * self._exact + math.sqrt(self._exact)
        if gradient >= 1.0 and running < self._exact / 2:
            return  # the limit is not what bounds the load: raising it would say nothing
        self._exact = min(float(self._most), max(float(min(_LEAST, self._most)), wanted))
        self.limit = int(self._exact)
