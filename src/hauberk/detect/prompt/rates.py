"""Thresholds by the share of ordinary messages that may be flagged by mistake."""

from functools import cache

from hauberk.detect.prompt import calibration
from hauberk.detect.prompt.judge import DATA


@cache
def _shipped() -> calibration.Calibration:
    return calibration.read(DATA / "model.json")


def threshold(head: str, rate: float) -> float:
    """The score of `head` (`attack`, `indirect`, `harm`) from which at most `rate` of ordinary messages lie.

    Raises:
        KeyError: when there is no such head.
    """
    return _shipped().heads[head].threshold(rate)
