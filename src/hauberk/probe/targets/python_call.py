"""A Python function as a target: `python:module:function` or `python:path/to/file.py:function`."""

import asyncio
import importlib
import importlib.util
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from hauberk.probe.targets.dialect import BadAnswer, Told
from hauberk.probe.targets.estimate import counted
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.shape import last_text, plain_messages, reply_from, with_system
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, TargetError

MESSAGES = frozenset(("messages", "conversation", "history", "turns"))


class PythonCall:
    """A Target: a function, plain or async, that takes the prompt, the messages or the whole Request, by its parameter's name.

    Plain functions run in threads of their own. One that does not come back in time keeps its thread, which nothing can end,
    and its place among `concurrency`.
    """

    def __init__(self, place: str, options: TargetOptions) -> None:
        """Raises TargetError (SETUP)."""
        module, _, function = place.rpartition(":")
        if not module or not function:
            raise TargetError(Fault.SETUP, f"target python:{place}: write python:module:function or python:file.py:function")
        self._name = f"python:{place}"
        self._function = _loaded(module, function, self._name)
        self._takes = _parameter(self._function, self._name)
        self._options = options
        self._places = asyncio.Semaphore(options.concurrency)

    @property
    def name(self) -> str:
        return self._name

    @property
    def abilities(self) -> Abilities:
        whole, options = self._takes != "prompt", self._options
        tools = self._takes == "request" and options.tools
        return Abilities(system=whole, turns=whole, tools=tools, images=whole and options.images, prefill=whole and options.prefill)

    async def open(self) -> "PythonSession":
        return PythonSession(self)

    async def close(self) -> None:
        """Nothing is held."""

    async def ask(self, request: Request) -> Reply:
        """The reply to `request`. Raises TargetError."""
        started = time.perf_counter()
        request = with_system(request, self._options.system)
        given: object = last_text(request)
        if self._takes != "prompt":
            given = request if self._takes == "request" else plain_messages(request.messages)
        try:
            async with asyncio.timeout(self._options.timeout):
                value = await self._called(given)
            reply = reply_from(value, self._options.max_bytes)
        except TargetError:
            raise
        except TimeoutError:
            raise TargetError(Fault.TIMEOUT, f"{self._name}: no answer within {self._options.timeout:g} s") from None
        except BadAnswer as error:
            raise TargetError(Fault.GARBAGE, f"{self._name}: {one_line(str(error))}") from None
        except Told as told:
            if told.error.blocked:
                return msgspec.structs.replace(told.reply, blocked=told.error.blocked)
            raise TargetError(Fault.SERVER, f"{self._name}: {told.error.message}") from None
        except Exception as error:  # noqa: BLE001 - foreign code, which may raise anything
            raise TargetError(Fault.SERVER, f"{self._name} raised {type(error).__name__}: {one_line(str(error))}") from None
        return counted(request, msgspec.structs.replace(reply, seconds=time.perf_counter() - started))

    async def _called(self, given: object) -> object:
        if inspect.iscoroutinefunction(self._function):
            async with self._places:
                return await self._function(given)
        await self._places.acquire()
        return await self._in_thread(given)

    def _in_thread(self, given: object) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[object] = loop.create_future()

        def settle(value: object, error: Exception | None) -> None:
            self._places.release()
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(value)

        def work() -> None:
            value, error = None, None
            try:
                value = self._function(given)
            except Exception as raised:  # noqa: BLE001 - foreign code
                error = raised
            except BaseException as raised:  # noqa: BLE001 - `sys.exit` in foreign code ends its thread, not us
                error = RuntimeError(f"{type(raised).__name__} {raised}")
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, value, error)

        # A daemon: one that hangs must not keep the interpreter from ending, as an executor's thread would.
        threading.Thread(target=work, daemon=True, name=self._name).start()
        return answer


class PythonSession:
    """A conversation with a function: there is nothing to end."""

    def __init__(self, target: PythonCall) -> None:
        self._target = target

    async def send(self, request: Request) -> Reply:
        return await self._target.ask(request)

    async def close(self) -> None:
        """Nothing is held."""


def _loaded(module: str, function: str, name: str) -> Callable[[object], Any]:
    try:
        found: Any = _from_file(Path(module)) if module.endswith(".py") else _from_path(module)
        for part in function.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise TargetError(Fault.SETUP, f"target {name}: {module} has no {function}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code at import
        raise TargetError(Fault.SETUP, f"target {name}: {type(error).__name__}: {one_line(str(error))}") from None
    if not callable(found):
        raise TargetError(Fault.SETUP, f"target {name}: {function} is no function")
    if inspect.isclass(found):
        raise TargetError(Fault.SETUP, f"target {name}: {function} is a class; name a function")
    return cast("Callable[[object], Any]", found)


def _from_path(module: str) -> object:
    _reachable(os.getcwd())
    return importlib.import_module(module)


def _from_file(path: Path) -> object:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    _reachable(str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(f"probed_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _reachable(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)  # so that it finds the modules beside it


def _parameter(function: Callable[[object], Any], name: str) -> str:
    """What the function takes: `prompt`, `messages` or `request`."""
    packed = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    try:
        parameters = [each for each in inspect.signature(function).parameters.values() if each.kind not in packed]
    except (TypeError, ValueError):
        return "prompt"
    needed = [each for each in parameters if each.default is inspect.Parameter.empty]
    if not parameters or len(needed) > 1:
        raise TargetError(Fault.SETUP, f"target {name}: the function must take one argument, the prompt or the messages")
    first = (needed or parameters)[0]
    if first.name == "request" or first.annotation is Request:
        return "request"
    return "messages" if first.name in MESSAGES else "prompt"
