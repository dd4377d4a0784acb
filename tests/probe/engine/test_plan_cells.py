"""A suite bounds the cases of each risk, family and language, so that it stays as small as it says."""

from collections import Counter

from hauberk.probe.attacks import all_attacks
from hauberk.probe.engine.plan import Plan
from hauberk.probe.engine.settings import Choice, Sampling
from hauberk.probe.engine.suite import suite_of
from hauberk.probe.seeds import load, own_names
from hauberk.probe.targets.target import Abilities

SEEDS = tuple(load(own_names()))
ATTACKS = tuple(all_attacks()[name] for name in ("plain", "base64", "rot13", "refusal-suppression"))


def plan(**choice: int) -> Plan:
    return Plan(lambda: iter(SEEDS), ATTACKS, Choice(**choice), Sampling(), "t", Abilities())


def test_cells_are_bounded_and_a_larger_bound_only_adds() -> None:
    small, large = plan(per_cell=2), plan(per_cell=5)
    cells = Counter((one.case.risk, one.case.family, one.case.lang, one.case.wanted) for one in small if not one.case.twin_of)
    assert max(cells.values()) == 2
    assert len(cells) > 20
    assert {one.case.id for one in small} <= {one.case.id for one in large}


def test_two_targets_are_asked_the_same() -> None:
    one, other = (
        [
            (each.case.attack, each.case.seed)
            for each in Plan(lambda: iter(SEEDS), ATTACKS, Choice(per_cell=2), Sampling(), name, Abilities())
        ]
        for name in ("direct", "guarded")
    )
    assert one == other


def test_a_limit_holds_over_all_cells() -> None:
    own = [one for one in plan(per_cell=5, limit=17) if not one.case.twin_of]
    assert len(own) == 17


def test_the_quick_suite_is_a_few_hundred_requests() -> None:
    made = Plan(lambda: iter(SEEDS), tuple(all_attacks().values()), suite_of("quick").choice(), Sampling(), "t", Abilities())
    assert 100 < sum(1 for _ in made) < 800
