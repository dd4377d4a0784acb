"""MCP servers as targets and as sources of tools, over stdio and HTTP: a real server of the `mcp` package."""

import asyncio
import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from stub_api import completion, serving, user

from hauberk.assets.chat import Role, ToolCall
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.mcp_server import McpServer, tools_of
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError
from hauberk.probe.targets.with_tools import WithTools

pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

SHOP = shlex.join([sys.executable, str(Path(__file__).with_name("mcp_shop.py"))])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*shlex.split(SHOP), str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


def called(place: str, *calls: Any, **options: Any) -> list[Reply]:
    async def go() -> list[Reply]:
        target = open_target(f"mcp:{place}", TargetOptions(**{"timeout": 30.0, **options}))
        try:
            session = await target.open()
            return [await session.send(user(call if isinstance(call, str) else json.dumps(call))) for call in calls]
        finally:
            await target.close()

    return asyncio.run(go())


def test_a_command_as_a_server_that_dies_and_is_started_again() -> None:
    async def go() -> None:
        target = open_target(f"mcp:SHOP_MODE=fast {SHOP}", TargetOptions(timeout=60.0))
        session = await target.open()

        async def said(tool: str, **arguments: Any) -> Reply:
            return await session.send(user(json.dumps({"tool": tool, "arguments": arguments})))

        price = await said("price", item="ham'; --")
        assert price.text == "ham'; -- costs 7"
        assert price.steps[0].call == ToolCall("price", '{"item":"ham\'; --"}')
        assert (await said("fail", why="no\nway")).text.startswith("error: ")
        assert (await said("nothing")).text.startswith("error: ")
        assert (await said("setting")).text == "fast unseen"
        with pytest.raises(TargetError, match=r"gives no answer.*the shop is closed") as caught:
            await said("die")
        assert caught.value.fault is Fault.CONNECT
        assert (await said("add", a=1, b=2)).text == "3"
        await target.close()

    asyncio.run(go())


def test_loopback_is_not_reached_through_the_proxy_of_the_environment(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert called(address, {"tool": "nothing"})


def test_tools_are_called_over_http(address: str) -> None:
    assert called(address, {"tool": "price", "arguments": {"item": "ham"}})[0].text == "ham costs 7"


def test_tools_are_listed(address: str) -> None:
    async def go() -> None:
        server = McpServer(address, TargetOptions())
        tools = {tool.name: tool for tool in await server.tools()}
        await server.close()
        await server.close()
        assert tools["price"].description == "Says what an item costs."
        assert "item" in str(tools["price"].parameters["properties"])

    asyncio.run(go())


@pytest.mark.parametrize("text", ["Hello", "[]", '{"name": "x"}', '{"tool": "x", "arguments": 7}', "[" * 50_000, "\ud800"])
def test_a_message_that_is_no_call_is_rejected(address: str, text: str) -> None:
    with pytest.raises(TargetError, match="the message is no call") as caught:
        called(address, text)
    assert caught.value.fault is Fault.REJECTED


def test_a_tool_that_hangs_is_a_timeout(address: str) -> None:
    with pytest.raises(TargetError) as caught:
        called(address, {"tool": "hang"}, timeout=1.0)
    assert caught.value.fault is Fault.TIMEOUT


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("http://127.0.0.1:9/mcp", "is no MCP server that can be reached"),
        (f"{sys.executable} -c \"import sys; sys.exit('no config')\"", "no config"),
        ("no-such-program-x", "there is no program"),
        ("http://u:p@h/", "credentials go into an environment variable"),
    ],
)
def test_what_is_no_server_is_one_line(place: str, words: str) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        called(place, "x")
    assert caught.value.fault is Fault.SETUP
    assert "\n" not in str(caught.value)


def test_a_models_calls_are_carried_out_at_the_server_and_recorded(address: str) -> None:
    got: list[Any] = []

    async def model(asking: web.Request) -> web.Response:
        body = await asking.json()
        got.append(body)
        if len(got) == 1:
            call = {"id": "c1", "function": {"name": "price", "arguments": '{"item": "ham"}'}}
            return web.json_response(completion(None, tool_calls=[call]))
        return web.json_response(completion("It costs 7."))

    async def go() -> Reply:
        async with serving(model) as url:
            chat = open_target(url, TargetOptions(model="m"))
            agent = WithTools(chat, tools_of(McpServer(address, TargetOptions())))
            session = await agent.open()
            reply = await session.send(Request((Message(Role.USER, "What is ham?"),)))
            await session.close()
            await agent.close()
            return reply

    reply = asyncio.run(go())
    assert {tool["function"]["name"] for tool in got[0]["tools"]} >= {"price", "add"}
    assert got[1]["messages"][-1] == {"role": "tool", "content": "ham costs 7", "tool_call_id": "c1"}
    assert reply.text == "It costs 7."
    assert [(step.call.name, step.result) for step in reply.steps] == [("price", "ham costs 7")]
