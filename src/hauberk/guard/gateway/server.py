"""uvicorn's server with our connections, our listening sockets and a reload."""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any

import uvicorn

from hauberk.guard.gateway.app import Gateway, Parts
from hauberk.guard.gateway.protocol import Doorkeeper, GuardedProtocol
from hauberk.guard.gateway.source import within
from hauberk.guard.settings import GuardSettings

LOOK = 0.5  # seconds between looks at deadlines
BACKLOG = 2048


class GatewayServer(uvicorn.Server):
    """Serves one gateway on given sockets. SIGTERM and SIGINT drain, SIGHUP calls `on_reload` if it is set.

    `on_listening` is called once, when connections are taken.
    """

    def __init__(self, gateway: Gateway, sockets: list[socket.socket]) -> None:
        settings = gateway.generation.settings
        super().__init__(_config(gateway, settings))
        self.gateway = gateway
        self.keeper = Doorkeeper(settings.deadlines, settings.bounds)
        self.keeper.trusted = lambda address: within(address, gateway.generation.proxies)
        self._sockets = sockets
        self.on_reload: Callable[[], None] | None = None
        self.on_listening: Callable[[], None] | None = None
        self._tls = _tls(settings)
        self._looking: asyncio.TimerHandle | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but TLS handshakes have a deadline too, and connections are ours."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()
        seconds = self.keeper.deadlines.header
        extra: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": seconds} if self._tls else {}
        self.servers = [
            await loop.create_server(self._protocol, sock=sock, backlog=BACKLOG, **extra) for sock in sockets or self._sockets
        ]
        if self.on_reload is not None:
            loop.add_signal_handler(signal.SIGHUP, self.on_reload)
        self._look()
        self.started = True
        if self.on_listening is not None:
            self.on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops accepting, lets streams end, then ends them."""
        self.gateway.draining = True
        await super().shutdown(sockets)
        if self._looking is not None:
            self._looking.cancel()

    def renew(self, settings: GuardSettings, parts: Parts | None = None) -> None:
        """Goes by `settings` from now on; the address, the workers and TLS stay. Raises OSError, and then nothing has changed."""
        self.gateway.reload(settings, parts)
        self.keeper.deadlines = settings.deadlines
        self.keeper.bounds = settings.bounds

    def _protocol(self) -> GuardedProtocol:
        return GuardedProtocol(self.config, self.server_state, self.lifespan.state, self.keeper)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self.keeper.look(loop.time())
        self._looking = loop.call_later(LOOK, self._look)


def listening_socket(settings: GuardSettings, *, shared: bool = False) -> socket.socket:
    """A bound socket at the settings' address; `shared` between processes. Raises OSError."""
    host, port = settings.address
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.settimeout(0)
    except OSError:
        sock.close()
        raise
    return sock


def _config(gateway: Gateway, settings: GuardSettings) -> uvicorn.Config:
    return uvicorn.Config(
        gateway,  # pyright: ignore[reportArgumentType]
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=int(settings.deadlines.keep_alive) or 1,
        timeout_graceful_shutdown=int(settings.deadlines.drain) or 1,
    )


def _tls(settings: GuardSettings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    context.set_alpn_protocols(["http/1.1"])
    return context
