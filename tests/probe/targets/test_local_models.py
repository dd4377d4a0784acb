"""A real local model: behind a server of its own, and as a GGUF that the target loads itself."""

import asyncio
import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from stub_api import sent, user

from hauberk.assets.chat import Role
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Message, Request, TargetError

CACHE = Path(__file__).parents[3] / ".cache" / "llm"


def gguf() -> Path:
    named = os.environ.get("HAUBERK_TEST_GGUF", "")
    found = [Path(named)] if named else sorted(CACHE.glob("*.gguf"))
    if not found or not found[0].is_file():
        pytest.skip("no real LLM: set HAUBERK_TEST_GGUF to a file, or run evals/guard/llm/fetch.sh")
    return found[0]


@pytest.fixture
def needs_llama() -> None:
    if find_spec("xllamacpp") is None:
        pytest.skip("the extra `gguf` is not installed")


def test_a_gguf_answers_whole_and_streamed_the_same(needs_llama: None) -> None:
    path = gguf()

    async def go() -> None:
        target = open_target(f"gguf:{path}", TargetOptions(timeout=300.0))
        assert path.name in target.name
        try:
            session, other = await asyncio.gather(target.open(), target.open())
            talk = Request((Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "What is the capital of France?")), max_tokens=16)
            one, two = await asyncio.gather(session.send(talk), other.send(talk))
            assert "Paris" in one.text
            assert "Paris" in two.text
            assert one.usage.prompt > 10
            assert not one.usage.estimated
            assert one.finish in {"stop", "length"}
        finally:
            await target.close()
            await target.close()

    asyncio.run(go())


def test_a_server_with_a_real_model_streams() -> None:
    known = os.environ.get("HAUBERK_TEST_LLM", "")
    if not known:
        pytest.skip("no real LLM: set HAUBERK_TEST_LLM to the address of a server")
    for stream in (False, True):
        reply = asyncio.run(
            sent(known, user("What is the capital of France?", max_tokens=16), model="", stream=stream, timeout=300.0)
        )
        assert reply.text
        assert reply.usage.completion > 0


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), (b"PK\x03\x04", "is no GGUF file"), (b"", "is no GGUF file")]
)
def test_what_is_no_gguf(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TargetError, match=words) as caught:
        open_target(f"gguf:{path}")
    assert caught.value.fault is Fault.SETUP


def test_a_broken_gguf_is_one_line(tmp_path: Path, needs_llama: None) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\xff" * 64)
    with pytest.raises(TargetError, match="cannot be loaded") as caught:
        asyncio.run(sent(f"gguf:{path}"))
    assert caught.value.fault is Fault.SETUP
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("extra", "spec"), [("gguf", "gguf:FILE"), ("mcp", "mcp:http://127.0.0.1:9/")])
def test_an_extra_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str, spec: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    module = "hauberk.probe.targets." + {"gguf": "gguf", "mcp": "mcp_server"}[extra]
    monkeypatch.setattr(f"{module}.find_spec", lambda _: None)
    with pytest.raises(TargetError, match=rf"install it with: pip install 'hauberk\[{extra}\]'"):
        open_target(spec.replace("FILE", str(path)))
