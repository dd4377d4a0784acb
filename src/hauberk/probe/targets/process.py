"""Child processes of targets: their own process group, which is killed as a whole, and the end of what they write to stderr."""

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import signal

from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.target import Fault, TargetError

TAIL = 4096  # bytes kept of stderr
CHUNK = 64 << 10
GRACE = 2.0  # seconds for pipes to end once the process has
_SETTING = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


class Command:
    """A command line, taken apart as a shell would, without running one. `NAME=value` in front sets the environment."""

    def __init__(self, line: str, credentials: Credentials | None = None) -> None:
        """Raises TargetError (SETUP) when there is no such program."""
        self.shown = one_line(line, 120)
        keep = credentials or Credentials()
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise TargetError(Fault.SETUP, f"command {self.shown!r}: {error}") from None
        self.environment: dict[str, str] = {}
        while words and (found := _SETTING.fullmatch(words[0])):
            self.environment[found[1]] = keep.expanded(found[2])
            words.pop(0)
        if not words:
            raise TargetError(Fault.SETUP, "command: name a program, for example `command:python3 bot.py`")
        program = shutil.which(words[0])
        if program is None:
            raise TargetError(Fault.SETUP, f"command {self.shown!r}: there is no program {words[0]!r}")
        self.arguments = [program, *(keep.expanded(word) for word in words[1:])]


class Child:
    """A process that runs, with what it wrote to stderr last."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._tail = b""
        self._drain = asyncio.create_task(self._drained())

    @classmethod
    async def start(cls, command: Command, limit: int) -> "Child":
        """Starts `command`; a line that it writes may have `limit` bytes. Raises TargetError (SETUP)."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=limit,
                start_new_session=True,
                env={**os.environ, **command.environment},
            )
        except (OSError, ValueError) as error:
            raise TargetError(Fault.SETUP, f"command {command.shown!r} cannot be started: {one_line(str(error))}") from None
        return cls(process)

    @property
    def last_words(self) -> str:
        """The end of stderr on one line, for an error."""
        text = self._tail.decode("utf-8", "replace").strip()
        return f": {one_line(text[-200:])}" if text else ""

    async def write(self, data: bytes) -> None:
        """Writes to its stdin. A process that does not read it, or has gone, is seen by its answer, not here."""
        stdin = self.process.stdin
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                stdin.write(data)
                await stdin.drain()

    async def read(self, most: int) -> tuple[bytes, bool]:
        """All of stdout, at most `most` bytes, and whether there was more.

        What holds the pipe once the process itself has ended is killed.
        """
        watching = asyncio.create_task(self._watched())
        try:
            return await self._read(most)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _read(self, most: int) -> tuple[bytes, bool]:
        stdout = self.process.stdout
        assert stdout is not None
        pieces: list[bytes] = []
        room = most
        while data := await stdout.read(CHUNK):
            pieces.append(data[:room])
            room -= len(data)
            if room < 0:
                return b"".join(pieces), True
        return b"".join(pieces), False

    async def ended(self) -> int:
        """The exit status, once it has ended and its last words are in."""
        status = await self.process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._drain), GRACE)
        return status

    async def kill(self) -> None:
        """Ends the whole process group; never raises."""
        self._kill_group()
        stdin = self.process.stdin
        if stdin is not None:
            stdin.close()
        # Who has left the group may hold the pipes for ever: we do not wait for them.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), GRACE)
        self._drain.cancel()
        await asyncio.gather(self._drain, return_exceptions=True)
        transport = getattr(self.process, "_transport", None)  # asyncio offers no other way to let go of held pipes
        if transport is not None:
            transport.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def _watched(self) -> None:
        while self.process.returncode is None:  # noqa: ASYNC110 - `wait` of some Pythons waits for the pipes, too
            await asyncio.sleep(0.2)
        await asyncio.sleep(GRACE)
        self._kill_group()

    async def _drained(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        while data := await stderr.read(CHUNK):
            self._tail = (self._tail + data)[-TAIL:]
