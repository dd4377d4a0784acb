"""Programs as targets: real processes, killed as a group when they do not end."""

import asyncio
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from stub_api import sent, user

from hauberk.assets.chat import Role
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError

PROGRAM = shlex.join([sys.executable, str(Path(__file__).with_name("probed_command.py"))])


def said(what: str, request: Request | None = None, kind: str = "command", **options: Any) -> Reply:
    return asyncio.run(sent(f"{kind}:{PROGRAM} {what}", request or user(), **{"timeout": 20.0, **options}))


def fault(what: str, **more: Any) -> TargetError:
    with pytest.raises(TargetError) as caught:
        said(what, **more)
    assert "\n" not in str(caught.value)
    return caught.value


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def hanging(folder: Path, kind: str) -> TargetError:
    """The error of a program that hangs with a child of its own; their numbers go into the file `pids`."""
    script = f"sleep 60 & echo $$ $! > {folder / 'pids'}; wait"
    with pytest.raises(TargetError) as caught:
        asyncio.run(sent(f"{kind}:{shlex.join(['sh', '-c', script])}", timeout=2.0))
    return caught.value


def test_the_prompt_goes_in_and_the_answer_comes_out() -> None:
    assert said("echo", user("你好 $(id) `id`")).text == "You said 你好 $(id) `id`"


def test_json_goes_in_and_comes_out() -> None:
    reply = said(
        "as_json", Request((Message(Role.USER, "a"), Message(Role.ASSISTANT, "b"), Message(Role.USER, "c"))), kind="command-json"
    )
    assert reply.text == "c|3"
    assert reply.steps[0].call.name == "pay"


def test_a_conversation_line_by_line() -> None:
    async def go() -> list[str]:
        target = open_target(f"command-lines:{PROGRAM} lines", TargetOptions(timeout=20.0))
        one, two = await target.open(), await target.open()
        texts = [(await session.send(user(text))).text for session, text in ((one, "a"), (two, "b"), (one, "c"))]
        with pytest.raises(TargetError, match="ended with status 1: I am dying"):
            await one.send(user("die"))
        await one.close()
        await two.close()
        await target.close()
        return texts

    texts = asyncio.run(go())
    assert [text.rsplit(" ", 1)[0] for text in texts] == ["0 a", "0 b", "1 c"]
    assert texts[0].split()[-1] == texts[2].split()[-1] != texts[1].split()[-1]


def test_a_hanging_program_is_killed_with_its_children(tmp_path: Path) -> None:
    error = hanging(tmp_path, "command")
    assert error.fault is Fault.TIMEOUT
    assert "it was killed" in str(error)
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_hanging_conversation_is_killed(tmp_path: Path) -> None:
    assert hanging(tmp_path, "command-lines").fault is Fault.TIMEOUT
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_what_a_program_leaves_behind_is_killed_and_not_waited_for() -> None:
    assert gone(int(said("leave").text))


def test_a_failing_program_shows_the_end_of_its_stderr_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "tok-secret")
    with pytest.raises(TargetError) as caught:
        asyncio.run(sent(f"command:BOT_TOKEN=${{BOT_TOKEN}} {PROGRAM} fail", timeout=20.0))
    assert caught.value.fault is Fault.SERVER
    assert "ended with status 1: Traceback ValueError: it went wrong ***" in str(caught.value)


def test_a_flood_is_cut() -> None:
    reply = said("flood", max_bytes=100_000)
    assert (reply.cut, len(reply.text)) == (True, 100_000)


def test_a_flood_without_a_line_end_ends_the_conversation() -> None:
    error = fault("flood", kind="command-lines", max_bytes=100_000)
    assert error.fault is Fault.GARBAGE
    assert "a line is over" in str(error)


def test_noise_on_stderr_does_not_stop_it() -> None:
    assert said("noise").text == "done"


@pytest.mark.parametrize("size", [0, 1_000_000])
def test_a_program_that_does_not_read(size: int) -> None:
    assert said("deaf", user("x" * size)).text == "I do not read"


def test_bytes_that_are_no_text() -> None:
    assert said("octets").text == "\ufffd\ufffd ok"


def test_settings_in_front_and_credentials_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_SECRET", "s3cret")
    spec = f"command:BOT_MODE=fast {PROGRAM} env ${{BOT_SECRET}}"
    assert asyncio.run(sent(spec, timeout=20.0)).text == "fast s3cret"
    assert "s3cret" not in open_target(spec).name


def test_a_program_that_has_ended_is_started_anew_for_the_next_try() -> None:
    async def go() -> str:
        session = await open_target(f"command-lines:{PROGRAM} lines", TargetOptions(timeout=20.0)).open()
        try:
            with pytest.raises(TargetError, match="I am dying"):
                await session.send(user("die"))
            return (await session.send(user("again"))).text
        finally:
            await session.close()

    assert asyncio.run(go()).startswith("0 again ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "name a program"),
        ("A=1", "name a program"),
        ("'", "No closing quotation"),
        ("no-such-program-x y", "there is no program"),
    ],
)
def test_bad_lines(line: str, words: str) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        open_target(f"command:{line}")
    assert caught.value.fault is Fault.SETUP


def test_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "bot"
    path.write_bytes(b"\x00\x01 no program")
    os.chmod(path, 0o755)
    with pytest.raises(TargetError, match="cannot be started") as caught:
        asyncio.run(sent(f"command:{path}"))
    assert caught.value.fault is Fault.SETUP
