"""The gateway as a process: drain on SIGTERM, reload on SIGHUP, several workers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway_harness import EVENTS_HEAD, STREAM, NewUpstream, Reply, ScriptedUpstream, chunk, chunked, read_all, until

PROGRAM = """
import sys
from hauberk.guard.gateway.serve import open_parts, serve
from hauberk.guard.settings import load_guard_settings
path = sys.argv[1]
serve(load_guard_settings(path), open_parts, lambda: load_guard_settings(path), lambda at: print(at, flush=True))
"""
BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'


class Process:
    def __init__(self, file: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        until(lambda: self.try_chat() is not None)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send(self, conn: socket.socket, *, stream: bool = False) -> None:
        body = BODY[:-1] + b',"stream":true}' if stream else BODY
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        conn.sendall(head % len(body) + body)

    def try_chat(self) -> Reply | None:
        with contextlib.suppress(OSError), self.connect() as conn:
            self.send(conn)
            return Reply(read_all(conn))
        return None

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> tuple[int, str]:
        _, error = self.process.communicate(timeout=15)
        return self.process.returncode, error


Start = Callable[..., tuple[Process, Path]]


@pytest.fixture
def run(tmp_path: Path, new_upstream: NewUpstream) -> Iterator[Start]:
    made: list[Process] = []

    def start(upstream: ScriptedUpstream, more: str = "") -> tuple[Process, Path]:
        file = tmp_path / "hauberk.toml"
        file.write_text(config(upstream.url, more))
        made.append(Process(file))
        return made[-1], file

    yield start
    for one in made:
        one.process.kill()
        one.process.communicate()


def config(url: str, more: str = "") -> str:
    return f'[guard]\nlisten = "127.0.0.1:0"\n{more}\n[[guard.upstream]]\nname = "u"\nbase-url = "{url}"\nmodels = ["m"]\n'


def test_sigterm_lets_streams_end(run: Start, new_upstream: NewUpstream) -> None:
    def slow(conn: socket.socket, request: bytes) -> None:
        conn.sendall(EVENTS_HEAD if b"stream" in request else b"HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\n{}")
        for event in STREAM if b"stream" in request else []:
            conn.sendall(chunked(event, end=False))
            time.sleep(0.05)
        if b"stream" in request:
            conn.sendall(b"0\r\n\r\n")

    process, _ = run(new_upstream(slow))
    with process.connect() as conn:
        process.send(conn, stream=True)
        first = conn.recv(100)
        process.signal(signal.SIGTERM)
        time.sleep(0.4)
        with pytest.raises(OSError, match="refused"):
            process.connect()
        reply = Reply(first + read_all(conn))
    assert reply.complete
    assert reply.events()[-1] == "[DONE]"
    code, error = process.wait()
    assert code == 0
    assert "Traceback" not in error


def test_a_stream_that_does_not_end_is_ended_with_an_error_event(run: Start, new_upstream: NewUpstream) -> None:
    def endless(conn: socket.socket, request: bytes) -> None:
        with contextlib.suppress(OSError):
            conn.sendall(EVENTS_HEAD if b"stream" in request else b"HTTP/1.1 404 No\r\ncontent-length: 2\r\n\r\n{}")
            while b"stream" in request:
                conn.sendall(chunked(chunk("x"), end=False))
                time.sleep(0.05)

    process, _ = run(new_upstream(endless), "[guard.deadlines]\ndrain = 1.0\n")
    with process.connect() as conn:
        process.send(conn, stream=True)
        first = conn.recv(100)
        process.signal(signal.SIGTERM)
        reply = Reply(first + read_all(conn))
    assert reply.events()[-2]["error"]["code"] == "shutting_down"
    assert reply.complete
    code, error = process.wait()
    assert code == 0
    assert "Traceback" not in error


def test_sighup_takes_new_settings_and_keeps_the_old_when_they_are_bad(run: Start, new_upstream: NewUpstream) -> None:
    process, file = run(new_upstream(), "trusted-proxies = []\n")
    other = new_upstream()
    file.write_text(config(other.url))
    process.signal(signal.SIGHUP)
    until(lambda: process.try_chat() and other.requests)
    file.write_text("[guard]\nlisten = 7\n")
    process.signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.try_chat().status == 200
    process.signal(signal.SIGTERM)
    code, error = process.wait()
    assert code == 0
    (refused,) = [line for line in error.splitlines() if "old ones stay" in line]
    assert "listen" in refused
    assert "Traceback" not in error


def test_workers_share_the_port_and_a_dead_one_is_replaced(run: Start, new_upstream: NewUpstream) -> None:
    process, _ = run(new_upstream(), "workers = 2\n")

    def children() -> list[int]:
        pid = process.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    before = children()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    until(lambda: len(children()) == 2 and before[0] not in children())
    until(lambda: (reply := process.try_chat()) is not None and reply.status == 200)
    process.signal(signal.SIGTERM)
    code, error = process.wait()
    assert code == 0
    assert "Traceback" not in error
