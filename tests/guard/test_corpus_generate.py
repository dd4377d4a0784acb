import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from evals.guard.data import generate
from evals.guard.data.families import side
from evals.guard.data.grammar import expand

ROWS = list(generate.rows())


def test_expansion_is_deterministic_and_without_repeats() -> None:
    slots = {"a": ["x", "y"], "b": ["{a}1", "{a}2"]}
    assert expand("{b} {c}", slots, 9, "seed") == expand("{b} {c}", slots, 9, "seed")
    assert set(expand("{b} {c}", slots, 9, "seed")) == {"x1 {c}", "x2 {c}", "y1 {c}", "y2 {c}"}


def test_generation_is_deterministic() -> None:
    assert list(generate.rows()) == ROWS


def test_no_mark_and_no_unfilled_slot_is_left() -> None:
    names = {name for family in generate.grammars() for name in generate.slots_of(family)}
    slot = re.compile(r"\{(" + "|".join(sorted(names)) + r")\}")
    assert not [row.text for row in ROWS if generate.MARK in row.text or slot.search(row.text) or not row.text.strip()]


def test_patterns_stand_once_and_families_are_named_once() -> None:
    families = generate.grammars()
    assert len({family.name for family in families}) == len(families)
    patterns = [(family.lang, pattern) for family in families for pattern in family.patterns]
    assert len(set(patterns)) == len(patterns)


def test_a_carried_payload_stays_on_its_carriers_side() -> None:
    homes = {row.text: row.group for row in ROWS if row.source.startswith("own:carrier")}
    assert {side(group) for group in homes.values()} <= {"train", "calibration"}


def test_labels_follow_kinds() -> None:
    assert all((row.label == 0) == row.kind.startswith("benign") for row in ROWS)


def test_both_languages_have_both_labels_for_users() -> None:
    assert {(row.lang, row.label) for row in ROWS if row.role == "user"} >= {("zh", 0), ("zh", 1), ("en", 0), ("en", 1)}
