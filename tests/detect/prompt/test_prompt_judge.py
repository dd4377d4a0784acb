"""The cascade, with a toy first stage that knows one word and an encoder that is a function."""

import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.chat import Direction, MessageContent, Role
from hauberk.core import GapReason
from hauberk.detect.prompt import ngram_model
from hauberk.detect.prompt.calibration import Calibration, HeadCalibration
from hauberk.detect.prompt.grams import BITS, buckets
from hauberk.detect.prompt.judge import MOST_ENCODED, MOST_TEXT, PromptJudge, judge
from hauberk.detect.prompt.judgement import Judgement
from hauberk.detect.prompt.labels import KINDS, OUTPUTS, Voice
from hauberk.detect.prompt.ngram_model import NgramModel
from hauberk.detect.prompt.windows import spans

CLEAR, VAGUE = "xyzzyxyzzy", "plughplugh"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that are sure of CLEAR, unsure of VAGUE and sure that all else is ordinary."""
    made = tmp_path_factory.mktemp("models")
    table = np.zeros((1 << BITS, 2), np.int8)
    for word, weight in ((CLEAR, 120), (VAGUE, 40)):
        table[buckets(word)[0][10:], 0] = weight  # beyond the single letters
    w1 = np.zeros((2, 2 + len(Voice)), np.float32)
    w1[0, 0] = 1
    w2 = np.zeros((OUTPUTS, 2), np.float32)
    w2[0, 0] = 1
    w2[2 + KINDS.index("jailbreak"), 0] = 1
    layers = {"scale": np.float32(0.02), "w1": w1, "b1": np.zeros(2, np.float32), "w2": w2, "b2": np.zeros(OUTPUTS, np.float32)}
    ngram_model.save(made, table, layers)  # pyright: ignore[reportArgumentType]
    head = HeadCalibration((1.0, -3.0), (0.0, 1.0, 0.0), (0.1, 0.9), ((0.001, 0.9), (0.01, 0.5), (0.05, 0.3)))
    quiet = HeadCalibration((1.0, -6.0), (0.0, 1.0, 0.0), (0.4, 0.9), ((0.001, 0.9), (0.01, 0.5), (0.05, 0.3)))
    made.joinpath("model.json").write_bytes(
        msgspec.json.encode(Calibration("toy", {"attack": head, "indirect": head, "harm": quiet}))
    )
    return made


class Fixed:
    """An encoder that always says the same."""

    def __init__(self, attack: float) -> None:
        self.attack = attack
        self.asked: list[str] = []

    def logits(self, text: str, _: Voice) -> np.ndarray:
        self.asked.append(text)
        found = np.full(OUTPUTS, -9.0, np.float32)
        found[0] = self.attack
        return found


def with_encoder(folder: Path, encoder: object) -> PromptJudge:
    made = PromptJudge(folder)
    made._encoder = encoder  # type: ignore[assignment]
    return made


def test_a_clear_case_is_settled_by_the_first_stage(folder: Path) -> None:
    encoder = Fixed(9)
    made = with_encoder(folder, encoder).judge(MessageContent(f"{CLEAR} {CLEAR} {CLEAR}"))
    assert made.stage == 1
    assert made.score > 0.9
    assert made.kind == "jailbreak"
    assert made.risk == "jailbreak"
    assert encoder.asked == []


def test_an_ordinary_text_is_settled_by_the_first_stage(folder: Path) -> None:
    encoder = Fixed(9)
    made = with_encoder(folder, encoder).judge(MessageContent("what a fine day"))
    assert (made.stage, made.gaps, encoder.asked) == (1, (), [])
    assert made.score < 0.1


@pytest.mark.parametrize(("logit", "caught"), [(4.0, True), (-4.0, False)])
def test_the_encoder_decides_what_is_unsure(folder: Path, logit: float, caught: bool) -> None:  # noqa: FBT001
    made = with_encoder(folder, Fixed(logit)).judge(MessageContent(f"{VAGUE} {VAGUE}"))
    assert made.stage == 2
    assert (made.score > 0.5) is caught


def test_without_an_encoder_what_is_unsure_is_a_gap(folder: Path) -> None:
    made = PromptJudge(folder).judge(MessageContent(f"{VAGUE} {VAGUE}"))
    assert [gap.reason for gap in made.gaps] == [GapReason.UNDECIDED]
    assert 0.1 <= made.score < 0.9


def test_an_encoder_that_raises_leaves_a_gap(folder: Path) -> None:
    class Broken:
        def logits(self, _: str, __: Voice) -> np.ndarray:
            raise RuntimeError("no memory")

    made = with_encoder(folder, Broken()).judge(MessageContent(f"{VAGUE} {VAGUE}"))
    assert made.gaps[0].reason is GapReason.UNDECIDED
    assert "no memory" in made.gaps[0].note


def test_a_payload_deep_in_a_document_is_found_and_its_place_named(folder: Path) -> None:
    text = "一般的文字。" * 400 + f" {CLEAR} {CLEAR} {CLEAR} {CLEAR} " + "ordinary words go on and on. " * 300
    message = MessageContent(text, Role.DOCUMENT)
    made = PromptJudge(folder, encode=False).judge(message)
    assert made.heads["indirect"] > 0.5
    span = next(span for span in made.spans if span.head == "indirect")
    assert CLEAR in message.data[span.offset : span.offset + span.length].decode()
    assert span.length < 2000


def test_a_disguised_payload_is_found_in_a_view(folder: Path) -> None:
    hidden = "\u200b".join(CLEAR)
    made = PromptJudge(folder, encode=False).judge(MessageContent(f"{hidden} {hidden} {hidden}"))
    assert made.score > 0.5
    assert made.spans[0].view


def test_beyond_the_size_limit_there_is_a_gap(folder: Path) -> None:
    made = PromptJudge(folder, encode=False).judge(MessageContent("a " * (MOST_TEXT // 2 + 10)))
    assert GapReason.TOO_LARGE in {gap.reason for gap in made.gaps}


def test_at_most_so_many_windows_are_encoded(folder: Path) -> None:
    encoder = Fixed(-5)
    with_encoder(folder, encoder).judge(MessageContent((f"{VAGUE} {VAGUE} {VAGUE} " + "other words " * 12) * 30))
    assert 0 < len(encoder.asked) <= MOST_ENCODED


def test_the_third_stage_is_asked_only_when_uncertain(folder: Path) -> None:
    asked: list[str] = []

    def third(text: str, judgement: Judgement) -> float | None:
        asked.append(text)
        return None if "?" in text else 0.97

    sure = PromptJudge(folder, third=third, encode=False)
    sure.judge(MessageContent("a fine day"))
    assert asked == []
    judged = PromptJudge(folder, third=third)
    judged._encoder = Fixed(0.5)  # type: ignore[assignment]
    made = judged.judge(MessageContent(f"{VAGUE} {VAGUE}"))
    assert (made.stage, made.score) == (3, 0.97)
    silent = judged.judge(MessageContent(f"{VAGUE} {VAGUE}?"))
    assert "third stage" in silent.gaps[0].note


def test_who_speaks_chooses_the_heads(folder: Path) -> None:
    judged = PromptJudge(folder, encode=False)
    assert set(judged.judge(MessageContent("hello", Role.USER)).heads) == {"attack", "harm"}
    assert set(judged.judge(MessageContent("hello", Role.TOOL)).heads) == {"indirect", "harm"}
    assert set(judged.judge(MessageContent("hello", Role.ASSISTANT, Direction.OUTPUT)).heads) == {"harm"}


def test_threads_get_the_same_answers(folder: Path) -> None:
    judged = with_encoder(folder, Fixed(1.0))
    texts = [f"{VAGUE} {number}" for number in range(50)]
    expected = [made.score for made in judged.judge_many(MessageContent(text) for text in texts)]
    found: dict[int, list[float]] = {}

    def work(number: int) -> None:
        found[number] = [judged.judge(MessageContent(text)).score for text in texts]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(scores == expected for scores in found.values())


def test_one_message_is_judged_once(folder: Path) -> None:
    judged = PromptJudge(folder, encode=False)
    message = MessageContent("hello")
    assert judged.judge(message) is judged.judge(message)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400), st.sampled_from(list(Role)))
def test_any_text_gets_scores_within_bounds(text: str, role: Role) -> None:
    made = judge().judge(MessageContent(text, role))
    assert all(0 <= score <= 1 for score in made.heads.values())
    assert all(span.offset >= 0 and span.length >= 0 for span in made.spans)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet="ab 忽略\n", min_size=1, max_size=2500))
def test_windows_scored_together_are_scored_as_alone(text: str) -> None:
    model = judge()._ngrams
    places = spans(text)
    together = model.sums(text, places)
    for row, (start, end) in zip(together, places, strict=True):
        alone = model.sums(text[start:end], [(0, end - start)])[0]
        # A window that begins inside a run of blanks or a word sees other grams at its border, no more than a few.
        assert np.abs(row - alone).max() <= 0.2 * max(1.0, float(np.abs(alone).max())) + 60


def test_the_shipped_first_stage_reads_from_disk() -> None:
    assert isinstance(judge()._ngrams, NgramModel)
