"""Learnt files come from disks: cut, changed, hostile ones give one clear line and nothing else."""

import hashlib
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.chat import Direction, MessageContent, Role
from hauberk.detect.learnt import LearntFileError, read_folder
from hauberk.detect.learnt.file import LARGEST, read, written
from hauberk.detect.learnt.fit import fit
from hauberk.detect.learnt.grams import Rows, windows
from hauberk.detect.learnt.model import Head, Learnt
from hauberk.rules import load_pack


def head(**given: object) -> Head:
    fields: dict[str, object] = {
        "index": np.array([3, 7, 500_000], "<i4").tobytes(),
        "weights": np.array([1.0, -0.5, 2.0], "<f4").tobytes(),
        "bias": -1.0,
        "thresholds": ((0.002, 0.8), (0.02, 0.6)),
        "ordinary": 1000,
        "alarms": 1,
    }
    return Head(**{**fields, **given})  # type: ignore[arg-type]


MODEL = Learnt(0.002, {"user": head()}, (), 5, "test")


def sealed(body: bytes, version: int = 1, magic: str = "hauberk-learnt") -> bytes:
    return msgspec.msgpack.encode([magic, version, hashlib.sha256(body).digest(), body])


def test_what_is_written_is_read() -> None:
    assert read(written(MODEL)) == MODEL
    assert written(read(written(MODEL))) == written(MODEL)


@settings(deadline=None)
@given(st.data())
def test_cut_or_changed_files_are_refused(data: st.DataObject) -> None:
    whole = written(MODEL)
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(LearntFileError):
        read(whole[:at])
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LearntFileError):
        read(bytes(changed))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_whatever_else_lies_there_is_refused_in_one_line(data: bytes) -> None:
    for made in (data, sealed(data)):
        with pytest.raises(LearntFileError) as caught:
            read(made)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (head(index=np.array([7, 3, 9], "<i4").tobytes()), "not in order"),
        (head(index=np.array([-1, 3, 9], "<i4").tobytes()), "not in order"),
        (head(index=np.array([1, 3, 1 << 19], "<i4").tobytes()), "not in order"),
        (head(weights=np.array([1, np.nan, 2], "<f4").tobytes()), "not in order"),
        (head(weights=b"\0" * 8), "not in order"),
        (head(index=b"\0" * 5, weights=b"\0" * 5), "not in order"),
        (head(thresholds=()), "not in order"),
        (head(thresholds=((0.5, 0.1), (0.1, 0.2))), "not in order"),
        (head(thresholds=((0.1, 7.0),)), "not in order"),
    ],
)
def test_weights_that_cannot_be_are_refused(wrong: Head, said: str) -> None:
    with pytest.raises(LearntFileError, match=said):
        read(written(msgspec.structs.replace(MODEL, heads={"user": wrong})))


def test_versions_voices_and_rules_of_others_are_refused() -> None:
    body = msgspec.msgpack.encode(MODEL)
    with pytest.raises(LearntFileError, match="of version 2"):
        read(sealed(body, version=2))
    with pytest.raises(LearntFileError, match="no learnt model"):
        read(sealed(body, magic="something"))
    with pytest.raises(LearntFileError, match="rate or its heads"):
        read(written(msgspec.structs.replace(MODEL, heads={"nobody": head()})))
    phrase = load_pack().by_id["jailbreak-dan"]
    for rules in ((phrase,), (msgspec.structs.replace(phrase, id="learnt-x", engine="regex"),)):
        with pytest.raises(LearntFileError, match="nobody can have learnt"):
            read(written(msgspec.structs.replace(MODEL, rules=rules)))
    mine = msgspec.structs.replace(phrase, id="learnt-x")
    assert read(written(msgspec.structs.replace(MODEL, rules=(mine,)))).rules == (mine,)
    for rules in ((mine, mine), (msgspec.structs.replace(phrase, id="learnt-attack"),)):
        with pytest.raises(LearntFileError, match="the same id"):
            read(written(msgspec.structs.replace(MODEL, rules=rules)))


def test_a_huge_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    with open(tmp_path / "learnt.msgpack", "wb") as file:
        file.truncate(LARGEST * 4)
    with pytest.raises(LearntFileError, match=r"learnt\.msgpack: larger than 16 MiB"):
        read_folder(tmp_path)


def test_answers_and_the_operators_words_are_not_scored() -> None:
    assert MODEL.head_of(MessageContent("x", Role.ASSISTANT, Direction.OUTPUT)) is None
    assert MODEL.head_of(MessageContent("x", Role.SYSTEM)) is None
    assert MODEL.head_of(MessageContent("x", Role.TOOL)) is None
    assert MODEL.score(MessageContent("x", Role.TOOL)).score == 0


@settings(deadline=None)
@given(st.text(max_size=3000))
def test_any_text_gets_a_score_and_a_place_inside_it(text: str) -> None:
    message = MessageContent(text)
    found = MODEL.score(message)
    assert 0 <= found.score <= 1
    assert 0 <= found.offset <= found.offset + found.length <= message.size


@settings(deadline=None)
@given(st.text(alphabet="ab 中", min_size=1, max_size=40), st.integers(1, 60))
def test_windows_cover_a_text_to_its_end(piece: str, times: int) -> None:
    text = piece * times * 20
    found = list(windows(text))
    assert found[0][0] == 0
    assert found[-1][1] == len(text)
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(found))


def test_a_fit_tells_two_kinds_apart_and_learns_only_from_what_is_kept() -> None:
    texts = [
        "the lantern keeper answers all",
        "the keeper of the lantern answers",
        "plum cake with cream",
        "cream and plum cake",
        "odd one out",
    ]
    rows = Rows([numbers for text in texts for _, _, numbers in windows(text)])
    attack = np.array([True, True, False, False, False])
    kept = np.array([True, True, True, True, False])
    found = fit(rows, attack, kept)
    margins = found.margins(rows)
    assert margins[:2].min() > 0 > margins[2:4].max()
    again = fit(Rows([numbers for text in [*texts[:4], "lantern lantern"] for _, _, numbers in windows(text)]), attack, kept)
    assert np.array_equal(again.weights, found.weights)
