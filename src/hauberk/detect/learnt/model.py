"""The detector: one set of weights for users' words and one for foreign texts, each with its thresholds."""

from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk.assets.chat import Direction, MessageContent
from hauberk.core import Gap, GapReason, Rule
from hauberk.detect.learnt.grams import SIZE, windows
from hauberk.detect.normalise import views
from hauberk.detect.prompt.calibration import HeadCalibration, sigmoid

MOST_TEXT = 1 << 20
"""Characters that are judged; what lies beyond is a Gap."""


class Scored(msgspec.Struct, frozen=True):
    """The highest score of a message, and where it is.

    Attributes:
        score: 0 to 1; a ranking, not a calibrated probability: thresholds come from ordinary texts.
        offset, length: Bytes of the window in the message as it came.
        view: The decodings under which it was read.
        gaps: What was not judged.
    """

    score: float
    offset: int = 0
    length: int = 0
    view: str = ""
    gaps: tuple[Gap, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """Weights of one voice.

    Attributes:
        index: Little-endian int32, the buckets in ascending order.
        weights: Little-endian float32, one for each.
        bias: Offset of the logit.
        thresholds: Share of ordinary messages, ascending, and the score that so many of them reach or exceed.
        ordinary: Ordinary texts that the thresholds rest on, none of which was learnt from when it was scored.
        alarms: How many of those reach the threshold at the model's rate.
    """

    index: bytes
    weights: bytes
    bias: float
    thresholds: tuple[tuple[float, float], ...]
    ordinary: int
    alarms: int

    def threshold(self, rate: float) -> float:
        """The score from which at most `rate` of ordinary messages lie."""
        return HeadCalibration((1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0), self.thresholds).threshold(rate)

    def dense(self) -> npt.NDArray[np.float32]:
        """The weight of every bucket."""
        made = np.zeros(SIZE, np.float32)
        made[np.frombuffer(self.index, "<i4")] = np.frombuffer(self.weights, "<f4")
        return made


class Learnt(msgspec.Struct, frozen=True, dict=True):
    """What was learnt: heads by voice (`user`, `foreign`), the approved rules, and the rate they were made for.

    Thread safe: what is worked out once is only read afterwards.
    """

    rate: float
    heads: dict[str, Head]
    rules: tuple[Rule, ...] = ()
    samples: int = 0
    tool: str = ""

    @cached_property
    def _weights(self) -> dict[str, npt.NDArray[np.float32]]:
        return {name: head.dense() for name, head in self.heads.items()}

    def head_of(self, message: MessageContent) -> Head | None:
        """Who judges `message`; None when nothing was learnt about its voice."""
        return self.heads.get(voice(message)) if message.direction is Direction.INPUT and not message.role.trusted else None

    def threshold(self, rate: float) -> float:
        """The score from which at most `rate` of ordinary messages of either voice lie; 0 at a rate that findings keep anyway."""
        return 0.0 if rate >= self.rate else max((head.threshold(rate) for head in self.heads.values()), default=1.0)

    def score(self, message: MessageContent) -> Scored:
        """The highest score over every window of every reading of `message`."""
        head = self.head_of(message)
        if head is None:
            return Scored(0.0)
        weights, best, scored, gaps = self._weights[voice(message)], -np.inf, Scored(0.0), ()
        for view in views(message).views:
            text = view.text
            if len(text) > MOST_TEXT:
                gaps = (Gap("", GapReason.TOO_LARGE, f"the first {MOST_TEXT} characters were judged", offset=MOST_TEXT),)
                text = text[:MOST_TEXT]
            for start, end, numbers in windows(text):
                margin = float(weights[numbers].sum()) / max(len(numbers), 1) ** 0.5 + head.bias
                if margin > best:
                    best = margin
                    offset, length = message.byte_span(*view.origin(start, end))
                    scored = Scored(sigmoid(margin), offset, length, " ".join(view.steps))
        return msgspec.structs.replace(scored, gaps=gaps)


def voice(message: MessageContent) -> str:
    """`foreign` for a tool's or a document's words, else `user`."""
    return "foreign" if message.role.foreign else "user"
