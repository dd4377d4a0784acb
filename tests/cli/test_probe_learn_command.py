"""`hauberk probe learn` as a user runs it."""

import json
import sys
from pathlib import Path

import click.testing
import pytest

from hauberk.cli.probe import run
from hauberk.cli.probe.learn import command
from hauberk.probe.engine.folder import RunFolder, read_manifest
from hauberk.probe.learn import train

sys.path.insert(0, str(Path(__file__).parents[1] / "probe" / "learn"))

import learn_runs

POLICY = '[approve]\nby = "red team"\nmin-confidence = 0.9\nrules = true\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a finished run, where a few made-up texts stand in for those that ship."""
    monkeypatch.chdir(tmp_path)
    made = tuple(learn_runs.ordinary(700))
    monkeypatch.setattr("hauberk.probe.learn.ordinary.shipped", lambda: made)
    learn_runs.run(tmp_path / ".hauberk" / "probe", learn_runs.TOPICS[:7])
    return tmp_path


def learn(*arguments: str) -> click.testing.Result:
    done = click.testing.CliRunner().invoke(command, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_without_approval_everything_is_pending(place: Path) -> None:
    done = learn()
    assert done.exit_code == 3
    assert "7 samples, 1 proposed rules" in done.stderr
    assert "all of it is pending (8; 0 declined)" in done.stderr
    assert not list(place.glob(".hauberk/learn/*/learnt"))
    assert done.stderr == learn("last").stderr


def test_a_person_is_only_asked_on_a_terminal(place: Path) -> None:
    del place
    done = learn("--approve")
    assert done.exit_code == 2
    assert "here is no terminal to ask on" in done.stderr


def test_a_policy_approves_and_the_guard_holds_what_it_was_taught(place: Path) -> None:
    (place / "policy.toml").write_text(POLICY)
    done = learn("--approve-by", "policy.toml", "--rate", "0.005", "-o", "taught")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "taught/learnt\n"
    assert "regression: 7 of 7 samples are held" in done.stderr
    card = json.loads((place / "taught" / "learnt" / "card.json").read_text())
    assert card["samples"] == card["voices"]["user"]["caught"] == 7
    decisions = json.loads((place / "taught" / "approved.json").read_text())["decisions"]
    assert {(one["by"], one["how"], one["yes"]) for one in decisions} == {("red team", "policy", True)}
    checked = learn("--check", "taught/learnt")
    assert checked.exit_code == 0, checked.stderr
    again = learn("taught", "--rate", "0.005", "--onto", "taught/learnt")
    assert again.exit_code == 0, again.stderr


def test_a_refusal_is_one_line_and_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "LEAST_CAUGHT", 2.0)
    (place / "policy.toml").write_text(POLICY)
    done = learn("--approve-by", "policy.toml", "--rate", "0.005", "-o", "taught")
    assert done.exit_code == 1
    assert "nothing was written" in done.stderr
    assert not (place / "taught" / "learnt").exists()


def test_a_run_with_learn_ends_in_a_proposal_and_no_more(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = (one for one in (place / ".hauberk" / "probe").iterdir() if one.is_dir())
    run._proposed(RunFolder(str(path), read_manifest(str(path))))
    said = capsys.readouterr().err
    assert "7 samples, 1 proposed rules" in said
    assert "nothing of it is learnt before somebody approves" in said
    assert not list(place.glob(".hauberk/learn/*/approved.json"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothere",), "no run 'nothere'"),
        (("--approve", "--approve-by", "x"), "choose one"),
        (("--approve-by", "missing.toml"), "missing.toml: cannot be read"),
        (("--ordinary", "missing.jsonl"), "missing.jsonl: cannot be read"),
        (("--check", "missing"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_line(place: Path, arguments: tuple[str, ...], said: str) -> None:
    del place
    done = learn(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr.splitlines()[-1]
