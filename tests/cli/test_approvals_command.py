from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from hauberk.cli.guard.approvals import command
from hauberk.guard.approvals import SqliteLedger


def test_a_queue_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Regression: a mistyped path made an empty queue, which said in silence that nothing waits."""
    mistyped = tmp_path / "aprovals.db"
    done = CliRunner().invoke(command, ["list", "--store", str(mistyped)])
    assert done.exit_code != 0
    assert "there is no queue" in str(done.exception) + done.output
    assert not mistyped.exists()


def test_an_empty_queue_says_so(tmp_path: Path) -> None:
    store = str(tmp_path / "approvals.db")
    with closing(SqliteLedger(store)):
        pass
    done = CliRunner().invoke(command, ["list", "--store", store])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "nothing waits for an answer\n")
