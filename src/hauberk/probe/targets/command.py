"""Commands as targets, without a shell.

`command:PROGRAM ARGUMENTS` runs once a turn: the prompt on stdin, the answer on stdout. `command-json:` does so with a JSON
object on stdin (`prompt`, `messages`, `session`). `command-lines:` runs once a conversation and has one such object, and one
answer, a line.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from hauberk.probe.targets.body import encoded
from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.dialect import BadAnswer, Told
from hauberk.probe.targets.estimate import counted
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.process import Child, Command
from hauberk.probe.targets.shape import last_text, plain_messages, reply_from, with_system
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, Session, TargetError


class CommandTarget:
    """A Target: a program. `kind` is `text`, `json` or `lines`."""

    def __init__(self, line: str, options: TargetOptions, kind: str = "text") -> None:
        """Raises TargetError (SETUP)."""
        self.credentials = Credentials()
        self.command = Command(line, self.credentials)
        self.options = options
        self.kind = kind
        self.places = asyncio.Semaphore(options.concurrency)

    @property
    def name(self) -> str:
        return f"command {self.command.shown}"

    @property
    def abilities(self) -> Abilities:
        whole = self.kind != "text"
        return Abilities(system=whole, turns=whole, prefill=self.kind == "json" and self.options.prefill)

    async def open(self) -> Session:
        if self.kind != "lines":
            return TurnSession(self)
        await self.places.acquire()
        try:
            return LineSession(self, await Child.start(self.command, self.options.max_bytes))
        except BaseException:
            self.places.release()
            raise

    async def close(self) -> None:
        """Nothing is held: processes belong to their sessions."""

    def reply(self, request: Request, output: bytes, started: float, *, cut: bool) -> Reply:
        """What `output` says. Raises TargetError."""
        text = output.decode("utf-8", "replace")
        try:
            value = msgspec.json.decode(output) if self.kind != "text" and not cut else text
        except (msgspec.DecodeError, RecursionError):
            value = text  # words that are no JSON are an answer, too
        try:
            reply = reply_from(value, self.options.max_bytes)
        except Told as told:
            if not told.error.blocked:
                raise TargetError(Fault.SERVER, f"{self.name}: {told.error.message}") from None
            reply = msgspec.structs.replace(told.reply, blocked=told.error.blocked)
        except BadAnswer as error:
            raise TargetError(Fault.GARBAGE, f"{self.name}: {one_line(str(error))}") from None
        made = msgspec.structs.replace(
            reply, text=reply.text.rstrip("\r\n"), cut=reply.cut or cut, seconds=time.perf_counter() - started
        )
        return counted(request, made)

    def late(self) -> TargetError:
        """The error of an answer that did not come in time."""
        return TargetError(Fault.TIMEOUT, f"{self.name}: no answer within {self.options.timeout:g} s; it was killed")

    def gone(self, status: int, child: Child) -> TargetError:
        """The error of a process that ended without an answer."""
        fault = Fault.SETUP if status in {126, 127} else Fault.SERVER
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        return TargetError(fault, self.credentials.hidden(f"{self.name} {how}{child.last_words}"))


class TurnSession:
    """One conversation with a program that runs anew each turn."""

    def __init__(self, target: CommandTarget) -> None:
        self._target = target
        self._id = str(uuid.uuid4())

    async def send(self, request: Request) -> Reply:
        target, options = self._target, self._target.options
        request = with_system(request, options.system)
        started = time.perf_counter()
        async with target.places, _running(target) as child:
            try:
                async with asyncio.timeout(options.timeout):
                    output, cut = await self._run(child, _given(request, self._id, target.kind))
                    status = 0 if cut else await child.ended()
            except TimeoutError:
                raise target.late() from None
            if status:
                raise target.gone(status, child)
            return target.reply(request, output, started, cut=cut)

    async def close(self) -> None:
        """Nothing is held."""

    async def _run(self, child: Child, given: bytes) -> tuple[bytes, bool]:
        async def write() -> None:
            await child.write(given)
            if child.process.stdin is not None:
                child.process.stdin.close()

        writing = asyncio.create_task(write())  # beside the reading: it may answer before it has read all
        try:
            return await child.read(self._target.options.max_bytes)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)


class LineSession:
    """One conversation with a program that runs as long as it lasts."""

    def __init__(self, target: CommandTarget, child: Child) -> None:
        self._target = target
        self._child = child
        self._id = str(uuid.uuid4())
        self._open = True

    async def send(self, request: Request) -> Reply:
        target = self._target
        if self._child.process.returncode is not None:  # every request brings the whole conversation: a new process can go on
            await self._child.kill()
            self._child = await Child.start(target.command, target.options.max_bytes)
        child = self._child
        request = with_system(request, target.options.system)
        started = time.perf_counter()
        stdout = child.process.stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(target.options.timeout):
                await child.write(_given(request, self._id, target.kind) + b"\n")
                line = await stdout.readline()
                if not line:
                    raise target.gone(await child.ended(), child)
        except TimeoutError:
            await child.kill()
            raise target.late() from None
        except ValueError:
            await child.kill()
            raise TargetError(
                Fault.GARBAGE, f"{target.name}: a line is over {target.options.max_bytes} bytes; it was killed"
            ) from None
        return target.reply(request, line, started, cut=False)

    async def close(self) -> None:
        if self._open:
            self._open = False
            await self._child.kill()
            self._target.places.release()


@contextlib.asynccontextmanager
async def _running(target: CommandTarget) -> AsyncGenerator[Child]:
    child = await Child.start(target.command, target.options.max_bytes)
    try:
        yield child
    finally:
        await child.kill()


def _given(request: Request, session: str, kind: str) -> bytes:
    prompt = last_text(request)
    if kind == "text":
        return prompt.encode("utf-8", "backslashreplace")
    given: dict[str, Any] = {"session": session, "prompt": prompt, "messages": plain_messages(request.messages)}
    return encoded({**given, "max_tokens": request.max_tokens, "temperature": request.temperature})
