"""The cascade: n-grams judge every window of every view, the encoder the windows they are unsure of."""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from hauberk.assets.chat import Direction, MessageContent
from hauberk.core import Gap, GapReason
from hauberk.detect.normalise import View, views
from hauberk.detect.prompt import calibration
from hauberk.detect.prompt.calibration import Calibration, HeadCalibration
from hauberk.detect.prompt.encoder_model import EncoderModel
from hauberk.detect.prompt.judgement import Judgement, Span
from hauberk.detect.prompt.labels import CATEGORIES, CATEGORY_AT, KIND_AT, KINDS, Voice
from hauberk.detect.prompt.ngram_model import F32, NgramModel
from hauberk.detect.prompt.windows import spans

DATA = Path(__file__).with_name("data")
MOST_TEXT = 1 << 20
"""Characters that are judged; what lies beyond is a Gap."""
MOST_ENCODED = 3
"""Windows of one message that the encoder is asked about, the least settled first, and as many of what its encodings say: a
disguise that makes a text longer must not take their place."""
RISKS = {"goal-hijack": "prompt-injection", "prompt-leak": "system-prompt-leakage", "jailbreak": "jailbreak"}

UNSURE = (0.05, 0.001)
"""False-alarm rates between whose scores a message is uncertain."""

Third = Callable[[str, Judgement], float | None]
"""A third stage: text and judgement so far, giving a probability of attack, or None if it does not know."""


class _Window(msgspec.Struct):
    """One window of one view with what is known of it."""

    view: View
    start: int
    end: int
    first: F32  # logits of stage 1
    second: F32 | None = None

    @property
    def text(self) -> str:
        return self.view.text[self.start : self.end]


class PromptJudge:
    """Judges messages. Thread safe: the models are only read, and the encoder is loaded once, when first needed."""

    def __init__(
        self, folder: Path = DATA, *, encode: bool = True, third: Third | None = None, unsure: tuple[float, float] = UNSURE
    ) -> None:
        """Reads the first stage from `folder`.

        Args:
            folder: Where the models and `model.json` lie.
            encode: Whether the second stage may be asked; without it what the first leaves open is a Gap.
            third: Asked about what is still uncertain after both; off unless given.
            unsure: False-alarm rates between whose scores that is.
        """
        self._folder = folder
        self._ngrams = NgramModel.read(folder)
        self.calibration: Calibration = calibration.read(folder / "model.json")
        self._third = third
        self._unsure = unsure
        self._encoder: EncoderModel | None = None
        self._missing = "" if encode else "the encoder is switched off"
        self._lock = threading.Lock()

    def judge(self, message: MessageContent) -> Judgement:
        """What is concluded of `message`, worked out once for all detectors."""
        return message.once("judgement", lambda: self._judged(message))

    def judge_many(self, messages: Iterable[MessageContent]) -> Iterator[Judgement]:
        """`judge` of each, in order."""
        return map(self.judge, messages)

    def _judged(self, message: MessageContent) -> Judgement:
        voice = voice_of(message)
        read = views(message)
        gaps = [*read.gaps]
        windows: list[_Window] = []
        for view in read.views:
            if len(view.text) > MOST_TEXT:
                gaps.append(Gap("", GapReason.TOO_LARGE, f"the first {MOST_TEXT} characters were judged", offset=MOST_TEXT))
                view = msgspec.structs.replace(view, text=view.text[:MOST_TEXT])  # noqa: PLW2901 - the cut view is the one judged
            places = spans(view.text)
            logits = self._ngrams.logits(view.text, places, voice)
            windows += [_Window(view, *place, row) for place, row in zip(places, logits, strict=True)]
        heads = heads_of(voice)
        asked, undecided = self._ask_encoder(windows, heads, voice)
        if undecided:
            gaps.append(Gap("", GapReason.UNDECIDED, undecided))
        judgement = self._concluded(message, windows, heads, 2 if asked else 1, tuple(gaps))
        # Answers are judged window by window as they stream, which is no place to wait for a third.
        return self._asked_third(message, judgement) if self._third and message.direction is Direction.INPUT else judgement

    def _ask_encoder(self, windows: list[_Window], heads: dict[str, int], voice: Voice) -> tuple[bool, str]:
        """Has the unsettled windows encoded; whether any was, and why not if one should have been."""
        unsure = {name: at for name, at in heads.items() if not self._certain(windows, name, at)}
        doubts = sorted(((self._doubt(window, unsure), number) for number, window in enumerate(windows)), reverse=True)
        doubtful = [windows[number] for doubt, number in doubts if doubt > 0]
        decoded = [window for window in doubtful if window.view.steps]
        chosen = [window for window in doubtful if not window.view.steps][:MOST_ENCODED] + decoded[:MOST_ENCODED]
        if not chosen:
            return False, ""
        encoder = self._load()
        if encoder is None:
            return False, self._missing
        try:
            for window in chosen:
                window.second = encoder.logits(window.text, voice)
        except Exception as error:  # noqa: BLE001 - whatever the runtime raises, the message stays undecided
            return False, f"the encoder failed: {type(error).__name__}: {error}"[:200]
        return True, ""

    def _doubt(self, window: _Window, heads: dict[str, int]) -> float:
        """The highest unsettled probability of stage 1; 0 when every head is settled."""
        found = 0.0
        for name, at in heads.items():
            head = self.calibration.heads[name]
            probability = head.alone(float(window.first[at]))
            if head.unsettled(probability):
                found = max(found, probability)
        return found

    def _certain(self, windows: list[_Window], name: str, at: int) -> bool:
        """Whether some window is a hit beyond doubt, so that the rest does not matter for this head."""
        head = self.calibration.heads[name]
        return any(head.alone(float(window.first[at])) >= head.band[1] for window in windows)

    def _load(self) -> EncoderModel | None:
        if self._encoder is None and not self._missing:
            with self._lock:
                if self._encoder is None:
                    try:
                        self._encoder = EncoderModel(self._folder)
                    except Exception as error:  # noqa: BLE001 - no runtime, no file, another version: stage 1 goes on alone
                        self._missing = f"no second stage: {type(error).__name__}: {error}"[:200]
        return self._encoder

    def _concluded(
        self, message: MessageContent, windows: list[_Window], heads: dict[str, int], stage: int, gaps: tuple[Gap, ...]
    ) -> Judgement:
        scores: dict[str, float] = {}
        found: list[Span] = []
        tops: dict[str, _Window] = {}
        for name, at in heads.items():
            rated = [_probability(self.calibration.heads[name], window, at) for window in windows]
            best = int(np.argmax(rated))
            scores[name], tops[name] = rated[best], windows[best]
            found.append(_span(message, windows[best], name, rated[best]))
        leading = max(scores, key=lambda name: scores[name])
        kind, category = _named(tops[next(iter(heads))], tops["harm"])
        risk = (
            "harmful-content"
            if leading == "harm"
            else "prompt-injection"
            if leading == "indirect"
            else RISKS.get(kind, "prompt-injection")
        )
        return Judgement(scores[next(iter(heads))], scores, stage, tuple(found), gaps, risk, kind, category)

    def _asked_third(self, message: MessageContent, judgement: Judgement) -> Judgement:
        leading = next(iter(judgement.heads))
        head = self.calibration.heads[leading]
        if self._third is None or not head.threshold(self._unsure[0]) <= judgement.score < head.threshold(self._unsure[1]):
            return judgement
        answer = self._third(message.text, judgement)
        if answer is None:
            gap = Gap("", GapReason.UNDECIDED, "the third stage gave no answer")
            return msgspec.structs.replace(judgement, gaps=(*judgement.gaps, gap))
        return msgspec.structs.replace(judgement, score=answer, heads={**judgement.heads, leading: answer}, stage=3)


def _probability(head: HeadCalibration, window: _Window, at: int) -> float:
    first = float(window.first[at])
    return head.alone(first) if window.second is None else head.together(first, float(window.second[at]))


def _span(message: MessageContent, window: _Window, name: str, score: float) -> Span:
    offset, length = message.byte_span(*window.view.origin(window.start, window.end))
    return Span(offset, length, name, score, " ".join(window.view.steps))


def _named(attack: _Window, harm: _Window) -> tuple[str, str]:
    """The likeliest kind of attack and category of harm, by the later stage that was asked."""
    kinds = _last(attack)[KIND_AT:CATEGORY_AT]
    categories = _last(harm)[CATEGORY_AT:]
    return KINDS[int(np.argmax(kinds))], CATEGORIES[int(np.argmax(categories))]


def _last(window: _Window) -> Any:
    return window.first if window.second is None else window.second


def voice_of(message: MessageContent) -> Voice:
    """Whose words a message is judged as."""
    if message.role.foreign:
        return Voice.FOREIGN
    return Voice.MODEL if message.direction is Direction.OUTPUT else Voice.USER


def heads_of(voice: Voice) -> dict[str, int]:
    """The heads that judge a voice, the one that gives the score first, and the output of the models that each one reads."""
    if voice is Voice.MODEL:
        return {"harm": 1}
    return {"indirect" if voice is Voice.FOREIGN else "attack": 0, "harm": 1}


@cache
def judge() -> PromptJudge:
    """The judge with the shipped models, loaded when first asked for."""
    return PromptJudge()
