"""A local GGUF model as a target (extra `gguf`): llama.cpp's own server in a child process, on loopback."""

import asyncio
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec

from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.model_api import ModelApi
from hauberk.probe.targets.openai_chat import OpenAIChat
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.process import Child, Command
from hauberk.probe.targets.target import Abilities, Fault, Session, TargetError

LOADING = 180.0  # seconds for loading a model
THREADS = 1  # more spin against each other where processors are shared
SERVER = "hauberk.probe.targets.gguf_server"


class GgufTarget:
    """A Target: one model, loaded at the first conversation."""

    def __init__(self, path: str, options: TargetOptions) -> None:
        """Raises TargetError (SETUP)."""
        self._path = Path(path)
        self._options = options
        _checked(self._path)
        if find_spec("xllamacpp") is None:
            raise TargetError(Fault.SETUP, "gguf: needs the extra `gguf`; install it with: pip install 'hauberk[gguf]'")
        self._child: Child | None = None
        self._api: ModelApi | None = None
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"gguf {self._path.name}"

    @property
    def abilities(self) -> Abilities:
        return OpenAIChat().abilities(tools=self._options.tools, images=False, prefill=self._options.prefill)

    async def open(self) -> Session:
        async with self._lock:
            if self._api is None:
                address = await self._started()
                plain = msgspec.structs.replace(self._options, model=self._path.stem, headers={}, proxy="none", api_key_env="")
                self._api = ModelApi(address, plain, OpenAIChat())
        return await self._api.open()

    async def close(self) -> None:
        if self._api is not None:
            await self._api.close()
            self._api = None
        if self._child is not None:
            await self._child.kill()
            self._child = None

    async def _started(self) -> str:
        slots = min(self._options.concurrency, 4)
        line = shlex.join([sys.executable, "-m", SERVER, str(self._path.resolve()), str(slots), str(THREADS)])
        child = self._child = await Child.start(Command(line), 1 << 16)
        stdout = child.process.stdout
        assert stdout is not None
        try:
            async with asyncio.timeout(LOADING):
                address = ""
                while not address.startswith("http://"):
                    data = await stdout.readline()
                    if not data:
                        status = await child.ended()
                        raise TargetError(Fault.SETUP, f"{self.name}: cannot be loaded (status {status}){child.last_words}")
                    address = data.decode("utf-8", "replace").strip()
        except (TimeoutError, ValueError):
            raise TargetError(Fault.SETUP, f"{self.name}: was not loaded within {LOADING:g} s{child.last_words}") from None
        return address


def _checked(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise TargetError(Fault.SETUP, f"gguf {one_line(str(path))}: {error.strerror or error}") from None
    if magic != b"GGUF":
        raise TargetError(Fault.SETUP, f"gguf {path.name}: is no GGUF file")
