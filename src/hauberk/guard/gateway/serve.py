"""Runs the gateway until it is told to stop: one process, or several that share the port."""

import contextlib
import functools
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import msgspec

from hauberk.guard.gateway.app import Gateway, Parts
from hauberk.guard.gateway.open_hooks import OpenGate, OpenInspector, SilentRecorder
from hauberk.guard.gateway.server import GatewayServer, listening_socket
from hauberk.guard.settings import GuardSettings

log = logging.getLogger("hauberk.guard")

Maker = Callable[[GuardSettings, Parts | None], Parts]
"""Makes the parts of a process; on a reload it is given the former ones, whose state it may carry on."""

PAUSE = 1.0  # seconds before a worker that died is replaced


def open_parts(settings: GuardSettings, former: Parts | None = None) -> Parts:
    """Parts that let everything pass and keep nothing."""
    del settings, former
    return Parts(OpenGate(), OpenInspector(), SilentRecorder())


def serve(
    settings: GuardSettings,
    make: Maker = open_parts,
    reload: Callable[[], GuardSettings] | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Blocks. Raises OSError when the address cannot be had.

    Args:
        settings: What to serve, where and how.
        make: Called once in each worker process, and again after each reload.
        reload: Reads the settings anew on SIGHUP; what it raises is logged in one line and changes nothing.
        ready: Told the address once connections are taken; with several workers, once the port is theirs.
    """
    sock = listening_socket(settings, shared=settings.workers > 1)
    host, port = sock.getsockname()[:2]
    address = f"{'https' if settings.tls_certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    tell = functools.partial(ready, address) if ready is not None else _silent
    if settings.workers == 1:
        _work(settings, make, reload, sock, tell)
    else:
        tell()
        _Supervisor(settings, make, reload, sock).run()


def _silent() -> None:
    """Tells nobody."""


def _work(
    settings: GuardSettings,
    make: Maker,
    reload: Callable[[], GuardSettings] | None,
    sock: socket.socket,
    tell: Callable[[], None] = _silent,
) -> None:
    gateway = Gateway(settings, make(settings, None))
    server = GatewayServer(gateway, [sock])
    server.on_listening = tell
    if reload is not None:
        server.on_reload = lambda: _reload(server, make, reload)
    gc.collect()
    gc.freeze()  # what was loaded stays; collections look at requests only
    gc.set_threshold(20_000, 20, 50)
    # After its drain uvicorn raises the signal that stopped it once more, for supervisors; ours needs no telling.
    with contextlib.suppress(KeyboardInterrupt):
        former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            server.run()
        finally:
            signal.signal(signal.SIGTERM, former)


def _reload(server: GatewayServer, make: Maker, reload: Callable[[], GuardSettings]) -> None:
    """Takes the new settings, or keeps the old ones and says in one line why."""
    try:
        settings = reload()
        server.renew(settings, make(settings, server.gateway.parts))
    except (OSError, ValueError) as error:
        log.error("the new settings are not taken, the old ones stay: %s", " ".join(str(error).split())[:500])  # noqa: TRY400 - one line
    else:
        log.warning("new settings are in force")


class _Supervisor:
    """Parent of the worker processes: passes signals on and replaces a worker that dies."""

    def __init__(
        self, settings: GuardSettings, make: Maker, reload: Callable[[], GuardSettings] | None, sock: socket.socket
    ) -> None:
        self._settings = settings
        self._make = make
        self._reload = reload
        self._sock = sock  # bound and never listened on: holds the port, also when it was chosen by the system
        self._workers: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        for _ in range(self._settings.workers):
            self._fork()
        while self._workers:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                break
            self._workers.discard(pid)
            if not self._stopping:
                log.error("worker %d ended with status %d and is replaced", pid, os.waitstatus_to_exitcode(status))
                time.sleep(PAUSE)
                self._fork()
        self._sock.close()

    def _fork(self) -> None:
        if self._stopping:
            return
        pid = os.fork()
        if pid:
            self._workers.add(pid)
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            host, port = self._sock.getsockname()[:2]
            here = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._sock.close()
            settings = _at(self._settings, here)
            _work(settings, self._make, self._reload, listening_socket(settings, shared=True))
            code = 0
        except (OSError, ValueError, ImportError) as error:
            log.error("a worker cannot start: %s", error)  # noqa: TRY400 - one line
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # nothing of the parent's is run a second time

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        self._pass_on(number, frame)

    def _pass_on(self, number: int, frame: object) -> None:
        del frame
        for pid in list(self._workers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _at(settings: GuardSettings, listen: str) -> GuardSettings:
    return msgspec.structs.replace(settings, listen=listen)
