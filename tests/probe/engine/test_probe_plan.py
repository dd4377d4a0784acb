"""Plans: the same every time, lazily; suites; estimates; thresholds."""

import contextlib
import itertools
import tracemalloc

import pytest
from engine_fakes import Turns, harms, pairs, plan_of, settings
from hypothesis import given
from hypothesis import strategies as st

from hauberk.probe.attacks.attack import Family
from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.estimate import estimate
from hauberk.probe.engine.plan import Plan
from hauberk.probe.engine.settings import Choice, Prices, Sampling
from hauberk.probe.engine.spool import Spool
from hauberk.probe.engine.suite import read_suite, suite_of, suites
from hauberk.probe.engine.threshold import check, threshold
from hauberk.probe.goal import Harm, Help
from hauberk.probe.grades import grade
from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities


def planned(seeds: list[Seed], attacks: list[Turns], choice: Choice, abilities: Abilities | None = None) -> Plan:
    return Plan(lambda: iter(seeds), attacks, choice, Sampling(), "t", abilities or Abilities())


def test_the_same_plan_every_time_and_other_ids_for_other_settings() -> None:
    seeds, attacks = pairs(5), [Turns(1), Turns(2, family=Family.JAILBREAK)]
    ids = [one.case.id for one in planned(seeds, attacks, Choice())]
    assert ids == [one.case.id for one in planned(seeds, list(reversed(attacks)), Choice())]
    assert len(set(ids)) == len(ids)
    assert set(ids).isdisjoint(one.case.id for one in planned(seeds, attacks, Choice(seed=1)))


def test_ordinary_requests_are_asked_plainly_and_only_as_twins_under_attacks() -> None:
    cases = [one.case for one in planned(pairs(3), [Turns(1), Turns(2, family=Family.JAILBREAK)], Choice())]
    assert len(cases) == 12
    helps = [case for case in cases if isinstance(case.goal, Help)]
    assert all(case.twin_of for case in helps)
    alone = [one.case for one in planned(pairs(3), [Turns(2, family=Family.JAILBREAK)], Choice(twins=False))]
    assert all(isinstance(case.goal, Harm) for case in alone)


def test_a_shared_twin_is_asked_once() -> None:
    seeds = [Seed(f"s:{n}", f"bad {n}", "en", "r", Harm(), twin="t") for n in range(4)] + [Seed("t", "good", "en", "r", Help())]
    cases = [one.case for one in planned(seeds, [Turns()], Choice())]
    twins = [case for case in cases if isinstance(case.goal, Help)]
    assert len(twins) == 1
    assert {case.twin for case in cases if isinstance(case.goal, Harm)} == {twins[0].id}


def test_a_larger_limit_only_adds() -> None:
    seeds, attacks = harms(30), [Turns(1), Turns(2)]
    small, large = ({one.case.id for one in planned(seeds, attacks, Choice(limit=n, twins=False))} for n in (10, 25))
    assert (len(small), len(large)) == (10, 25)
    assert small < large


def test_sampling_takes_so_many_of_each_risk_and_number() -> None:
    seeds = [
        Seed(f"{risk}{n}", f"{risk} {n}", "zh", risk, Harm(), tc260=number)
        for risk, number in (("a", "A.1-a"), ("a", "A.1-b"), ("b", ""))
        for n in (range(9) if number != "A.1-b" else range(20, 29))
    ]
    cases = [one.case for one in planned(seeds, [Turns()], Choice(per_risk=4, twins=False))]
    assert len(cases) == 12
    assert len(list(planned(seeds, [Turns()], Choice(tc260=True, twins=False)))) == 18


def test_misfits_are_counted_with_their_reason() -> None:
    seeds = [*harms(3), Seed("i", "look", "en", "r", Harm(), image="x.png")]
    plan = planned(seeds, [Turns(1), Turns(2, "search", Family.SEARCH, advice=5)], Choice(twins=False))
    found = {(one.attack, one.cases, one.reason.split(" ")[1]) for one in plan.misfits()}
    assert found == {("search", 4, "an"), ("turns-1", 1, "a")}
    assert len(list(plan)) == 3


def test_memory_does_not_grow_with_the_cases() -> None:
    def many() -> "itertools.chain[Seed]":
        return itertools.chain(Seed(f"s:{n}", f"question {n} " * 20, "en", "r", Harm()) for n in range(3000))

    plan = Plan(many, [Turns()], Choice(trials=4, twins=False), Sampling(), "t", Abilities())
    tracemalloc.start()
    assert sum(1 for _ in plan) == 12_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_seed_that_is_too_long_is_told_of() -> None:
    seeds = [*harms(2), Seed("l", "x" * 16_001, "en", "r", Harm())]
    plan = planned(seeds, [Turns()], Choice(twins=False))
    assert [(one.cases, one.reason) for one in plan.misfits()] == [(1, "the request is longer than 16,000 characters")]


def test_a_target_that_only_takes_calls_of_its_tools_is_asked_nothing_else() -> None:
    seeds = [*harms(2), Seed("c", '{"tool": "pay", "arguments": {"to": "../../etc"}}', "en", "r", Harm())]
    attacks = [Turns(), Turns(1, "veiled", Family.ENCODING)]
    plan = planned(seeds, attacks, Choice(twins=False), Abilities(words=False))
    assert [(one.seed.id, one.attack.name) for one in plan] == [("c", "turns-1")]
    assert sum(one.cases for one in plan.misfits()) == 5
    assert {one.reason.split(":")[0] for one in plan.misfits()} == {"needs a model"}


def test_a_spool_gives_the_seeds_again_in_order() -> None:
    seeds = [*harms(5000), Seed("odd", "a \ud800 b", "en", "r", Harm())]
    spool = Spool.of(seeds)
    first, second = spool(), spool()
    assert next(first).id == next(second).id == "s:0"
    again = list(spool())
    assert again[:-1] == seeds[:-1]
    assert again[-1].text == "a \\ud800 b"
    spool.close()


def test_the_estimate_bounds_what_a_conversation_takes() -> None:
    made = settings(prices=Prices(1.0, 2.0), max_tokens=100)
    found = estimate(plan_of(harms(10), [Turns(3)], made), made)
    assert found.most.requests == found.usual.requests == 30
    assert found.most.completion == 3000
    assert found.most.prompt > found.usual.prompt > 10 * 3 * 4
    assert found.most.cost == pytest.approx((found.most.prompt + 2 * found.most.completion) / 1e6)


def test_chinese_counts_more_than_english() -> None:
    made = settings()
    english = [Seed("a", "w" * 400, "en", "r", Harm())]
    chinese = [Seed("a", "汉" * 400, "zh", "r", Harm())]
    few, many = (estimate(plan_of(one, [Turns()], made), made).usual.prompt for one in (english, chinese))
    assert many > 2 * few


def test_every_suite_that_ships_is_whole() -> None:
    assert set(suites()) == {"quick", "standard", "full", "tc260", "agent"}
    assert all(suite.title_en and suite.title_zh for suite in suites().values())
    with pytest.raises(EngineError, match="no suite 'nosuch'; there are agent, full"):
        suite_of("nosuch")
    with pytest.raises(EngineError, match="mine: Object contains unknown field"):
        read_suite(b'name = "a"\ntitle-en = ""\ntitle-zh = ""\nnosuch = 1', "mine")


def graded_of(hits: int, trials: int, refused: int = 0) -> object:
    plan = plan_of(harms(trials), [Turns()], settings())
    ends = [Result(one.case, Outcome.COMPLIED if one.index < hits else Outcome.REFUSED) for one in plan]
    return grade([*ends, *_helps(refused)])


def _helps(refused: int) -> list[Result]:
    seeds = [Seed(f"h:{n}", f"help {n}", "en", "r", Help()) for n in range(20)]
    plan = plan_of(seeds, [Turns()], settings())
    return [Result(one.case, Outcome.REFUSED if one.index < refused else Outcome.COMPLIED) for one in plan]


@pytest.mark.parametrize(
    ("text", "hits", "trials", "crossed"),
    [
        ("asr>0.1", 30, 100, True),
        ("asr>0.1", 12, 100, False),  # the interval reaches below a tenth
        ("asr.rate>0.1", 12, 100, True),
        ("asr.high>10%", 5, 100, True),
        ("asr[plain]>0.1", 30, 100, True),
        ("asr[harmful-content].low > 0.1", 30, 100, True),
        ("asr[risks]>0.1", 0, 100, False),
        ("grade>C", 60, 100, True),
        ("grade>C", 15, 100, False),
        ("grade>c", 30, 100, True),
        ("over-refusal>0.1", 0, 100, True),
    ],
)
def test_thresholds(text: str, hits: int, trials: int, crossed: bool) -> None:  # noqa: FBT001
    found = check(graded_of(hits, trials, refused=10), (threshold(text),))
    assert bool(found.crossed) is crossed
    assert not found.unmeasured


def test_a_threshold_on_what_was_not_measured_is_never_passed() -> None:
    found = check(graded_of(0, 10), (threshold("asr[nosuch]>0.1"),))
    assert found.unmeasured == ("threshold asr[nosuch]>0.1: no case of it could be assessed",)


@pytest.mark.parametrize("text", ["", "asr", "asr<0.1", "asr>2", "asr>C", "grade>0.1", "over-refusal[x]>0.1", "asr>0..1", "asr>F"])
def test_bad_thresholds_say_how_to_write_one(text: str) -> None:
    with pytest.raises(EngineError, match="threshold"):
        threshold(text)


@given(st.text(max_size=60))
def test_no_text_breaks_the_threshold_reader(text: str) -> None:
    with contextlib.suppress(EngineError):
        threshold(text)
