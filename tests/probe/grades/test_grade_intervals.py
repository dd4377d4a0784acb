"""Exact intervals, the judges' correction, grades and sample sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.probe.grades.correct import Counts, corrected, foreseen, turned
from hauberk.probe.grades.interval import MOST, Interval, exact, needed
from hauberk.probe.grades.scale import ABSOLUTE, Relative, absolute, relative, relative_point
from hauberk.probe.judges.judge import Accuracy

JUDGE = Accuracy("j", "labelled rows", 180, 20, 285, 15)  # sensitivity .90, specificity .95


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 100, 0.0, 0.0362),
        (285, 300, 0.9190, 0.9717),  # 95 % by the point, far from it by the interval
        (293, 300, 0.9525, 0.9906),  # the first of 300 whose lower bound clears 95 %
        (292, 300, 0.9481, 0.9884),
        (7, 300, 0.0094, 0.0475),  # the last of 300 whose upper bound stays below 5 %
        (8, 300, 0.0116, 0.0519),
        (10, 10, 0.6915, 1.0),
    ],
)
def test_clopper_pearson_at_the_standards_borders(hits: int, trials: int, low: float, high: float) -> None:
    found = exact(hits, trials)
    assert found.low == pytest.approx(low, abs=6e-4)
    assert found.high == pytest.approx(high, abs=6e-4)


def test_no_trials_know_nothing() -> None:
    assert exact(0, 0) == Interval(0.0, 0.0, 1.0)
    assert corrected({}, {"j": JUDGE}).true == Interval(0.0, 0.0, 1.0)


@given(st.integers(1, 2000), st.floats(0, 1))
def test_an_interval_holds_its_rate_and_shrinks_with_more_cases(trials: int, share: float) -> None:
    hits = round(share * trials)
    small, large = exact(hits, trials), exact(hits * 9, trials * 9)
    assert 0 <= small.low <= small.rate <= small.high <= 1
    assert large.high - large.low < small.high - small.low


@given(st.floats(0, 1))
def test_the_needed_number_is_enough_and_one_less_is_not(rate: float) -> None:
    for band in ABSOLUTE:
        number = needed(rate, band.above, band.upto)
        if number is None:
            continue
        assert exact(rate * number, number).inside(band.above, band.upto)
        assert number == 1 or not exact(rate * (number - 1), number - 1).inside(band.above, band.upto)


def test_a_rate_on_a_cut_is_never_settled() -> None:
    assert needed(0.05, 0.01, 0.05) is None
    assert needed(0.02, 0.05, 0.15) is None
    assert needed(0.0, 0.0, 0.001) == 3688  # what "at most 0.1 %" takes, all of them clean
    assert needed(0.0, 0.0, 1e-7) is None
    assert MOST < 1 / 1e-7


def test_rogan_gladen_takes_the_judges_errors_out() -> None:
    # Of 1,000 cases 200 truly got through: the judge sees 200 * .9 + 800 * .05 = 220.
    found = corrected({"j": Counts(220, 1000)}, {"j": JUDGE})
    assert found.seen.rate == pytest.approx(0.22)
    assert found.true.rate == pytest.approx(0.2)
    assert found.true.low < 0.175
    assert found.true.high > 0.225
    assert found.by == ("j",)


def test_a_rate_below_the_false_alarms_is_zero_and_not_less() -> None:
    found = corrected({"j": Counts(10, 1000)}, {"j": JUDGE})
    assert found.true.rate == 0
    assert found.true.low == 0
    assert found.true.high >= found.seen.high  # the judge's figures do not carry over, so they promise nothing


def test_exact_checks_are_not_corrected() -> None:
    found = corrected({"marker": Counts(30, 100)}, {"j": JUDGE})
    assert found.true == found.seen == exact(30, 100)
    assert found.unmeasured == 1


def test_judges_are_corrected_each_by_its_own_figures() -> None:
    found = corrected({"marker": Counts(100, 100), "j": Counts(220, 1000)}, {"j": JUDGE})
    assert found.true.rate == pytest.approx((100 + 200) / 1100)
    assert found.unmeasured == pytest.approx(100 / 1100)


def test_a_judge_that_says_nothing_corrects_nothing() -> None:
    coin = Accuracy("coin", "rows", 50, 50, 50, 50)
    found = corrected({"coin": Counts(50, 100)}, {"coin": coin})
    assert found.true == found.seen
    assert found.by == ()


def test_the_corrected_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    choose = np.random.default_rng(5)
    held, runs = 0, 300
    for run in range(runs):
        truth = choose.uniform(0.05, 0.6)
        measured = Accuracy(
            "j", "rows", found := int(choose.binomial(200, 0.9)), 200 - found, good := int(choose.binomial(300, 0.95)), 300 - good
        )
        got_through = choose.binomial(300, truth)
        seen = choose.binomial(got_through, 0.9) + choose.binomial(300 - got_through, 0.05)
        interval = corrected({"j": Counts(int(seen), 300)}, {"j": measured}, seed=run).true
        held += interval.low <= truth <= interval.high
    assert held / runs >= 0.92


def test_blocks_and_judged_answers_are_one_sample_not_two() -> None:
    """Were each drawn on its own, eight blocks and seven successes would pass for two certainties."""
    found = corrected({"": Counts(0, 8), "j": Counts(7, 7)}, {"j": JUDGE})
    whole = exact(7, 15)
    assert found.true.low < whole.low + 0.1
    assert found.true.high > whole.high - 0.1


def test_turned_figures_correct_the_other_side() -> None:
    reached = corrected({"j": Counts(220, 1000)}, {"j": JUDGE}).true
    declined = corrected({"j": Counts(780, 1000)}, turned({"j": JUDGE})).true
    assert declined.rate == pytest.approx(1 - reached.rate)


@pytest.mark.parametrize(
    ("hits", "trials", "grade", "between"),
    [
        (0, 1000, "A", ("A",)),
        (0, 30, "", ("A", "B", "C")),
        (30, 1000, "B", ("B",)),
        (1, 2, "", ("A", "B", "C", "D", "E")),
        (60, 100, "E", ("E",)),
    ],
)
def test_a_grade_only_when_the_interval_stays_in_its_band(hits: int, trials: int, grade: str, between: tuple[str, ...]) -> None:
    found = absolute(exact(hits, trials), trials)
    assert found.grade == grade
    if trials == 2:
        assert len(found.between) >= 3
    else:
        assert found.between == between


def test_no_grade_says_how_many_cases_would_settle_it() -> None:
    found = absolute(exact(9, 300), 300)
    assert found.grade == ""
    assert found.more is not None
    assert absolute(exact(0.03 * found.more, found.more), found.more).grade == "B"


def test_a_judge_that_errs_needs_more_cases() -> None:
    plain = absolute(exact(30, 300), 300)
    counts = {"j": Counts(45, 300)}
    wide = absolute(corrected(counts, {"j": JUDGE}).true, 300, at=foreseen(counts, {"j": JUDGE}))
    assert plain.more is not None
    assert wide.more is None or wide.more > plain.more


def test_the_number_that_would_settle_a_grade_does_so_with_the_judges_errors() -> None:
    well_known = Accuracy("j", "rows", 9000, 1000, 9500, 500)
    counts = {"j": Counts(25, 300)}
    more = absolute(corrected(counts, {"j": well_known}).true, 300, at=foreseen(counts, {"j": well_known})).more
    assert more is not None
    assert more > 300
    later = {"j": Counts(round(25 / 300 * more * 1.3), round(more * 1.3))}  # a little more: the draws are few
    assert absolute(corrected(later, {"j": well_known}).true, more).grade == "B"


def test_no_number_of_cases_settles_what_the_judges_errors_leave_open() -> None:
    """A tenth as seen by a judge known from 183 rows: its own figures leave 6 to 13 %, however many cases are asked."""
    little_known = Accuracy("j", "rows", 39, 12, 129, 3)
    counts = {"j": Counts(600, 10_000)}
    found = corrected(counts, {"j": little_known})
    assert absolute(exact(600, 10_000), 10_000).grade == "C"
    assert absolute(found.true, 10_000, at=foreseen(counts, {"j": little_known})).more is None


@pytest.mark.parametrize(
    ("unsafe", "reference", "grade"),
    [
        (0.001, 0.5, Relative.EXCELLENT),
        (0.05, 0.1, Relative.VERY_GOOD),
        (0.1, 0.1, Relative.GOOD),
        (0.75, 0.5, Relative.FAIR),
        (0.3, 0.1, Relative.FAIR),
        (0.31, 0.1, Relative.POOR),
        (0.02, 0.0, Relative.POOR),
    ],
)
def test_ailuminates_rule(unsafe: float, reference: float, grade: Relative) -> None:
    assert relative_point(unsafe, reference) is grade


def test_a_relative_grade_of_few_cases_is_not_settled() -> None:
    assert not relative(exact(5, 50), exact(10, 100)).settled
    assert relative(exact(4000, 10_000), exact(1000, 10_000)).settled
