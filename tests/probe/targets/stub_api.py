"""A model API on loopback that answers as it is told, and one that answers with raw bytes."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from hauberk.assets.chat import Role
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Message, Reply, Request, TargetError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The address of a server that answers everything with `handler`."""
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(*pieces: bytes, pause: float = 0.0, forever: bytes = b"") -> AsyncIterator[str]:
    """The address of a server that sends `pieces` to whoever asks, then `forever` again and again, and hangs up."""
    busy: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        busy.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
            await reader.readexactly(length)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            while forever:
                writer.write(forever)
                await writer.drain()
                await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()
        busy.discard(task)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tuple(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
        await server.wait_closed()


def user(text: str = "Hello", **more: Any) -> Request:
    return Request((Message(Role.USER, text),), **more)


def events(*chunks: Any, done: bool = True) -> bytes:
    """Chunks as a stream of OpenAI's."""
    lines = [b"data: " + (chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()) + b"\n\n" for chunk in chunks]
    return b"".join(lines) + (b"data: [DONE]\n\n" if done else b"")


def told(status: int = 200, body: Any = None, kind: str = "application/json", **headers: str) -> Handler:
    """A handler that always answers so."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def handler(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=data, headers={"content-type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )

    return handler


def completion(text: str | None = "Hi", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **more}
    return {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


async def sent(spec: str, request: Request | None = None, **options: Any) -> Reply:
    """What the target says to one request."""
    target = open_target(spec, TargetOptions(**{"model": "m", "timeout": 5.0, **options}))
    try:
        session = await target.open()
        try:
            return await session.send(request or user())
        finally:
            await session.close()
    finally:
        await target.close()


def asked(handler: Handler, request: Request | None = None, prefix: str = "", path: str = "", **options: Any) -> Reply:
    """What comes of one request to a stub."""

    async def go() -> Reply:
        async with serving(handler) as url:
            return await sent(f"{prefix}{url}{path}", request, **options)

    return asyncio.run(go())


def failed(handler: Handler, **options: Any) -> TargetError:
    """The error that one request to a stub ends in."""
    with pytest.raises(TargetError) as caught:
        asked(handler, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    return caught.value
