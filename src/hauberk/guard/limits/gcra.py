"""Request rates by the generic cell rate algorithm (ITU-T I.371): one number of state, no list of times."""

from hauberk.guard.limits.meter import FOREVER

_NS = 1_000_000_000


class Gcra:
    """At most `limit` requests in any `window` seconds (half-open), of which `burst` may come at once.

    The plain algorithm lets `limit + burst` pass in one window. Here the sustained rate is lowered by the burst instead, so
    that the limit is hard; with the default burst of a sixth, steady traffic gets five sixths of the limit and one request.
    Integer nanoseconds keep the bound exact.

    Args:
        limit: Requests in a window, 1 or more.
        burst: Requests that may come at once; None takes a sixth of the limit.
        window: Seconds.
    """

    __slots__ = ("_burst_ns", "_interval", "_tat", "_window", "burst", "limit")

    def __init__(self, limit: int, burst: int | None = None, window: float = 60.0) -> None:
        self._window = int(window * _NS)
        self._tat = -(1 << 62)  # theoretic arrival time
        self.retarget(limit, burst)

    def retarget(self, limit: int, burst: int | None = None) -> None:
        """Another limit from now on."""
        self.limit = limit
        self.burst = min(max(limit // 6 if burst is None else burst, 1), limit)
        self._interval = -(-self._window // (limit - self.burst + 1))
        self._burst_ns = (self.burst - 1) * self._interval

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` requests may pass."""
        if amount > self.burst:
            return FOREVER
        lag = self._tat + (amount - 1) * self._interval - self._burst_ns - int(now * _NS)
        return lag / _NS if lag > 0 else 0.0

    def take(self, spent: int, held: int, now: float) -> None:
        del held  # a rate holds nothing
        self._tat = max(self._tat, int(now * _NS)) + spent * self._interval

    def end(self, held: int, spent: int, now: float) -> None:
        """Nothing: a request that was made stays made."""

    def refund(self, amount: int, taken: float, now: float) -> None:
        """Nothing, as above."""

    def left(self, now: float) -> int:
        ahead = max(self._tat - int(now * _NS), 0)
        return max((self._burst_ns + self._interval - ahead) // self._interval, 0)

    def reset(self, now: float) -> float:
        return max(self._tat - int(now * _NS), 0) / _NS
