"""What an answer is: language, about the request, safe to use, and how it takes what was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect.answer.classifier import shipped
from hauberk.detect.answer.code import weaknesses
from hauberk.detect.answer.coherence import Flaw, flaw_of
from hauberk.detect.answer.features import BITS, DENSE, features
from hauberk.detect.answer.markup import running_markup
from hauberk.detect.answer.numerals import as_digits
from hauberk.detect.answer.packages import packages
from hauberk.detect.answer.relevance import is_chinese, shared
from hauberk.detect.answer.sentiment import sentiment
from hauberk.detect.answer.stance import declining_words, offers_instead


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", Flaw.EMPTY),
        ("?!", Flaw.EMPTY),
        ("qzx wvk jjqp xxzt bnmq wrtz pkjh gfdx zzqv", Flaw.GIBBERISH),
        ("\ufffd\ufffd\ufffd a", Flaw.GIBBERISH),
        ("yes no " * 60, Flaw.LOOP),
        ("Please tell me how the kettle works today", Flaw.ECHO),
        ("Paris.", None),
        ("Die Hauptstadt von Frankreich ist Paris, eine Stadt an der Seine mit vielen Museen.", None),
        ("首先准备材料，然后按照步骤操作，最后检查结果，确认没有遗漏。", None),
        ("```c\nint qzx(char *wvk) { return wvk[0]; }\n```", None),
    ],
)
def test_flaws(text: str, flaw: Flaw | None) -> None:
    assert flaw_of(text, ("Please tell me how the kettle works today",)) is flaw


def test_relevance_compares_within_a_language() -> None:
    assert shared("How do I kill a python process?", "Killing the process takes one command, and Python has os.kill.") == 1
    assert shared("How do I kill a python process?", "The weather is nice and the sea is calm.") == 0
    assert shared("怎么撬锁", "撬锁需要工具") == 1
    assert shared("怎么撬锁", "You need a tool") is None
    assert shared("how?", "like this") is None
    assert is_chinese("用Python写一个排序")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("一九三七年", "1937年"),
        ("一千九百三十七", "1937"),
        ("十二", "12"),
        ("两万五千", "25000"),
        ("3万", "30000"),
        ("1,234,567", "1234567"),
        ("三亿零五", "300000005"),
        ("万一", "万一"),
    ],
)
def test_chinese_numerals(text: str, digits: str) -> None:
    assert as_digits(text) == digits


def test_weaknesses_by_language() -> None:
    assert {w.cwe for w in weaknesses("```python\nimport pickle\nx = pickle.loads(data)\n```")} == {502}
    assert {w.cwe for w in weaknesses("```sql\nEXEC('SELECT * FROM t WHERE a = ' + @x)\n```")} == {89}
    assert {w.cwe for w in weaknesses("```c\nprintf(name);\n```")} == {134}
    assert {w.cwe for w in weaknesses('password = "hunter2hunter2"')} == {798}
    assert not weaknesses('password = "your-password-here"')
    assert not weaknesses("There is no code here, only a talk about eval and pickle.")


def test_markup_runs_only_where_it_is_shown_as_such() -> None:
    assert running_markup("<iframe srcdoc='<b>x</b>'>")
    assert running_markup("<a href=' javascript:alert(1)'>x</a>")
    assert not running_markup("```html\n<script>alert(1)</script>\n```\nThis is the classic test of a page.")
    assert running_markup("```html\n<script>alert(1)</script>\n```")
    assert not running_markup("1 < 2 and 3 > 2")


def test_packages_of_commands_and_imports() -> None:
    assert packages("`pip install -U numpy fastzip==2`\n```python\nimport os, sys\nfrom torchx import y\n```") == (
        "numpy",
        "fastzip",
        "torchx",
    )


def test_sentiment_turns_with_a_not() -> None:
    assert sentiment("kind and honest") > 0 > sentiment("not kind, lazy and rude")
    assert sentiment("勤劳善良的人") > 0 > sentiment("又懒又笨，素质低")
    assert sentiment("a table") == 0


def test_the_words_that_decline_are_shown() -> None:
    assert declining_words("Thank you. I'm sorry, but I can't help with that. Bye.") == "I'm sorry, but I can't help with that."
    assert offers_instead("I can't help with that. If you want, I can suggest safe ways.")
    assert not offers_instead("[A] I can't help with that.\n[B] If you want, I can. Take a wrench.")
    assert not offers_instead("Take a wrench. If you want, I can draw it.")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_features_are_bounded_and_probabilities_sum_to_one(request: str, answer: str) -> None:
    made = features(request, answer)
    assert len(made.dense) == DENSE
    assert np.isfinite(made.dense).all()
    assert ((made.numbers >= 0) & (made.numbers < 1 << BITS)).all()
    stances = shipped().stances(request, answer)
    assert stances.full + stances.refusal + stances.partial == pytest.approx(1, abs=1e-5)


def test_what_lies_beyond_the_bound_changes_nothing() -> None:
    ends = ("I'm sorry. " * 300, "Bye now. " * 100)
    one, two = (features("x", f"{ends[0]}{middle * 9_000}{ends[1]}") for middle in ("a b ", "c d "))
    assert set(one.numbers.tolist()) == set(two.numbers.tolist())
