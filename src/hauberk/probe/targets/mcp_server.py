"""An MCP server as a target and as a source of tools (extra `mcp`), over stdio and streamable HTTP.

https://modelcontextprotocol.io/specification. As a target, a request's last user message is `{"tool": NAME,
"arguments": {...}}` and the reply is the tool's result, so that attacks can hold their arguments against it.
"""

import asyncio
import contextlib
import os
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from hauberk.assets.chat import ToolCall, ToolSpec
from hauberk.probe.targets.address import checked, proxy_from_environment, shown
from hauberk.probe.targets.body import expanded_headers
from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.estimate import counted
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.process import TAIL, Command
from hauberk.probe.targets.shape import last_text
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, Step, TargetError

if TYPE_CHECKING:
    from mcp import Client

MOST_TOOLS = 1000
MOST_PAGES = 50
STARTING = 60.0  # seconds for a server to start and say its tools


class McpServer:
    """A Target. One connection serves all conversations: what a call changes at the server, all of them see."""

    def __init__(self, place: str, options: TargetOptions) -> None:
        """`place` is an address, or a command with `NAME=value` before it. Raises TargetError (SETUP)."""
        if find_spec("mcp") is None:
            raise TargetError(Fault.SETUP, "mcp: needs the extra `mcp`; install it with: pip install 'hauberk[mcp]'")
        self._options = options
        self._credentials = Credentials()
        self._http = place.startswith(("http://", "https://"))
        self._url = place if self._http else ""
        self._command = None if self._http else Command(place, self._credentials)
        self._where = shown(checked(place)) if self._http else one_line(place, 120)
        self._headers = self._made_headers() if self._http else {}
        self._link: _Link | None = None
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"mcp {self._where}"

    @property
    def abilities(self) -> Abilities:
        return Abilities(system=False, turns=False, words=False)

    async def tools(self) -> tuple[ToolSpec, ...]:
        """What the server offers. Raises TargetError."""
        return (await self._linked()).tools

    async def call(self, name: str, arguments: dict[str, Any]) -> str:
        """The result of a tool as text; of a call that fails, `error: ...`. Raises TargetError when the server gives no answer."""
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED

        link = await self._linked()
        try:
            async with asyncio.timeout(self._options.timeout):
                result = await link.client.call_tool(name, arguments)
        except TimeoutError:
            late = f"no result of {one_line(name, 60)} within {self._options.timeout:g} s"
            raise TargetError(Fault.TIMEOUT, f"{self.name}: {late}") from None
        except MCPError as error:
            if link.lost or error.code == CONNECTION_CLOSED:
                raise await self._gone(link) from None
            return f"error: {one_line(error.message, 1000)}"
        except Exception as error:  # noqa: BLE001 - what the library raises for a broken server has no common base
            raise await self._gone(link, error) from None
        return _text_of(result)[: self._options.max_bytes]

    async def open(self) -> "McpSession":
        await self._linked()
        return McpSession(self)

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _linked(self) -> "_Link":
        async with self._lock:
            if self._link is None:
                self._link = await _Link.made(self)
            return self._link

    async def _gone(self, link: "_Link", error: Exception | None = None) -> TargetError:
        if self._link is link:
            self._link = None
        await link.close()
        words = f": {one_line(str(error))}" if error is not None and str(error) else link.last_words
        return TargetError(Fault.CONNECT, self._credentials.hidden(f"{self.name}: the server gives no answer{words}"))

    @asynccontextmanager
    async def connected(self, errors: int) -> AsyncGenerator["Client"]:
        """A client, within one task. `errors` is the descriptor that takes a command's stderr."""
        from mcp import Client, StdioServerParameters, stdio_client
        from mcp.client.streamable_http import streamable_http_client

        async with contextlib.AsyncExitStack() as stack:
            if self._command is not None:
                program, *arguments = self._command.arguments
                given = StdioServerParameters(
                    command=program, args=arguments, env=self._command.environment, encoding_error_handler="replace"
                )
                transport = stdio_client(given, stack.enter_context(os.fdopen(os.dup(errors), "w")))
            else:
                transport = streamable_http_client(self._url, http_client=await stack.enter_async_context(self._http_client()))
            yield await stack.enter_async_context(Client(transport, read_timeout_seconds=self._options.timeout))

    def _http_client(self) -> Any:
        import httpx2

        options = self._options
        tls = ssl.create_default_context()
        if options.ca:
            try:
                tls.load_verify_locations(cafile=options.ca)
            except OSError as error:
                raise TargetError(Fault.SETUP, f"certificate authority {options.ca}: {error.strerror or 'no PEM file'}") from None
        named = options.proxy or proxy_from_environment(checked(self._url))
        proxy = self._credentials.expanded(named) if named not in {"", "none"} else None
        timeout = httpx2.Timeout(options.timeout, connect=options.connect_timeout)
        # Not by its own reading of the environment: it would go to loopback through a proxy, and take passwords from .netrc.
        return httpx2.AsyncClient(headers=self._headers, timeout=timeout, verify=tls, proxy=proxy, trust_env=False)

    def _made_headers(self) -> dict[str, str]:
        made = expanded_headers(self._options.headers, self._credentials)
        if self._options.api_key_env:
            made["authorization"] = f"Bearer {self._credentials.variable(self._options.api_key_env)}"
        return made

    @property
    def connecting(self) -> float:
        """Seconds that the server gets before its first answer."""
        return max(self._options.connect_timeout, STARTING)

    def unreachable(self, error: BaseException, words: str) -> TargetError:
        """The error of a server that cannot be talked to at all."""
        for _ in range(8):  # the library's task groups wrap what happened
            inner: Sequence[BaseException] = getattr(error, "exceptions", ())
            error = inner[0] if inner else error
        if isinstance(error, TargetError):
            return error
        reason = words or f": {type(error).__name__} {one_line(str(error))}".rstrip()
        return TargetError(Fault.SETUP, self._credentials.hidden(f"{self.name}: is no MCP server that can be reached{reason}"))


class McpSession:
    """One conversation with the server."""

    def __init__(self, server: McpServer) -> None:
        self._server = server

    async def send(self, request: Request) -> Reply:
        started = time.perf_counter()
        asked = last_text(request)
        try:
            call = msgspec.json.decode(asked, type=_Asked)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            words = 'the message is no call; write {"tool": NAME, "arguments": {...}}'
            raise TargetError(Fault.REJECTED, f"{self._server.name}: {words}") from None
        text = await self._server.call(call.tool, call.arguments)
        step = Step(ToolCall(call.tool, msgspec.json.encode(call.arguments).decode()), text)
        return counted(request, Reply(text, steps=(step,), finish="stop", seconds=time.perf_counter() - started))

    async def close(self) -> None:
        """The connection belongs to the server."""


class McpTools:
    """A ToolSource: a server's tools for a model that we call them for."""

    def __init__(self, server: McpServer) -> None:
        self._server = server

    @property
    def name(self) -> str:
        return self._server.name

    async def open(self) -> "McpRunner":
        return McpRunner(self._server, await self._server.tools())

    async def close(self) -> None:
        await self._server.close()


class McpRunner:
    """A ToolRunner."""

    def __init__(self, server: McpServer, tools: tuple[ToolSpec, ...]) -> None:
        self._server = server
        self._tools = tools

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        return self._tools

    async def run(self, call: ToolCall) -> str:
        if call.name not in {tool.name for tool in self._tools}:
            return f"error: there is no tool {one_line(call.name, 60)}"
        try:
            arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return "error: the arguments are no JSON object"
        return await self._server.call(call.name, arguments)

    async def close(self) -> None:
        """The connection belongs to the server."""


def tools_of(server: McpServer) -> McpTools:
    """The server's tools for `WithTools`."""
    return McpTools(server)


class _Asked(msgspec.Struct):
    tool: str
    arguments: dict[str, Any] = {}


class _Link:
    """One connection. The library wants it opened and closed by the same task, so a task of its own holds it."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self.tools: tuple[ToolSpec, ...] = ()
        self.client: Client
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._errors = _Tail()
        self._holder = asyncio.create_task(self._hold())

    @classmethod
    async def made(cls, server: McpServer) -> "_Link":
        link = cls(server)
        try:
            async with asyncio.timeout(server.connecting):
                await asyncio.shield(link._ready)
        except TimeoutError:
            await link.close()
            raise TargetError(Fault.SETUP, f"{server.name}: said nothing within {server.connecting:g} s{link.last_words}") from None
        except BaseException:
            await link.close()
            raise
        return link

    @property
    def lost(self) -> bool:
        """Whether the connection has ended by itself."""
        return self._holder.done()

    @property
    def last_words(self) -> str:
        text = self._errors.text()
        return f": {one_line(text[-200:])}" if text else ""

    async def close(self) -> None:
        self._over.set()
        _, late = await asyncio.wait({self._holder}, timeout=5.0)
        if late:
            self._holder.cancel()
            await asyncio.wait({self._holder}, timeout=5.0)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()
        self._errors.close()

    async def _hold(self) -> None:
        try:
            async with self._server.connected(self._errors.descriptor) as client:
                self.client = client
                self.tools = await _listed(client)
                if not self._ready.done():
                    self._ready.set_result(None)
                await self._over.wait()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - a broken server makes the library raise anything
            if not self._ready.done():
                await asyncio.sleep(0.05)  # its last words come through a thread
                self._ready.set_exception(self._server.unreachable(error, self.last_words))


class _Tail:
    """The end of what comes through a pipe, read by a thread, since the library hands stderr to the child as a file."""

    def __init__(self) -> None:
        self._out, self.descriptor = os.pipe()
        self._kept = b""
        threading.Thread(target=self._drain, daemon=True, name="mcp-stderr").start()
        self._open = True

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Our end; the thread ends when the child's end is closed, too."""
        if self._open:
            self._open = False
            os.close(self.descriptor)

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._out, TAIL):
                self._kept = (self._kept + data)[-TAIL:]
        os.close(self._out)


async def _listed(client: "Client") -> tuple[ToolSpec, ...]:
    found: list[ToolSpec] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found.extend(ToolSpec(tool.name, tool.description or "", dict(tool.input_schema)) for tool in page.tools)
        cursor = page.next_cursor
        if not cursor or len(found) >= MOST_TOOLS:
            break
    return tuple(found[:MOST_TOOLS])


def _text_of(result: Any) -> str:
    texts = [block.text if block.type == "text" else f"[{block.type}]" for block in result.content]
    if not texts and result.structured_content is not None:
        texts = [msgspec.json.encode(result.structured_content).decode()]
    text = "\n".join(texts)
    return f"error: {text}" if result.is_error else text
