"""The guard in front of somebody's own OpenAI-compatible ASGI application, without a gateway."""

import asyncio
from collections.abc import Coroutine
from typing import cast

from hauberk.guard.dialects.dialect import BadUpstream, Dialect, Refusal
from hauberk.guard.exchange import BadRequest, Exchange
from hauberk.guard.gateway.call import Refused
from hauberk.guard.gateway.hooks import Decision, Inspector
from hauberk.guard.gateway.intake import ClientGone, read_body
from hauberk.guard.gateway.refusals import bad_request, blocked, unjudged, upstream_failed
from hauberk.guard.gateway.responses import App, Headers, Message, Receive, Scope, Send, headers_in, retry_headers, send_body
from hauberk.guard.gateway.routes import ROUTES, dialects
from hauberk.guard.gateway.stream_guard import Halted, StreamGuard
from hauberk.guard.gateway.upstream.errors import Broken
from hauberk.guard.settings import Bounds

_REPLACED = frozenset((b"content-length", b"transfer-encoding", b"content-encoding"))


class GuardMiddleware:
    """Judges requests before `app` sees them and answers before the client does.

    Paths are those of the gateway, below `prefix`. Everything else passes untouched. What cannot be judged is refused when
    `closed`. The application must not compress its answers.
    """

    def __init__(
        self, app: App, inspector: Inspector, *, prefix: str = "", closed: bool = True, bounds: Bounds | None = None
    ) -> None:
        self._app = app
        self._inspector = inspector
        self._prefix = prefix
        self._closed = closed
        self._bounds = bounds or Bounds()
        self._dialects = dialects()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        path: str = scope.get("path", "")
        route = ROUTES.get(path.removeprefix(self._prefix)) if scope["type"] == "http" and path.startswith(self._prefix) else None
        if route is None or scope["method"] != "POST" or not route.judged:
            await self._app(scope, receive, send)
            return
        dialect = self._dialects[route.dialect]
        try:
            exchange, body = await self._judged(dialect, scope, receive)
        except Refused as refused:
            await _refuse(send, dialect, refused.refusal)
        except ClientGone:
            return
        else:
            answer = _Answer(self._inspector, dialect, exchange, send, most=self._bounds.answer, closed=self._closed)
            try:
                await self._app(_with_length(scope, len(body)), _given(body, receive), answer.send)
            finally:
                answer.close()

    async def _judged(self, dialect: Dialect, scope: Scope, receive: Receive) -> tuple[Exchange, bytes]:
        body = await read_body(receive, headers_in(scope), self._bounds.body)
        try:
            exchange = dialect.read(body)
        except BadRequest as error:
            raise Refused(bad_request(error)) from None
        try:
            decision = await self._inspector.request(exchange)
        except Exception as error:  # noqa: BLE001 - detectors may raise anything; the policy says what follows
            decision = unjudged(error, closed=self._closed)
        _raise_if_blocked(decision)
        return exchange, dialect.write(exchange, decision.edits)


class _Answer:
    """Stands between the application's `send` and the client's."""

    def __init__(self, inspector: Inspector, dialect: Dialect, exchange: Exchange, send: Send, *, most: int, closed: bool) -> None:
        self._inspector = inspector
        self._dialect = dialect
        self._exchange = exchange
        self._send = send
        self._most = most
        self._closed = closed
        self._start: Message = {}
        self._body = bytearray()
        self._guard: StreamGuard | None = None
        self._turn = asyncio.Lock()  # a guard takes one call at a time
        self._waiting: asyncio.Task[None] | None = None
        self._over = False

    async def send(self, message: Message) -> None:
        """ASGI's `send`, as the application calls it. What comes after a refusal is dropped."""
        if self._over:
            return
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif message["type"] == "http.response.body" and self._guard is not None:
            await self._stream(self._guard, message)
        elif message["type"] == "http.response.body":
            await self._collect(message)
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        self._start = message
        headers = dict(cast("Headers", message.get("headers", [])))
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if message["status"] < 300 and kind == b"text/event-stream":
            session = self._inspector.session(self._exchange)
            self._guard = StreamGuard(self._dialect.stream(self._exchange), session, closed=self._closed, most=self._most)
            await self._send({**message, "headers": _kept(message)})

    def close(self) -> None:
        """The application has returned."""
        if self._waiting is not None and not self._waiting.cancel() and not self._waiting.cancelled():
            self._waiting.exception()  # the client has gone, which the application's own `send` says too

    async def _stream(self, guard: StreamGuard, message: Message) -> None:
        more: bool = message.get("more_body", False)
        async with self._turn:
            await self._let_go(guard, _fed(guard, message.get("body", b""), more=more), more=more)
        if guard.due() is not None and not self._over and (self._waiting is None or self._waiting.done()):
            self._waiting = asyncio.create_task(self._when_due(guard))

    async def _when_due(self, guard: StreamGuard) -> None:
        """Lets go of what is held while the application says nothing."""
        while not self._over and (due := guard.due()) is not None:
            await asyncio.sleep(max(due, 0.01))
            async with self._turn:
                await self._let_go(guard, guard.tick(), more=True)

    async def _let_go(self, guard: StreamGuard, judged: Coroutine[None, None, bytes], *, more: bool) -> None:
        if self._over:
            judged.close()
            return
        try:
            wire = await judged
        except (Halted, BadUpstream) as error:
            refusal = error.refusal if isinstance(error, Halted) else upstream_failed(Broken(str(error)))
            wire = (error.wire if isinstance(error, Halted) else guard.judged()) + self._dialect.stream(self._exchange).error(
                refusal
            )
            more = False
        self._over = not more
        if wire or not more:
            await self._send({"type": "http.response.body", "body": wire, "more_body": more})

    async def _collect(self, message: Message) -> None:
        self._body += message.get("body", b"")
        if len(self._body) > self._most:
            self._over = True
            await _refuse(self._send, self._dialect, upstream_failed(Broken("the answer is too long")))
        elif not message.get("more_body", False):
            await self._finish(bytes(self._body))

    async def _finish(self, body: bytes) -> None:
        status: int = self._start["status"]
        try:
            if status < 300:
                body = await self._judged(body)
        except Refused as refused:
            await _refuse(self._send, self._dialect, refused.refusal)
            return
        headers = [*_kept(self._start), (b"content-length", b"%d" % len(body))]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _judged(self, body: bytes) -> bytes:
        try:
            answer = self._dialect.read_answer(body)
        except BadUpstream as error:
            raise Refused(upstream_failed(Broken(str(error)))) from None
        try:
            decision = await self._inspector.answer(self._exchange, answer)
        except Exception as error:  # noqa: BLE001 - detectors may raise anything; the policy says what follows
            decision = unjudged(error, closed=self._closed)
        _raise_if_blocked(decision)
        return self._dialect.write_answer(answer, decision.edits) if decision.edits else body


async def _fed(guard: StreamGuard, data: bytes, *, more: bool) -> bytes:
    wire = await guard.feed(data)
    return wire if more else wire + await guard.close()


def _raise_if_blocked(decision: Decision) -> None:
    if (refusal := blocked(decision)) is not None:
        raise Refused(refusal)


async def _refuse(send: Send, dialect: Dialect, refusal: Refusal) -> None:
    await send_body(send, refusal.status, dialect.error(refusal), retry_headers(refusal))


def _kept(message: Message) -> Headers:
    return [(name, value) for name, value in cast("Headers", message.get("headers", [])) if name.lower() not in _REPLACED]


def _with_length(scope: Scope, length: int) -> Scope:
    headers = [(name, value) for name, value in cast("Headers", scope["headers"]) if name not in _REPLACED]
    return {**scope, "headers": [*headers, (b"content-length", b"%d" % length)]}


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the judged body, and then what comes after it."""
    left = [body]

    async def give() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return give
