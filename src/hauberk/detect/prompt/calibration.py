"""From logits to probabilities, the band in which stage 1 does not decide, and thresholds by false-alarm rate: `model.json`."""

import bisect
import math
from pathlib import Path

import msgspec


class HeadCalibration(msgspec.Struct, frozen=True):
    """Of one head.

    Attributes:
        first: Slope and offset of stage 1's logit (Platt 1999).
        both: Weights of stage 1's and stage 2's logits and an offset, where both were asked.
        band: Probabilities of stage 1 between which stage 2 is asked.
        thresholds: False-alarm rate on ordinary traffic, ascending, and the score it is kept from.
    """

    first: tuple[float, float]
    both: tuple[float, float, float]
    band: tuple[float, float]
    thresholds: tuple[tuple[float, float], ...]

    def alone(self, logit: float) -> float:
        """Probability by stage 1."""
        return sigmoid(self.first[0] * logit + self.first[1])

    def together(self, one: float, two: float) -> float:
        """Probability by both stages' logits."""
        return sigmoid(self.both[0] * one + self.both[1] * two + self.both[2])

    def unsettled(self, probability: float) -> bool:
        """Whether stage 1 leaves it to stage 2."""
        return self.band[0] <= probability < self.band[1]

    def threshold(self, rate: float) -> float:
        """The score from which a share of `rate` of ordinary messages lies, straight in log rate between measured points.

        Beyond the least measured rate the score goes on rising in logit, a tenth of the rate for each further step of 2.
        """
        rates = [point[0] for point in self.thresholds]
        if rate <= rates[0]:
            steps = math.log10(rates[0] / max(rate, 1e-9))
            return sigmoid(logit_of(self.thresholds[0][1]) + 2 * steps)
        if rate >= rates[-1]:
            return self.thresholds[-1][1] if rate < 1 else 0.0
        at = bisect.bisect_right(rates, rate)
        (low, high_score), (high, low_score) = self.thresholds[at - 1], self.thresholds[at]
        part = (math.log(rate) - math.log(low)) / (math.log(high) - math.log(low))
        return sigmoid(logit_of(high_score) * (1 - part) + logit_of(low_score) * part)


class Calibration(msgspec.Struct, frozen=True):
    """Of all heads, with the version of the models it belongs to."""

    version: str
    heads: dict[str, HeadCalibration]


def sigmoid(value: float) -> float:
    """The logistic function, without overflow."""
    if value >= 0:
        return 1 / (1 + math.exp(-min(value, 500.0)))
    part = math.exp(max(value, -500.0))
    return part / (1 + part)


def logit_of(probability: float) -> float:
    """The inverse of `sigmoid`, finite at 0 and 1."""
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))


def read(path: Path) -> Calibration:
    """The calibration in a JSON file. Raises OSError, or msgspec.ValidationError when it has another form."""
    return msgspec.json.decode(path.read_bytes(), type=Calibration)
