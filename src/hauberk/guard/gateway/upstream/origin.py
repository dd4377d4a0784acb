"""Where an upstream is, and how a connection to it is made: TCP, TLS, and through a proxy by CONNECT."""

import asyncio
import base64
import os
import ssl
import urllib.request
from urllib.parse import unquote, urlsplit

import msgspec

from hauberk.guard.gateway.upstream.connection import Connection
from hauberk.guard.gateway.upstream.errors import ConnectFailed
from hauberk.guard.settings import UpstreamSettings

LARGEST_PROXY_ANSWER = 16 << 10


class Origin(msgspec.Struct, frozen=True):
    """An address with what is needed to reach it. `proxy` is host, port and an Authorization value, or None."""

    host: str
    port: int
    path: str  # prefix of every path, without a slash at its end
    tls: ssl.SSLContext | None = None
    proxy: tuple[str, int, str] | None = None

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def origin_of(settings: UpstreamSettings) -> Origin:
    """The origin that `settings` describes. Raises OSError when the CA file cannot be read."""
    parts = urlsplit(settings.base_url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    tls = None
    if secure:
        tls = ssl.create_default_context(cafile=settings.ca_file or None)
        tls.set_alpn_protocols(["http/1.1"])
    port = parts.port or (443 if secure else 80)
    return Origin(host, port, parts.path.rstrip("/"), tls, _proxy_of(settings.proxy, parts.scheme, host))


async def connect(origin: Origin, seconds: float) -> Connection:
    """A fresh connection to `origin`. Raises ConnectFailed."""
    loop = asyncio.get_running_loop()
    connection = Connection(loop)
    try:
        async with asyncio.timeout(seconds):
            if origin.proxy is None:
                await _direct(loop, origin, connection)
            else:
                await _tunnelled(loop, origin, origin.proxy, connection)
    except TimeoutError:
        connection.abort()
        raise ConnectFailed(f"no connection within {seconds:g} s") from None
    except ssl.SSLError as error:
        raise ConnectFailed(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}") from None
    except OSError as error:
        raise ConnectFailed(f"no connection: {os.strerror(error.errno) if error.errno else 'failed'}") from None
    return connection


async def _direct(loop: asyncio.AbstractEventLoop, origin: Origin, connection: Connection) -> None:
    name = origin.host if origin.tls else None
    await loop.create_connection(lambda: connection, origin.host, origin.port, ssl=origin.tls, server_hostname=name)


async def _tunnelled(loop: asyncio.AbstractEventLoop, origin: Origin, proxy: tuple[str, int, str], connection: Connection) -> None:
    host, port, authorization = proxy
    target = f"[{origin.host}]:{origin.port}" if ":" in origin.host else f"{origin.host}:{origin.port}"
    answer: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_connection(lambda: _Tunnel(answer), host, port)
    try:
        extra = f"Proxy-Authorization: {authorization}\r\n" if authorization else ""
        transport.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{extra}\r\n".encode())
        status = (await answer).split(b" ", 2)[1:2]
        if status != [b"200"]:
            raise ConnectFailed(f"the proxy refused the tunnel with {(status or [b'no status'])[0][:10].decode('latin-1')}")
        if origin.tls is None:
            transport.set_protocol(connection)
            connection.connection_made(transport)
        else:
            upgraded = await loop.start_tls(transport, connection, origin.tls, server_hostname=origin.host)
            assert upgraded is not None
            connection.connection_made(upgraded)
    except BaseException:
        transport.abort()
        raise


class _Tunnel(asyncio.Protocol):
    """Reads the proxy's answer to CONNECT."""

    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if self._answer.done():
            return
        if end and not rest:  # a server speaks only when spoken to, in HTTP and in TLS
            self._answer.set_result(head)
        elif rest or len(self._data) > LARGEST_PROXY_ANSWER:
            self._answer.set_exception(ConnectFailed("the proxy's answer is not sound"))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._answer.done():
            self._answer.set_exception(ConnectFailed("the proxy closed the connection"))


def _proxy_of(written: str, scheme: str, host: str) -> tuple[str, int, str] | None:
    url = written
    if not url:
        url = "" if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(scheme, "")
    if not url or url == "none":
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    authorization = ""
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode()
    return parts.hostname or "", parts.port or 80, authorization
