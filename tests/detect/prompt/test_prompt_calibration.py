import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect.prompt.calibration import HeadCalibration, logit_of, sigmoid
from hauberk.detect.prompt.rates import threshold

HEAD = HeadCalibration((1.0, -1.0), (0.5, 1.0, 0.0), (0.1, 0.9), ((0.001, 0.9), (0.01, 0.5), (0.1, 0.2)))


@settings(deadline=None)
@given(st.floats(-1e6, 1e6))
def test_the_logistic_stays_within_bounds(value: float) -> None:
    assert 0 <= sigmoid(value) <= 1


@settings(deadline=None)
@given(st.floats(-20, 20))
def test_logit_undoes_sigmoid(value: float) -> None:
    assert logit_of(sigmoid(value)) == pytest.approx(value, abs=1e-3)


@settings(deadline=None)
@given(st.floats(1e-6, 0.5), st.floats(1e-6, 0.5))
def test_a_lower_rate_never_has_a_lower_threshold(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert HEAD.threshold(low) >= HEAD.threshold(high) - 1e-12


def test_measured_rates_give_their_scores_and_those_between_lie_between() -> None:
    assert HEAD.threshold(0.01) == pytest.approx(0.5)
    assert HEAD.threshold(0.001) == pytest.approx(0.9)
    assert 0.2 < HEAD.threshold(0.03) < 0.5
    assert HEAD.threshold(0.0001) > 0.9
    assert HEAD.threshold(1.0) == 0


def test_a_higher_logit_is_a_higher_probability_in_both_stages() -> None:
    assert HEAD.alone(2) > HEAD.alone(1)
    assert HEAD.together(1, 2) > HEAD.together(1, 1)


def test_what_lies_in_the_band_is_unsettled() -> None:
    assert HEAD.unsettled(0.5)
    assert not HEAD.unsettled(0.05)
    assert not HEAD.unsettled(0.95)


@pytest.mark.parametrize("head", ["attack", "indirect", "harm"])
def test_the_shipped_thresholds_fall_with_the_rate(head: str) -> None:
    found = [threshold(head, rate) for rate in (0.0005, 0.001, 0.005, 0.01, 0.05)]
    assert found == sorted(found, reverse=True)


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(KeyError):
        threshold("mood", 0.01)
