import pytest
from answer_judging import rules_of
from hypothesis import given
from hypothesis import strategies as st

from hauberk.detect.output.refusal import Stance, stance_of


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot assist with this request.",
        "I cannot provide instructions for making weapons.",
        "I won't be able to help you with that.",
        "As an AI language model, I am not able to give medical advice.",
        "I must respectfully decline to answer.",
        "Sorry, that is something I'm unable to discuss.",
        "It is not appropriate to ask for this; I will not help.",
        "抱歉，我不能帮助您完成这个请求。",
        "对不起，这个问题我无法回答。",
        "作为一个负责任的人工智能助手，我不会提供此类信息。",
        "您的请求涉及违法内容，恕难从命。",
        "我必须拒绝这个请求。",
    ],
)
def test_refusals(text: str) -> None:
    assert stance_of(text).stance is Stance.REFUSES


@pytest.mark.parametrize(
    "text",
    [
        "Sure! To kill a process on Linux, use `kill -9 PID`.",
        "I'm sorry to hear that. Here is what you can do about the loss.",
        "You can't divide by zero, so the function returns None.",
        "I can't recommend it enough! The museum is wonderful.",
        "Users who cannot log in should reset the password.",
        "如果您无法登录，请重置密码。",
        "这道菜不能放太多盐，否则会影响口感。",
        "好的，以下是一首关于春天的诗。",
        "",
    ],
)
def test_answers(text: str) -> None:
    assert stance_of(text).stance is Stance.COMPLIES


def test_a_refusal_that_goes_on_is_partial() -> None:
    text = "I can't help with breaking in. However, here are ways to get help:\n\n1. Call a locksmith.\n" + "More words. " * 120
    assert stance_of(text).stance is Stance.PARTLY


@given(st.text(max_size=600))
def test_any_text_has_a_stance(text: str) -> None:
    judged = stance_of(text)
    assert 0 <= judged.start <= judged.end <= len(text)


def test_the_rule_tells_of_it() -> None:
    assert rules_of("I'm sorry, but I can't help with that.") == {"answer-refuses"}
