"""Bad input on the command line: one clear line, the right exit code, the rest of the scan goes on."""

import base64
import contextlib
import http.server
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GOOD = pickle.dumps({"step": 1})
LOCKED = (
    "UEsDBBQACQAIAAxNdV2nU3qPIgAAABgAAAAFABwAYS5wa2xVVAkAAwhnAWsIZwFrdXgLAAEEAAAAAAQAAAAAgEhKAGvKtPIP+j07"
    "1JWuaim7OollXEmVYsDhx1KkzGSTalBLBwinU3qPIgAAABgAAABQSwECHgMUAAkACAAMTXVdp1N6jyIAAAAYAAAABQAYAAAAAAAA"
    "AAAApIEAAAAAYS5wa2xVVAUAAwhnAWt1eAsAAQQAAAAABAAAAABQSwUGAAAAAAEAAQBLAAAAcQAAAAAA"
)
EVIL = b"cposix\nsystem\n(S'echo owned'\ntR."


def hauberk(*arguments: str | Path, home: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "XDG_DATA_HOME": str(home), "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "hauberk", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=environment, input=stdin, check=False, timeout=120)


def scanned(*arguments: str | Path, home: Path, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
    done = hauberk("scan", "--format", "json", *arguments, home=home, stdin=stdin)
    assert b"Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "good.pkl").write_bytes(GOOD)
    return folder


def test_no_such_path(home: Path, tmp_path: Path) -> None:
    done = hauberk("scan", tmp_path / "nothing", home=home)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [f"hauberk: {tmp_path}/nothing: no such file or directory; check the path"]


def test_nothing_named(home: Path) -> None:
    done = hauberk("scan", home=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_clean_and_complete_is_zero(home: Path, tree: Path) -> None:
    code, report = scanned(tree, home=home)
    assert (code, report["findings"], report["gaps"]) == (0, [], [])


def test_a_finding_is_one_and_the_rest_goes_on(home: Path, tree: Path) -> None:
    (tree / "evil.pkl").write_bytes(EVIL)
    code, report = scanned(tree, home=home)
    verdicts = {Path(asset["uri"]).name: asset["verdict"] for asset in report["assets"]}
    assert code == 1
    assert verdicts == {"tree": "block", "evil.pkl": "block", "good.pkl": "admit"}


def test_an_empty_file_is_clean(home: Path, tree: Path) -> None:
    (tree / "empty.bin").touch()
    assert scanned(tree, home=home)[0] == 0


def test_a_device_and_a_pipe_are_gaps(home: Path, tree: Path) -> None:
    os.mkfifo(tree / "pipe.pkl")
    code, report = scanned(tree, "/dev/zero", home=home)
    assert code == 3
    assert sorted(gap["reason"] for gap in report["gaps"]) == ["unreadable", "unreadable"]


def test_a_directory_loop_ends(home: Path, tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    assert scanned(tree, home=home)[0] == 0


def test_a_sparse_file_of_100_gb_is_quick_and_a_gap(home: Path, tree: Path) -> None:
    with open(tree / "huge.bin", "wb") as file:
        file.truncate(100 << 30)
    started = time.monotonic()
    code, report = scanned(tree, home=home)
    assert code == 3
    assert time.monotonic() - started < 60  # hashing it would take minutes; this is no speed test
    assert {gap["reason"] for gap in report["gaps"]} <= {"too-large", "unrecognised"}


def test_an_encrypted_archive_holds(home: Path, tree: Path) -> None:
    """A zip made by Info-ZIP 3.0 with `zip -P`."""
    (tree / "locked.zip").write_bytes(base64.b64decode(LOCKED))
    code, report = scanned(tree / "locked.zip", home=home)
    assert code == 3
    assert "encrypted" in {gap["reason"] for gap in report["gaps"]}
    assert report["assets"][0]["verdict"] == "hold"


def test_stdin(home: Path) -> None:
    code, report = scanned("-", home=home, stdin=EVIL)
    assert code == 1
    assert report["assets"][0]["uri"] == "stdin"


def test_stdin_over_the_limit_is_a_gap(home: Path) -> None:
    code, report = scanned("-", "--url-limit", "64", home=home, stdin=GOOD + b"\0" * 200)
    assert code in {1, 3}
    assert any(gap["reason"] == "too-large" for gap in report["gaps"])


class _Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(EVIL) + (100 if self.path == "/short" else 0)))
        self.end_headers()
        self.wfile.write(EVIL)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_a_url(home: Path, server: str) -> None:
    code, report = scanned(f"{server}/model.pkl", home=home)
    assert code == 1
    assert report["assets"][0]["uri"] == f"{server}/model.pkl"


@pytest.mark.parametrize(("path", "said"), [("missing", "404"), ("short", "broke off"), ("loop", "not allowed")])
def test_a_url_that_fails(home: Path, server: str, path: str, said: str) -> None:
    done = hauberk("scan", f"{server}/{path}", home=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr.decode()


def test_a_closed_port(home: Path) -> None:
    done = hauberk("scan", "http://127.0.0.1:9/x", home=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_an_unwritable_output(home: Path, tree: Path) -> None:
    done = hauberk("scan", tree, "-o", tree / "no" / "such" / "report.json", home=home)
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr


def test_a_broken_store(home: Path, tree: Path) -> None:
    (home / "hauberk").mkdir(parents=True)
    (home / "hauberk" / "hauberk.db").write_bytes(b"this is no database" * 100)
    done = hauberk("scan", tree, home=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def recorded(database: Path) -> int:
    """How many assets of a run under way are in the record."""
    if not database.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM progress").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # its tables are not there yet


def test_an_interrupted_scan_is_recorded_and_resumed(home: Path, tmp_path: Path) -> None:
    """Ctrl-C leaves a valid record marked incomplete; --resume goes on from it and misses nothing."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12_000):
        (folder / f"{number:05}.pkl").write_bytes(pickle.dumps({"n": number}))
    environment = {**os.environ, "XDG_DATA_HOME": str(home)}
    command = [sys.executable, "-m", "hauberk", "scan", "--format", "json", "--jobs", "1", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        while not recorded(home / "hauberk" / "hauberk.db") and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors
    partial = json.loads(output)
    if partial["run"]["complete"]:
        pytest.fail("the scan ended before it could be interrupted; give it more files")
    assert process.returncode == 3
    assert any(gap["reason"] == "interrupted" for gap in partial["gaps"])
    code, whole = scanned("--resume", folder, home=home)
    assert whole["gaps"] == []
    assert (code, whole["run"]["complete"]) == (0, True)
    assert len(whole["assets"]) == 12_001
    assert whole["run"]["id"] == partial["run"]["id"]
