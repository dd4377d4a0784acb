"""A run that asked other things is named beside the comparison."""

import msgspec

from hauberk.cli.probe.report import other_plan
from hauberk.probe.engine.folder import Manifest
from hauberk.probe.engine.settings import Choice, RunSettings

QUICK = Manifest("a1", "2026-11-21T10:00:00+00:00", "0.1.0", "t", RunSettings(choice=Choice(suite="quick")), cases=400)


def test_the_same_questions_to_another_target_need_no_word() -> None:
    assert other_plan("compared", msgspec.structs.replace(QUICK, id="b2", target="other"), QUICK) == []


def test_a_run_of_another_suite_or_size_is_named() -> None:
    full = msgspec.structs.replace(QUICK, id="b2", settings=RunSettings(choice=Choice(suite="full")), cases=9000)
    (line,) = other_plan("compared", full, QUICK)
    assert "b2" in line
    assert "full, 9000 cases; this one quick, 400 cases" in line
    assert other_plan("reference", msgspec.structs.replace(QUICK, id="b2", cases=56), QUICK)
