"""The gateway as an ASGI application."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import cast

import msgspec

from hauberk.guard.dialects.dialect import Dialect, Refusal
from hauberk.guard.gateway.call import Call, Write
from hauberk.guard.gateway.generation import Generation
from hauberk.guard.gateway.hooks import Caller, Gate, Inspector, Recorder
from hauberk.guard.gateway.models import model_body, models_body
from hauberk.guard.gateway.open_hooks import OpenGate, OpenInspector, SilentRecorder
from hauberk.guard.gateway.pipeline import Pipeline
from hauberk.guard.gateway.responses import Headers, Receive, Scope, Send, headers_in, retry_headers, send_body
from hauberk.guard.gateway.routes import MODELS, PLAIN, ROUTES, dialects
from hauberk.guard.gateway.source import credential_of, source_of, within
from hauberk.guard.settings import GuardSettings

LOST = "hauberk.lost"
"""ASGI extension of our own server: takes a function to call when the client goes away, None to forget it."""

WRITE = "hauberk.write"
"""ASGI extension of our own server: a `call.Write` for streams that are sent in chunks."""

Watch = Callable[[Callable[[], None] | None], None]

PLAIN_TEXT = b"text/plain; charset=utf-8"
LOOK = 0.2  # seconds between looks whether replaced parts are still in use
LAST_ENTRIES = 5.0  # seconds that the end of the process waits for entries under way


class Parts(msgspec.Struct):
    """What the gateway stands between. `metrics` gives a body and its content type for `/metrics`.

    `start` and `stop` are awaited in the server's loop: before the first request, and after the last one is recorded.
    """

    gate: Gate
    inspector: Inspector
    recorder: Recorder
    metrics: Callable[[], tuple[bytes, str]] | None = None
    ready: Callable[[], bool] | None = None
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


class Gateway:
    """Routes requests to the pipeline. One object a process; `reload` swaps what later requests go by."""

    def __init__(self, settings: GuardSettings, parts: Parts, known: Mapping[str, Dialect] | None = None) -> None:
        self.parts = parts
        self.generation = Generation(settings)
        self.draining = False
        self.calls = 0  # under way
        self._pipeline = Pipeline(parts.inspector)
        self._dialects = dialects() if known is None else known
        self._closing: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()
        self._started = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """ASGI 3."""
        return self._lifespan(receive, send) if scope["type"] == "lifespan" else self._http(scope, receive, send)

    def reload(self, settings: GuardSettings, parts: Parts | None = None) -> None:
        """Serves later requests by `settings`. Raises OSError when a CA file cannot be read; then nothing has changed."""
        try:
            following = Generation(settings)
        except OSError:
            if parts is not None and parts is not self.parts:
                self._later(_ended(parts))
            raise
        former, self.generation = self.generation, following
        replaced = None
        if parts is not None and parts is not self.parts:
            replaced, self.parts = self.parts, parts
            self._pipeline = Pipeline(parts.inspector)
        if self._started:
            following.start()
            self._later(self._retire(former, replaced, self.parts))

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _retire(self, former: Generation, replaced: Parts | None, parts: Parts) -> None:
        """Starts the parts that came with a reload, and ends the former ones when the last request that uses them has ended."""
        if replaced is not None and parts.start is not None:
            await parts.start()
        await former.close()
        if replaced is not None:
            while former.calls and not self._ending.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), LOOK)
            await _ended(replaced)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._started = True
                self.generation.start()
                if self.parts.start is not None:
                    await self.parts.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._last_entries()
                self._ending.set()
                await asyncio.gather(*self._closing, return_exceptions=True)
                await self.generation.close()
                await _ended(self.parts)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _last_entries(self) -> None:
        for _ in range(int(LAST_ENTRIES / 0.05)):
            if not self.calls:
                return
            await asyncio.sleep(0.05)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        route = ROUTES.get(path)
        if route is None:
            await self._other(scope, path, send)
            return
        if scope["method"] != "POST":
            await self._say(send, Refusal(405, "method_not_allowed", f"{path} takes POST."), [(b"allow", b"POST")])
            return
        headers = headers_in(scope)
        generation = self.generation
        caller = _caller(scope, headers, generation)
        call = Call(caller, route, self._dialects[route.dialect], generation, self.parts.gate, self.parts.recorder)
        extensions = scope.get("extensions", {})
        watch = cast("Watch | None", extensions.get(LOST))
        call.write = cast("Write | None", extensions.get(WRITE))
        self.calls += 1
        generation.calls += 1
        if watch is not None:
            watch(_canceller(call))  # a client that goes away ends the upstream's work too
        try:
            await self._pipeline.run(call, headers, receive, send)
        finally:
            self.calls -= 1
            generation.calls -= 1
            if watch is not None:
                watch(None)

    async def _other(self, scope: Scope, path: str, send: Send) -> None:
        if path != MODELS and not path.startswith(f"{MODELS}/") and path not in {"/healthz", "/readyz", "/metrics"}:
            words = f"{path[:200]!r} is no endpoint of this gateway."
            await self._say(send, Refusal(404, "unknown_url", words))
        elif scope["method"] not in {"GET", "HEAD"}:
            await self._say(send, Refusal(405, "method_not_allowed", "This endpoint takes GET."), [(b"allow", b"GET, HEAD")])
        elif path.startswith(MODELS):
            await self._models(scope, path, send)
        elif path == "/healthz":
            await send_body(send, 200, b"ok\n", (), PLAIN_TEXT)
        elif path == "/readyz":
            ready = self.generation.ready and not self.draining and (self.parts.ready is None or self.parts.ready())
            await send_body(send, 200 if ready else 503, b"ready\n" if ready else b"not ready\n", (), PLAIN_TEXT)
        else:
            await self._metrics(scope, send)

    async def _metrics(self, scope: Scope, send: Send) -> None:
        peer = (scope.get("client") or ("", 0))[0]
        if self.parts.metrics is None or not within(peer, self.generation.admins):
            await self._say(send, Refusal(404, "unknown_url", "'/metrics' is no endpoint of this gateway."))
            return
        body, kind = self.parts.metrics()
        await send_body(send, 200, body, (), kind.encode("latin-1"))

    async def _models(self, scope: Scope, path: str, send: Send) -> None:
        gate = self.parts.gate
        grant = gate.identify(_caller(scope, headers_in(scope), self.generation))
        if isinstance(grant, Refusal):
            await self._say(send, grant)
            return
        names = [name for name in await self.generation.offer.names() if gate.allows_model(grant, name)]
        wanted = path[len(MODELS) + 1 :]
        if not wanted:
            await send_body(send, 200, models_body(names), ())
        elif wanted in names:
            await send_body(send, 200, model_body(wanted), ())
        else:
            words = f"The model {wanted[:100]!r} does not exist or is not served here."
            await self._say(send, Refusal(404, "model_not_found", words, param="model"))

    async def _say(self, send: Send, refusal: Refusal, extra: Headers | None = None) -> None:
        body = self._dialects[PLAIN].error(refusal)
        await send_body(send, refusal.status, body, retry_headers(refusal) + (extra or []))


def build_app(
    settings: GuardSettings,
    gate: Gate | None = None,
    inspector: Inspector | None = None,
    recorder: Recorder | None = None,
    *,
    known: Mapping[str, Dialect] | None = None,
) -> Gateway:
    """The gateway over the given parts; those not given let everything pass and keep nothing.

    Raises OSError when a CA file cannot be read. `known`: the dialects by name, for other than the shipped ones.
    """
    parts = Parts(gate or OpenGate(), inspector or OpenInspector(), recorder or SilentRecorder())
    return Gateway(settings, parts, known)


async def _ended(parts: Parts) -> None:
    if parts.stop is not None:
        await parts.stop()


def _canceller(call: Call) -> Callable[[], None]:
    task = asyncio.current_task()
    assert task is not None

    def lost() -> None:
        if call.open:
            call.lost = True
            task.cancel()

    return lost


def _caller(scope: Scope, headers: Mapping[bytes, bytes], generation: Generation) -> Caller:
    peer = (scope.get("client") or ("", 0))[0]
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1") if generation.proxies else ""
    return Caller(
        credential=credential_of(headers),
        address=source_of(peer, forwarded, generation.proxies),
        route=scope["path"],
        request_id=f"req_{secrets.token_hex(12)}",
        user_agent=headers.get(b"user-agent", b"")[:200].decode("latin-1"),
    )
