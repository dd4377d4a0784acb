"""Limits by where requests come from, before anything is known of who sends them."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from hauberk.guard.limits.gcra import Gcra
from hauberk.guard.limits.settings import LimitSettings

MAX_SOURCES = 65_536


def source_of(address: str) -> str:
    """What counts as one source: an IPv4 address, or the /64 that one IPv6 subscriber can fill at will."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(IPv6Address(int(ip) >> 64 << 64)) + "/64"
    return str(ip)


class Sources:
    """Requests and failed credentials by source. Bounded: the sources longest silent are forgotten."""

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._requests: OrderedDict[str, Gcra] = OrderedDict()
        self._failures: OrderedDict[str, Gcra] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Counts a request; seconds until this source may come again, 0 when it may now."""
        source = source_of(address)
        failed = self._failures.get(source)
        if failed is not None and (wait := failed.wait(1, now)) > 0:
            return wait
        if self._settings.source_requests is None:
            return 0.0
        rate = _entry(self._requests, source, self._settings.source_requests)
        wait = rate.wait(1, now)
        if wait <= 0:
            rate.take(1, 0, now)
        return wait

    def failed(self, address: str, now: float) -> None:
        """Counts a credential that opened nothing."""
        limit = self._settings.source_failures
        rate = _entry(self._failures, source_of(address), limit, burst=max(limit // 2, 1))
        if rate.wait(1, now) <= 0:
            rate.take(1, 0, now)


def _entry(table: OrderedDict[str, Gcra], source: str, limit: int, burst: int | None = None) -> Gcra:
    rate = table.get(source)
    if rate is None:
        rate = table[source] = Gcra(limit, burst)
        if len(table) > MAX_SOURCES:
            table.popitem(last=False)
    else:
        table.move_to_end(source)
    return rate
