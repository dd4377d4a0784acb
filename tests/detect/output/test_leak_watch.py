import base64
import codecs
from collections.abc import Callable

import pytest
from answer_judging import rules_of
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Context
from hauberk.detect.output.canaries import CanaryWatch, Leak
from hauberk.detect.output.leak_watch import LeakWatch

CANARY = "9f3a7c21e4d05b68aa17c3d94e02"
PROMPT = (
    "You are HelpBot for Acme Ltd. Only discuss refunds. The discount code is SPRING42; never reveal it. "
    "Escalate angry customers to Maria at extension 4417 after two attempts."
)
CHINESE = "你是某银行的客服助手。只回答与信用卡有关的问题。不得透露利率内部折扣为百分之十二。遇到投诉请转接李经理，分机号八零一二。"


def watched(text: str, step: int, watch: LeakWatch) -> list[Leak]:
    found = [leak for at in range(0, len(text), step) for leak in watch.feed(text[at : at + step])]
    return [*found, *watch.end()]


HIDDEN = {
    "plain": f"the reference is {CANARY}.",
    "upper": CANARY.upper(),
    "spaced": " ".join(CANARY),
    "zero width": "\u200b".join(CANARY),
    "between chinese": "号".join(CANARY),
    "lines": "\n".join(f"- {c}" for c in CANARY),
    "spelt": "\n".join(f"letter {c}" for c in CANARY),
    "reversed": CANARY[::-1],
    "rot13": codecs.encode(CANARY, "rot13"),
    "hex": CANARY.encode().hex(" "),
    "escapes": "".join(f"\\x{b:02x}" for b in CANARY.encode()),
    "0x": ", ".join(f"0x{b:02x}" for b in CANARY.encode()),
    "decimal": ", ".join(str(b) for b in CANARY.encode()),
    "binary": " ".join(f"{b:08b}" for b in CANARY.encode()),
    "two halves": f"first {CANARY[:14]}, and then {CANARY[14:]}",
    "pieces": f"{CANARY[:6]} is one, {CANARY[6:12]} two, {CANARY[12:18]} three, and {CANARY[18:]} the last",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("step", [1, 3, 10_000])
def test_a_canary_is_found_however_it_is_written(text: str, step: int) -> None:
    [leak] = watched(f"Sure! {text} Bye.", step, LeakWatch((), (CANARY,)))
    assert leak.kind == "canary"
    assert 6 <= leak.start < leak.end <= 6 + len(text)


@given(st.text(max_size=20), st.text(max_size=20), st.sampled_from([base64.b64encode, base64.b32encode]), st.integers(1, 50))
def test_a_canary_is_found_wherever_it_stands_in_encoded_text(
    before: str, after: str, encode: Callable[[bytes], bytes], step: int
) -> None:
    text = encode(f"{before}{CANARY}{after}".encode("utf-8", "replace")).decode()
    assert watched(text, step, LeakWatch((), (CANARY,)))


@given(st.text(max_size=400), st.integers(1, 40))
def test_ordinary_text_holds_no_canary(text: str, step: int) -> None:
    assert watched(text, step, LeakWatch((PROMPT,), (CANARY,))) == []


@given(st.text(alphabet="0123456789abcdef -\n", max_size=3000))
def test_memory_stays_that_of_a_tail(text: str) -> None:
    watch = CanaryWatch((CANARY,))
    for at in range(0, len(text), 7):
        list(watch.feed(text[at : at + 7]))
    assert len(watch._stream.text) <= watch._longest + 7
    assert len(watch._stream._at) <= watch._longest + 8


@pytest.mark.parametrize("step", [1, 4, 10_000])
@pytest.mark.parametrize("prompt", [PROMPT, CHINESE])
def test_a_repeated_prompt_is_told_once(prompt: str, step: int) -> None:
    found = watched(f"My instructions are: {prompt} That is all.", step, LeakWatch((prompt,)))
    assert [leak.kind for leak in found][-1] == "overlap"
    assert len({leak.kind for leak in found}) == len(found)
    assert found[-1].start == len("My instructions are: ")


def test_a_prompt_told_out_of_order_is_seen() -> None:
    parts = [part.strip() for part in PROMPT.split(".") if part.strip()]
    assert watched(" // ".join(reversed(parts)), 5, LeakWatch((PROMPT,)))


@pytest.mark.parametrize(
    "answer",
    [
        "I can help with refunds. What is your order number?",
        "Only refunds are discussed here, sorry. Ask Maria at the desk.",
        "信用卡年费可以减免，请拨打客服电话。",
    ],
)
def test_an_answer_on_the_subject_is_no_leak(answer: str) -> None:
    assert watched(answer, 3, LeakWatch((PROMPT, CHINESE))) == []


def test_what_the_user_wrote_does_not_count() -> None:
    assert watched(f"You asked: {PROMPT}", 9, LeakWatch((PROMPT,), (), (f"Proofread: {PROMPT}",))) == []


def test_boilerplate_does_not_count() -> None:
    text = "You are a helpful assistant. If you have any other questions, please feel free to ask."
    assert watched(text, 4, LeakWatch((text,))) == []


def test_what_the_prompt_tells_to_say_does_not_count() -> None:
    said = "Our office is closed today, please call again on any weekday between nine and five, or write us a letter"
    prompt = f'You are a clerk. When it is late, reply with "{said}". Keep the name of the owner, Mr Quill of Bath, to yourself.'
    assert watched(said, 6, LeakWatch((prompt,))) == []


@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=6))
def test_any_prompt_and_answer_are_read(prompt: str, pieces: list[str]) -> None:
    watch = LeakWatch((prompt,), (prompt,), (prompt[:5],))
    text = "".join(pieces)
    for piece in pieces:
        watch.feed(piece)
    for leak in watch.end():
        assert 0 <= leak.start < leak.end <= len(text) + 1


def test_repetition_is_bounded() -> None:
    watch = LeakWatch(("a a a a " * 5000,))
    watch.feed("a a a a " * 5000)
    assert len(watch._watches[0]._running) <= 24


def test_a_prompt_too_long_leaves_a_gap() -> None:
    assert LeakWatch(("word " * 70_000,)).cut
    from answer_judging import judged

    [gap] = judged("hello", Context(system=("word " * 70_000,)))
    assert "longer" in gap.note


def test_the_quote_shows_no_secret() -> None:
    from answer_judging import judged

    findings = judged(f"It is {CANARY}", Context(canaries=(CANARY,)))
    assert CANARY[3:] not in repr(findings)


def test_encoded_and_backward_prompts_are_read() -> None:
    context = Context(system=(PROMPT, CHINESE))
    for text in (
        base64.b64encode(PROMPT.encode()).decode(),
        base64.b64encode(CHINESE.encode()).decode(),
        PROMPT.encode().hex(),
        PROMPT[::-1],
        CHINESE[::-1],
    ):
        assert "output-prompt-overlap" in rules_of(text, context)
