"""One configuration with what was made from it. A reload makes the next; requests keep the one they began with."""

import asyncio
import contextlib
import ipaddress

from hauberk.guard.gateway.upstream.directory import Directory
from hauberk.guard.gateway.upstream.offer import Offer
from hauberk.guard.gateway.upstream.upstream import Upstream
from hauberk.guard.settings import GuardSettings

SWEEP = 5.0  # seconds between looks at idle connections


class Generation:
    """Settings, upstreams and networks. `start` and `close` frame its life in a running loop."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        self.directory = Directory(settings)
        self.offer = Offer(self.directory)
        self.proxies = networks(settings.trusted_proxies)
        self.admins = networks(settings.admin_from)
        self.calls = 0  # under way that began with these settings
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        """Whether some upstream can be asked."""
        upstreams = self.directory.upstreams.values()
        return any(upstream.healthy and upstream.breaker.wait() == 0 for upstream in upstreams)

    def start(self) -> None:
        """Begins health checks and the care of pools."""
        for upstream in self.directory.upstreams.values():
            self._tasks.append(asyncio.create_task(_tend(upstream)))

    async def close(self) -> None:
        """Ends both; answers under way go on."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        self.directory.close()


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(written: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks as objects. Raises ValueError."""
    return tuple(ipaddress.ip_network(network) for network in written)


async def _tend(upstream: Upstream) -> None:
    health = upstream.settings.health
    pause = health.interval if health.path else SWEEP
    while True:
        if health.path:
            await upstream.check()
        upstream.pool.sweep()
        await asyncio.sleep(pause)
