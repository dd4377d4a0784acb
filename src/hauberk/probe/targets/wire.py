"""One pool of HTTP connections for one target, bounded in bytes and time."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

import aiohttp
import msgspec

from hauberk.probe.targets.address import proxy_from_environment, shown
from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.target import Fault, TargetError
from hauberk.probe.targets.unpack import BadPacking, Unpacker
from hauberk.probe.targets.wire_faults import fault_of

LAGGARD = 0.5  # seconds that a stream's connection gets to end after its last event, so that it can be used again
EVENTS = "text/event-stream"
_NO_COOKIES = aiohttp.DummyCookieJar

Take = Callable[[bytes], bool]  # takes a piece of a stream; True when the stream said that it is over


class Answer(msgspec.Struct):
    """What came back. `body` is empty when the answer was a stream, which went to the caller's `take` instead."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    streamed: bool = False
    cut: bool = False  # at `max_bytes`, or a stream at `max_stream_seconds`
    seconds: float = 0.0  # from sending to the last byte

    @property
    def html(self) -> bool:
        """Whether a page for people came instead of data."""
        return "html" in self.headers.get("content-type", "") or self.body[:64].lstrip().lower().startswith(
            (b"<!doctype", b"<html")
        )


class Wire:
    """Sends requests to the one host of a target. Connections are kept alive; redirects are not followed."""

    def __init__(self, parts: SplitResult, options: TargetOptions, credentials: Credentials, *, cookies: bool = False) -> None:
        """Raises TargetError (SETUP) for a proxy or a CA file that cannot be used."""
        self.where = shown(parts)
        self._options = options
        self._credentials = credentials
        self._cookies = cookies
        self._proxy = _proxy(parts, options, credentials)
        self._tls = _tls(options.ca) if parts.scheme == "https" else True
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        take: Take | None = None,
        *,
        lines: bool = False,
    ) -> Answer:
        """The answer, whatever its status. A stream of events with status 200 goes to `take`, if there is one.

        `lines`: whatever comes with status 200 is such a stream, whatever it calls itself.

        Raises TargetError, and what `take` raises.
        """
        started = time.perf_counter()
        try:
            # The session is bounded by its own timeouts; this one bounds a stream that drips for ever.
            sent = self._pool().request(
                method, url, data=body, headers=headers, proxy=self._proxy, allow_redirects=False, timeout=self._timeouts(take)
            )
            async with sent as response:
                answer = Answer(response.status, response.headers)
                if take is not None and response.status == 200 and (lines or response.content_type == EVENTS):
                    answer.streamed = True
                    await self._stream(response, answer, take)
                else:
                    await self._whole(response, answer)
        except (aiohttp.ClientError, TimeoutError, OSError, ssl.SSLError, BadPacking) as error:
            raise self._fault(error) from None
        answer.seconds = time.perf_counter() - started
        return answer

    async def close(self) -> None:
        """Gives the connections back."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def hidden(self, text: str) -> str:
        """Foreign `text` as it may be shown: one short line without credentials."""
        return one_line(self._credentials.hidden(text))

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.concurrency, ttl_dns_cache=300, ssl=self._tls),
                cookie_jar=None if self._cookies else _NO_COOKIES(),
                auto_decompress=False,
                headers={"accept-encoding": "identity", "user-agent": "hauberk-probe"},
            )
        return self._session

    def _timeouts(self, take: Take | None) -> aiohttp.ClientTimeout:
        total = self._options.timeout if take is None else max(self._options.timeout, self._options.max_stream_seconds) + 1
        return aiohttp.ClientTimeout(total=total, sock_connect=self._options.connect_timeout, sock_read=self._options.timeout)

    async def _whole(self, response: aiohttp.ClientResponse, answer: Answer) -> None:
        unpacked = self._unpacker(response)
        pieces: list[bytes] = []
        room = self._options.max_bytes
        async for data in response.content.iter_any():
            piece = unpacked(data)
            pieces.append(piece[:room])
            room -= len(piece)
            if room < 0:
                answer.cut = True
                response.close()
                break
        answer.body = b"".join(pieces)

    async def _stream(self, response: aiohttp.ClientResponse, answer: Answer, take: Take) -> None:
        unpacked = self._unpacker(response)
        room = self._options.max_bytes
        deadline = asyncio.timeout(self._options.max_stream_seconds)
        over = False
        try:
            async with deadline:
                async for data in response.content.iter_any():
                    piece = unpacked(data)
                    if not over and take(piece[:room]):
                        over = True
                        deadline.reschedule(asyncio.get_running_loop().time() + LAGGARD)
                    room -= len(piece)
                    if room < 0:
                        answer.cut = not over
                        break
        except (TimeoutError, aiohttp.ClientPayloadError):
            if not over and not deadline.expired():
                raise
            answer.cut = not over
        if answer.cut:
            response.close()

    def _unpacker(self, response: aiohttp.ClientResponse) -> Callable[[bytes], bytes]:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        return _plain if encoding in {"", "identity"} else Unpacker(encoding, self._options.max_bytes).feed

    def _fault(self, error: Exception) -> TargetError:
        made = fault_of(error, self.where, self._options)
        return TargetError(made.fault, self._credentials.hidden(str(made)), made.retry_after)


def _plain(data: bytes) -> bytes:
    return data


def _proxy(parts: SplitResult, options: TargetOptions, credentials: Credentials) -> str | None:
    if options.proxy == "none":
        return None
    named = credentials.expanded(options.proxy) if options.proxy else proxy_from_environment(parts)
    if not named:
        return None
    try:
        found = urlsplit(named)
        _ = found.port
    except ValueError:
        found = SplitResult("", "", "", "", "")
    if found.scheme not in {"http", "https"} or not found.hostname:
        raise TargetError(Fault.SETUP, "the proxy is no address of an HTTP proxy; write for example http://proxy.example:3128")
    if found.password:
        credentials.remember(found.password)
    return named


def _tls(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror if not isinstance(error, ssl.SSLError) else "it holds no certificate in PEM form"
            raise TargetError(Fault.SETUP, f"certificate authority {ca}: {reason}") from None
    return context
