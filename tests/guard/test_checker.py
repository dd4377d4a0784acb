"""What is said of one message."""

import pytest

from hauberk.assets.chat import MessageContent
from hauberk.detect.prompt import Judgement
from hauberk.guard.checker import Checker


@pytest.fixture(scope="module")
def checker() -> Checker:
    return Checker()


def judged(text: str, score: float) -> MessageContent:
    """A message of which the models say `score`."""
    message = MessageContent(text)
    heads = {"attack": score, "harm": 0.0}
    message.once("judgement", lambda: Judgement(score, heads, 1, risk="jailbreak", category="discrimination"))
    return message


def test_an_ordinary_message_is_not_called_what_it_most_looks_like(checker: Checker) -> None:
    for text in ("What is the weather in Paris today?", "请把这段话翻译成英文：今天天气很好。"):
        made = checker.check_text(text)
        assert made.score < 0.5
        assert (made.risk, made.category) == ("", "")


def test_from_one_half_the_likeliest_is_named_even_if_the_policy_lets_it_pass(checker: Checker) -> None:
    assert (checker.check(judged("one", 0.49)).risk, checker.check(judged("two", 0.5)).risk) == ("", "jailbreak")


def test_what_a_rule_found_is_named_whatever_the_score(checker: Checker) -> None:
    made = checker.check(judged("mail me at alice.smith@contoso.com, or 13800138000", 0.01))
    assert made.rulings
    assert made.risk == "sensitive-information"
