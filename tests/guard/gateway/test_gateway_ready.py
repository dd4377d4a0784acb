"""Who is told the address may connect at once: scripts take the line as their starting signal."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, socket, sys
from urllib.parse import urlsplit
from hauberk.guard.gateway.serve import serve
from hauberk.guard.settings import load_guard_settings

def ready(address):
    at = urlsplit(address)
    socket.create_connection((at.hostname, at.port), timeout=10).close()
    print("taken", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

serve(load_guard_settings(sys.argv[1]), ready=ready)
"""


def test_a_connection_is_taken_when_the_address_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hauberk.toml"
    file.write_text('[guard]\nlisten = "127.0.0.1:0"\n[[guard.upstream]]\nname = "u"\nbase-url = "http://127.0.0.1:9/v1"\n')
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("taken\n", 0), done.stderr


def test_nothing_is_told_of_a_gateway_whose_parts_cannot_be_made(tmp_path: Path) -> None:
    file = tmp_path / "hauberk.toml"
    (tmp_path / "audit").write_text("a file where a folder is needed")
    file.write_text(
        f'[guard]\nlisten = "127.0.0.1:0"\n[guard.audit]\nfolder = "{tmp_path / "audit"}"\n'
        '[[guard.upstream]]\nname = "u"\nbase-url = "http://127.0.0.1:9/v1"\n'
    )
    command = [sys.executable, "-m", "hauberk", "guard", "serve", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "listens on" not in done.stderr
