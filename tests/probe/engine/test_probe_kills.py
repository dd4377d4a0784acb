"""kill -9, Ctrl-C and a full disk, against a server that counts what reaches it."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from engine_fakes import KILLED_ATTACKS, KILLED_SEEDS, CountingStub, begun, killed_plan, settings, sitting, until

from hauberk.probe.engine import results
from hauberk.probe.engine.folder import is_finished
from hauberk.probe.engine.reading import Damage, records
from hauberk.probe.outcome import Outcome

PLANNED = KILLED_SEEDS * len(KILLED_ATTACKS)
REQUESTS = KILLED_SEEDS * sum(attack.turns for attack in KILLED_ATTACKS)
CONTEXT = multiprocessing.get_context("fork")  # the engine is imported once, not at each of the many starts
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forks beside the stub's thread


@pytest.fixture
def stub() -> Iterator[CountingStub]:
    with CountingStub(0.01).running() as stub:
        yield stub


def begin(base: Path, concurrency: int = 12) -> str:
    made = settings(concurrency=concurrency)
    folder = begun(base, killed_plan(made), made)
    folder.close()
    return folder.path


def start(path: str, stub: CountingStub, **more: object) -> BaseProcess:
    process = CONTEXT.Process(target=sitting, args=(path, stub.url), kwargs=more, daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(30)
    assert process.exitcode == -signal.SIGKILL


def outcomes(path: str) -> Counter[Outcome]:
    found = list(results(path))
    assert len({one.case.id for one in found}) == len(found) == PLANNED
    return Counter(one.outcome for one in found)


def test_killed_ten_times_nothing_is_sent_twice_and_every_case_counts_once(tmp_path: Path, stub: CountingStub) -> None:
    path, rng, kills = begin(tmp_path), random.Random(4), 0
    while kills < 10:
        process, before = start(path, stub), stub.requests
        goal = before + rng.randrange(5, 30)
        until(lambda: stub.requests >= goal or not process.is_alive())  # noqa: B023
        kill(process)
        kills += 1
        outcomes(path)  # readable at any point
    process = start(path, stub)
    process.join(60)
    assert process.exitcode == 0
    assert max(stub.prompts.values()) == 1
    ends = outcomes(path)
    assert set(ends) <= {Outcome.REFUSED, Outcome.ERROR}
    assert ends[Outcome.ERROR] <= kills * 12  # at most what was in flight
    assert {one.note for one in results(path) if one.outcome is Outcome.ERROR} == {"sent, answer lost"}
    assert is_finished(path)

    lost, sent = ends[Outcome.ERROR], stub.requests
    assert lost > 0
    process = start(path, stub, resend=True)
    process.join(60)
    assert outcomes(path) == {Outcome.REFUSED: PLANNED}
    assert max(stub.prompts.values()) <= 2
    assert len(stub.prompts) == REQUESTS
    assert stub.requests - sent <= 3 * lost


def test_ctrl_c_lets_in_what_is_on_its_way(tmp_path: Path, stub: CountingStub) -> None:
    stub.latency = 0.15
    path = begin(tmp_path)
    process = start(path, stub)
    until(lambda: stub.requests >= 30)
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(30)
    assert process.exitcode == 0
    ends = outcomes(path)
    assert ends[Outcome.ERROR] == 0
    assert ends[Outcome.REFUSED] > 0
    assert {one.note for one in results(path) if one.outcome is Outcome.NOT_RUN} == {"interrupted"}
    assert not is_finished(path)
    stub.latency = 0
    start(path, stub).join(60)
    assert outcomes(path) == {Outcome.REFUSED: PLANNED}
    assert stub.prompts == dict.fromkeys(stub.prompts, 1)
    assert len(stub.prompts) == REQUESTS


def test_a_second_ctrl_c_ends_at_once_with_a_valid_journal(tmp_path: Path, stub: CountingStub) -> None:
    stub.latency = 15
    path = begin(tmp_path)
    process = start(path, stub)
    until(lambda: stub.requests >= 12)
    for _ in range(2):
        os.kill(process.pid or 0, signal.SIGINT)
        time.sleep(0.3)  # two signals at once are one
    process.join(10)
    assert process.exitcode == 130
    assert not any(isinstance(one, Damage) for one in records(path))
    assert outcomes(path) == {Outcome.ERROR: 12, Outcome.NOT_RUN: PLANNED - 12}


def test_a_full_disk_ends_the_run_with_one_line_and_a_valid_journal(tmp_path: Path, stub: CountingStub) -> None:
    path = begin(tmp_path)
    process = start(path, stub, file_limit=40_000)
    process.join(60)
    said = (Path(path) / "ending").read_text()
    assert said.startswith("True False")
    assert "cannot be written: file too large" in said
    assert "\n" not in said
    assert not any(isinstance(one, Damage) for one in records(path))
    ends = outcomes(path)
    assert ends[Outcome.NOT_RUN] > PLANNED / 2
    assert ends[Outcome.REFUSED] > 0
    start(path, stub).join(60)
    assert outcomes(path)[Outcome.NOT_RUN] == 0
    assert max(stub.prompts.values()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_tmpfs_keeps_the_answers_on_their_way(tmp_path: Path, stub: CountingStub) -> None:
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(small)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        stub.latency = 0.05
        path = begin(small)
        process = start(path, stub)
        process.join(60)
        assert "no space left on device" in (Path(path) / "ending").read_text()
        assert not any(isinstance(one, Damage) for one in records(path))
        assert outcomes(path)[Outcome.ERROR] == 0  # the reserve took the answers that were on their way
        assert max(stub.prompts.values()) == 1
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
