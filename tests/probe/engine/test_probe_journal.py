"""Reading what a journal holds, whatever became of its bytes."""

import asyncio
import os
from pathlib import Path

import pytest
from engine_fakes import Scripted, Turns, begun, harms, plan_of, played, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from hauberk.probe.engine import EngineError, results, transcript, transcripts
from hauberk.probe.engine.errors import JournalError
from hauberk.probe.engine.folder import RunFolder, find, read_manifest
from hauberk.probe.engine.journal import Journal
from hauberk.probe.engine.reading import Damage, mend, records
from hauberk.probe.engine.record import Begin, Ended, Sent, decoded, encoded
from hauberk.probe.outcome import Outcome
from hauberk.probe.targets.target import Reply, Usage

CASES = 6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    folder, _, _ = played(tmp_path_factory.mktemp("runs"), harms(CASES), [Turns(2)], Scripted(), settings())
    folder.close()
    with open(folder.journal, "rb") as file:
        return folder.path, file.read()


def put(path: str, data: bytes) -> None:
    with open(os.path.join(path, "journal.jsonl"), "wb") as file:
        file.write(data)


many = given_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(st.data())
def test_a_journal_cut_anywhere_is_read_up_to_the_cut(run: tuple[str, bytes], data: st.DataObject) -> None:
    path, whole = run
    cut = data.draw(st.integers(0, len(whole)))
    put(path, whole[:cut])
    found = list(records(path))
    damage = [one for one in found if isinstance(one, Damage)]
    assert [one.torn for one in damage] == ([True] if cut and whole[cut - 1 : cut] != b"\n" else [])
    assert len(found) - len(damage) == whole[:cut].count(b"\n")
    ends = list(results(path))
    assert len({one.case.id for one in ends}) == len(ends) == CASES
    assert {one.outcome for one in ends} <= {Outcome.REFUSED, Outcome.ERROR, Outcome.NOT_RUN}
    mend(path)
    assert not any(isinstance(one, Damage) for one in records(path))


@many
@given(st.data())
def test_a_damaged_line_in_the_middle_is_named_and_the_others_are_read(run: tuple[str, bytes], data: st.DataObject) -> None:
    path, whole = run
    lines = whole.splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    at = data.draw(st.integers(0, len(lines[number]) - 2))
    bad = bytearray(lines[number])
    bad[at] ^= data.draw(st.integers(1, 255))
    if bad[at] in b"\n\r":
        return
    put(path, b"".join([*lines[:number], bytes(bad), *lines[number + 1 :]]))
    assert [one.line for one in records(path) if isinstance(one, Damage)] == [number + 1]
    ends = list(results(path))
    assert len({one.case.id for one in ends}) == len(ends) == CASES


@many
@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise_anything_but_its_own_error(run: tuple[str, bytes], noise: bytes) -> None:
    path, whole = run
    put(path, whole[:300] + noise + whole[300:])
    assert len(list(results(path))) == CASES
    assert len(transcript(path, "0" * 20)) == 0


def test_two_lines_damaged_into_one_do_not_hide_their_case(run: tuple[str, bytes]) -> None:
    path, whole = run
    lines = whole.splitlines(keepends=True)
    ended = next(n for n, line in enumerate(lines) if isinstance(decoded(line), Ended))
    put(path, b"".join(lines[:ended]) + b"\0" * 80 + b"\n" + b"".join(lines[ended + 1 :]))
    ends = list(results(path))
    # Everything was answered, and one case has no end on record: it is not made up.
    assert [one.outcome for one in ends].count(Outcome.NOT_RUN) == 1


def test_transcripts_are_put_together_from_what_was_new_in_each_request(run: tuple[str, bytes]) -> None:
    path, whole = run
    put(path, whole)
    sent = [one for one in records(path) if isinstance(one, Sent)]
    assert {one.shared for one in sent if one.n == 1} == {1}  # the first question; the answer to it is new
    case = next(results(path)).case
    first, second = transcript(path, case.id)
    assert second.request.messages[:1] == first.request.messages
    assert [message.role.value for message in second.request.messages] == ["user", "assistant", "user"]
    assert first.reply is not None
    assert second.request.messages[1].text == first.reply.text
    both = transcripts(path, [one.case.id for one in results(path)])
    assert {len(exchanges) for exchanges in both.values()} == {2}


def test_a_lone_surrogate_in_an_answer_is_recorded(tmp_path: Path) -> None:
    target = Scripted(lambda _: Reply("no \ud800 way", usage=Usage(1, 1)))
    folder, ending, _ = played(tmp_path, harms(2), [Turns(2)], target, settings())
    assert not ending.why
    assert [one.outcome for one in results(folder.path)] == [Outcome.REFUSED] * 2
    exchange = transcript(folder.path, next(results(folder.path)).case.id)[0]
    assert exchange.reply is not None
    assert exchange.reply.text == "no \\ud800 way"


def test_only_one_process_works_on_a_run(tmp_path: Path) -> None:
    made = settings()
    folder = begun(tmp_path, plan_of(harms(1), [Turns()], made), made)
    with pytest.raises(EngineError, match="another process works on this run"):
        RunFolder(folder.path, folder.manifest)
    folder.close()
    RunFolder(folder.path, folder.manifest).close()


def test_runs_are_private_and_not_for_version_control(tmp_path: Path) -> None:
    made = settings()
    folder = begun(tmp_path / ".hauberk" / "probe", plan_of(harms(1), [Turns()], made), made)
    assert os.stat(folder.path).st_mode & 0o077 == 0
    assert (tmp_path / ".hauberk" / "probe" / ".gitignore").read_text() == "*\n"


def test_runs_are_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    folder, _, _ = played(tmp_path, harms(1), [Turns()], Scripted(), settings())
    base, name = str(tmp_path), folder.manifest.id
    assert find(base, name[:6]) == find(base, "last") == find(base, folder.path) == folder.path
    with pytest.raises(EngineError, match="no unfinished probe run"):
        find(base, "last", unfinished=True)
    for wrong in ("zzzz", name[:2], "../x"):
        with pytest.raises(EngineError, match="no run"):
            find(base, wrong)


def test_a_damaged_manifest_is_one_line(tmp_path: Path) -> None:
    made = settings()
    folder = begun(tmp_path, plan_of(harms(1), [Turns()], made), made)
    (Path(folder.path) / "manifest.json").write_bytes(b"{")
    with pytest.raises(EngineError, match=r"manifest\.json: damaged"):
        read_manifest(folder.path)


def test_what_commit_returned_from_is_on_disk(tmp_path: Path) -> None:
    path = str(tmp_path / "journal.jsonl")

    async def write() -> None:
        journal = Journal(path)
        journal.put(Begin("first", "0"))
        await journal.commit(Begin("second", "0"))
        with open(path, "rb") as file:  # noqa: ASYNC230
            assert file.read() == encoded(Begin("first", "0")) + encoded(Begin("second", "0"))
        journal.close()

    asyncio.run(write())
    assert not (tmp_path / "reserve").exists()


def test_a_journal_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal can be kept here"):
        Journal(str(tmp_path / "missing" / "journal.jsonl"))
