"""Endpoints that die, hang, drip, flood or lie: each is one clear error, or an answer that says that it was cut."""

import asyncio
import zlib
from typing import Any

import pytest
from aiohttp import web
from stub_api import asked, completion, events, failed, raw, sent, serving, told, user

from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Reply, TargetError

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
PIECE = b'data: {"choices":[{"delta":{"content":"abcdefghij"}}]}\n\n'


def from_raw(*pieces: bytes, pause: float = 0.0, forever: bytes = b"", **options: Any) -> Reply:
    async def go() -> Reply:
        async with raw(*pieces, pause=pause, forever=forever) as url:
            return await sent(url, **options)

    return asyncio.run(go())


def fault(*pieces: bytes, words: str, **more: Any) -> Fault:
    with pytest.raises(TargetError, match=words) as caught:
        from_raw(*pieces, **more)
    assert "\n" not in str(caught.value)
    return caught.value.fault


def test_hung_up_before_the_answer() -> None:
    assert fault(words="closed before an answer") is Fault.CONNECT


def test_died_in_the_middle_of_a_whole_answer() -> None:
    assert fault(HEAD + b'content-length: 500\r\n\r\n{"choices":[', words="in the middle") is Fault.CONNECT


def test_died_in_the_middle_of_a_chunked_stream() -> None:
    head = STREAM.replace(b"\r\n\r\n", b"\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = f"{len(PIECE):x}".encode() + b"\r\n" + PIECE + b"\r\n"
    assert fault(head + chunk, words="in the middle", stream=True) is Fault.CONNECT


def test_died_in_the_middle_of_a_stream_without_length() -> None:
    assert fault(STREAM + PIECE, words="broke off", stream=True) is Fault.CONNECT


def test_hangs_before_the_answer() -> None:
    assert fault(b"", pause=30, timeout=0.2, words="no whole answer within 0.2 s") is Fault.TIMEOUT


def test_hangs_in_the_middle_of_the_answer() -> None:
    assert fault(HEAD + b"content-length: 99\r\n\r\n{", pause=30, timeout=0.2, words="within 0.2 s") is Fault.TIMEOUT


def test_drips_the_answer_byte_by_byte() -> None:
    assert (
        fault(HEAD + b"content-length: 999999\r\n\r\n", *[b"x"] * 500, pause=0.02, timeout=0.3, words="within 0.3 s")
        is Fault.TIMEOUT
    )


def test_hangs_in_the_middle_of_a_stream() -> None:
    assert fault(STREAM + PIECE, pause=30, timeout=0.2, stream=True, words="within 0.2 s") is Fault.TIMEOUT


def test_an_endless_stream_is_cut_by_time_and_kept() -> None:
    reply = from_raw(STREAM, *[PIECE] * 500, pause=0.02, stream=True, max_stream_seconds=0.3)
    assert reply.cut
    assert reply.text.startswith("abcdefghij")
    assert reply.usage.estimated


def test_an_endless_stream_is_cut_by_bytes_and_kept() -> None:
    reply = from_raw(STREAM, forever=PIECE * 100, stream=True, max_bytes=50_000)
    assert reply.cut
    assert 5_000 < len(reply.text) < 20_000


def test_a_stream_of_nothing_but_comments_is_cut_and_is_no_answer() -> None:
    assert (
        fault(STREAM, forever=b": keep alive\n\n" * 100, stream=True, max_bytes=50_000, words="without an answer") is Fault.CONNECT
    )


def test_an_endless_event_is_garbage() -> None:
    assert fault(STREAM + b"data: ", forever=b"x" * 100_000, stream=True, words="an event of the stream is over") is Fault.GARBAGE


def test_a_stream_of_garbage_is_garbage() -> None:
    assert fault(STREAM + b"data: \xff\xfe{]\n\n", stream=True, words="no completion") is Fault.GARBAGE


def test_an_endless_answer_is_garbage() -> None:
    assert fault(HEAD + b"\r\n", forever=b'{"choices":[' * 1000, max_bytes=100_000, words="over 100000 bytes") is Fault.GARBAGE


@pytest.mark.parametrize("forever", [b"x-more: 1\r\n" * 50, b"y" * 10_000])
def test_endless_headers_are_garbage(forever: bytes) -> None:
    assert fault(b"HTTP/1.1 200 OK\r\n", forever=forever, words="no proper HTTP") is Fault.GARBAGE


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"\x16\x03\x01\x00\x05hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_another_protocol_is_garbage(reply: bytes) -> None:
    assert fault(reply, words="no proper HTTP") is Fault.GARBAGE


def test_a_gzip_bomb_is_refused_at_the_bound() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"[" * (1 << 20)) for _ in range(16)) + packer.flush()
    assert len(bomb) < 100_000
    error = failed(told(body=bomb, content_encoding="gzip"), max_bytes=1 << 20)
    assert error.fault is Fault.GARBAGE
    assert "over 1048576 bytes" in str(error)


def test_gzip_that_we_did_not_ask_for_is_read() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = packer.compress(b'{"choices":[{"message":{"content":"packed"}}]}') + packer.flush()
    assert asked(told(body=body, content_encoding="gzip")).text == "packed"


@pytest.mark.parametrize(("encoding", "words"), [("gzip", "is compressed, and is not"), ("br", "packed as 'br'")])
def test_bad_packing_is_garbage(encoding: str, words: str) -> None:
    error = failed(told(body=b"{}", content_encoding=encoding))
    assert error.fault is Fault.GARBAGE
    assert words in str(error)


def test_redirects_are_not_followed_with_the_credentials() -> None:
    paths: list[str] = []

    async def handler(asking: web.Request) -> web.Response:
        paths.append(asking.path)
        return web.Response(status=307, headers={"location": "http://127.0.0.1:9/steal?key=1"})

    error = failed(handler)
    assert error.fault is Fault.SETUP
    assert "redirects are not followed" in str(error)
    assert paths == ["/v1/chat/completions"]


def test_cookies_of_one_case_do_not_reach_another() -> None:
    seen: list[str | None] = []

    async def handler(asking: web.Request) -> web.Response:
        seen.append(asking.headers.get("cookie"))
        return web.json_response(completion(), headers={"set-cookie": "session=1; Path=/"})

    async def go() -> None:
        async with serving(handler) as url:
            target = open_target(url, TargetOptions(model="m"))
            for _ in range(2):
                await (await target.open()).send(user())
            await target.close()

    asyncio.run(go())
    assert seen == [None, None]


def test_connections_are_used_again_also_after_streams() -> None:
    ports: set[Any] = set()

    async def handler(asking: web.Request) -> web.StreamResponse:
        assert asking.transport is not None
        ports.add(asking.transport.get_extra_info("peername"))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(asking)
        await response.write(events({"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}))
        await asyncio.sleep(0.01)  # the end of the body comes after the end that the stream says
        return response

    async def go() -> None:
        async with serving(handler) as url:
            target = open_target(url, TargetOptions(model="m", stream=True))
            session = await target.open()
            for _ in range(5):
                assert (await session.send(user())).text == "x"
            await target.close()

    asyncio.run(go())
    assert len(ports) == 1


def test_a_stream_that_said_its_end_and_stays_open_does_not_keep_us() -> None:
    reply = from_raw(STREAM + PIECE + b"data: [DONE]\n\n", b": \n\n", pause=30, stream=True, timeout=20)
    assert (reply.text, reply.cut) == ("abcdefghij", False)
    assert reply.seconds < 10


def test_concurrency_is_bounded_by_the_pool() -> None:
    now, most = 0, 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return web.json_response(completion())

    async def go() -> None:
        async with serving(handler) as url:
            target = open_target(url, TargetOptions(model="m", concurrency=3))
            session = await target.open()
            await asyncio.gather(*(session.send(user()) for _ in range(12)))
            await target.close()

    asyncio.run(go())
    assert most == 3


def test_a_cancelled_request_leaves_the_target_usable() -> None:
    async def handler(asking: web.Request) -> web.Response:
        if b"slow" in await asking.read():
            await asyncio.sleep(30)
        return web.json_response(completion("quick"))

    async def go() -> None:
        async with serving(handler) as url:
            target = open_target(url, TargetOptions(model="m", concurrency=1))
            session = await target.open()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await session.send(user("slow"))
            assert (await session.send(user("now"))).text == "quick"
            await target.close()
            await target.close()

    asyncio.run(go())


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "max_bytes", "max_stream_seconds", "concurrency"])
def test_bounds_that_bound_nothing_are_named(name: str) -> None:
    with pytest.raises(TargetError, match=f"option {name}: must be more than 0"):
        TargetOptions(**{name: 0})
