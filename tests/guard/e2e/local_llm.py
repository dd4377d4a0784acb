"""Where a real LLM is to be had: a server that runs already, or a GGUF to start one with."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache" / "llm"
SERVE = ROOT / "evals" / "guard" / "llm" / "serve.py"


@contextmanager
def real_llm() -> Iterator[str]:
    """The base URL of an OpenAI-compatible server with a real model; the test is skipped when there is none."""
    known = os.environ.get("HAUBERK_TEST_LLM", "")
    if known:
        yield known.rstrip("/")
        return
    command = (_python(), str(SERVE), str(_gguf()))
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        address = next((line.strip() for line in process.stdout if line.startswith("http://")), "")
        assert address, f"the LLM server ended with {process.wait()}"
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _gguf() -> Path:
    named = os.environ.get("HAUBERK_TEST_GGUF", "")
    found = [Path(named)] if named else sorted(CACHE.glob("*.gguf"))
    if not found or not found[0].is_file():
        pytest.skip(
            "no real LLM: set HAUBERK_TEST_LLM (URL of a server) or HAUBERK_TEST_GGUF (a file), or run evals/guard/llm/fetch.sh"
        )
    return found[0]


def _python() -> str:
    own = CACHE / "venv" / "bin" / "python"
    named = os.environ.get("HAUBERK_TEST_LLM_PYTHON", "")
    if named or own.is_file():
        return named or str(own)
    if find_spec("xllamacpp") is None:
        pytest.skip(
            "no real LLM: xllamacpp is not installed; run evals/guard/llm/fetch.sh, or name a Python that has it in "
            "HAUBERK_TEST_LLM_PYTHON"
        )
    return sys.executable
