"""Every format of a probe's report, from results that hold hostile text."""

import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from hauberk.assets.chat import Role, ToolCall
from hauberk.core import Text
from hauberk.probe.case import Case
from hauberk.probe.goal import Choice, Goal, Harm, Help
from hauberk.probe.grades import grade, profiles
from hauberk.probe.grades.interval import exact
from hauberk.probe.judges.judge import Accuracy, Judgement
from hauberk.probe.outcome import Outcome
from hauberk.probe.report import html, junit, md, plain
from hauberk.probe.report import json as report_json
from hauberk.probe.report.compare import Direction, compare
from hauberk.probe.report.view import Sample, View, cut, sampled, telling, unfolded
from hauberk.probe.report.words import MEASURES, RELATIVES, WORDS
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange, Message, Reply, Request, Step
from hauberk.rules.load import load_pack

HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\u202e[x](javascript:1) `|` \ud800"


def result(number: int, outcome: Outcome, family: str = "plain", goal: Goal | None = None, risk: str = "harmful-content") -> Result:
    case = Case(f"{number:020x}", f"{family}-attack", family, f"own:{number}", risk, "en", goal or Harm(), "A.1-a", bank="own")
    return Result(
        case, outcome, Judgement(outcome, 0.9, "answer-1", note=HOSTILE) if outcome.answered else None, note=HOSTILE, requests=1
    )


def results() -> list[Result]:
    made = [result(n, Outcome.COMPLIED) for n in range(30)]
    made += [result(100 + n, Outcome.REFUSED, "encoding") for n in range(300)]
    made += [result(500 + n, Outcome.ERROR, "jailbreak") for n in range(2)]
    made += [result(600 + n, Outcome.REFUSED if n < 3 else Outcome.COMPLIED, goal=Help()) for n in range(20)]
    made += [result(700 + n, Outcome.COMPLIED, "knowledge", Choice("A", ("x", "y")), "misinformation") for n in range(5)]
    return made


def conversation(text: str = HOSTILE) -> tuple[Exchange, ...]:
    first = Message(Role.USER, text)
    answer = Message(Role.ASSISTANT, "yes")
    step = Step(ToolCall("send", '{"to": "x"}'), "sent")
    return (
        Exchange(Request((first,)), Reply("yes", steps=(step,))),
        Exchange(Request((first, answer, Message(Role.USER, "and then?"))), Reply(HOSTILE, calls=(ToolCall("rm", "{}"),))),
        Exchange(Request((first,)), None, "timeout", "no answer in 30 s"),
    )


@pytest.fixture(scope="module")
def view() -> View:
    samples, left = sampled(results(), lambda _: conversation(), lambda seed: f"asks {seed} {HOSTILE}")
    judge = Accuracy("answer-1", "people's labels", 90, 10, 190, 10)
    graded = grade(results(), [judge], list(profiles().values()))
    before = grade([result(n, Outcome.REFUSED) for n in range(200)], [judge])
    return View(
        run="r1", target=f"http://127.0.0.1/v1 {HOSTILE}", suite="quick", started="2026-11-21T10:00:00+00:00", ended="",
        tool="0.1.0", graded=graded,
        titles={"plain-attack": Text(en="The seed as it is", zh="原样提问")}, samples=samples, left=left,
        misfits=("image-text: the target takes no images",), notices=(HOSTILE,), changes=compare(before, graded), compared="r0",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_html_runs_nothing_that_a_target_said(view: View, language: str) -> None:
    page = html.render(view, load_pack(), language).decode()
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "default-src &#39;none&#39;" in page
    assert f'data-lang="{language}"' in page
    for word in ("Attack success", "攻击成功率", "The seed as it is", "原样提问", "TC260-003", "p = "):
        assert word in page


def test_html_shows_each_message_of_a_conversation_once(view: View) -> None:
    page = html.render(view, load_pack(), "en").decode()
    one = re.search(r'<details class="case">.*?</details>', page, re.DOTALL)
    assert one
    assert one.group().count("and then?") == 1
    assert one.group().count(">yes<") == 1


def test_unfolding_starts_anew_after_a_restart() -> None:
    shown = unfolded(conversation("hi"))
    assert [[message.text for message in messages] for messages, _ in shown] == [["hi"], ["and then?"], []]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plain_says_first_that_a_run_decides_nothing_and_escapes_the_terminal(view: View, language: str) -> None:
    text = plain.render(view, language).decode()
    assert text.splitlines()[0].startswith(("Inconclusive", "无结论"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\x1b[" in plain.render(view, language, colour=True).decode()


def test_markdown_shows_markup_literally(view: View) -> None:
    text = re.sub(r"``.+?``", "", md.render(view, "en").decode())  # code spans, with their fence longer than any tick inside
    assert "<script>" not in text
    assert "[x](javascript" not in text
    assert "**worse**" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_report_rates_each_risk_on_both_sides_and_against_the_reference(language: str) -> None:
    graded = grade(results(), reference={"harmful-content": exact(30, 100)})
    seen = View("r1", "t", "quick", "", "", "0.1.0", graded, changes=compare(grade([]), graded), compared="r0")
    for form in (html.render(seen, load_pack(), language), md.render(seen, language), plain.render(seen, language)):
        text = form.decode()
        assert WORDS["risks"][language] in text
        assert WORDS["relative"][language] in text
        assert f"{RELATIVES['very-good'][language]} (" in text  # with what the intervals leave open
        assert "15.0 % (" in text  # ordinary requests of the risk that were declined
        assert MEASURES["family"][language] in text


def test_markdown_says_how_far_the_judges_can_be_trusted(view: View) -> None:
    assert "| 90.0 % (100) | 95.0 % (200) |" in md.render(view, "en").decode()


def test_json_is_complete_and_says_its_schema(view: View) -> None:
    made = json.loads(report_json.render(view, "en"))
    assert made["schema"] == "hauberk.probe/1"
    assert made["graded"]["outcomes"]["error"] == 2
    assert made["graded"]["inconclusive"]
    assert made["graded"]["accuracy"][0]["false_negative"] == 10
    jsonschema.Draft202012Validator.check_schema({"type": "object"})


def test_junit_fails_what_gets_through_and_passes_nothing_unanswered(view: View) -> None:
    root = ET.fromstring(junit.render(view, "en"))
    found = {(case.get("classname"), case.get("name")): [child.tag for child in case] for case in root.iter("testcase")}
    assert found[("plain", "harmful-content")] == ["failure"]
    assert found[("encoding", "harmful-content")] == []
    assert found[("jailbreak", "harmful-content")] == ["error", "system-out"]
    assert found[("over-refusal", "ordinary requests")] == ["failure"]
    assert found[("run", "conclusive")] == ["error"]
    suites = {suite.get("name"): suite for suite in root.iter("testsuite")}
    assert suites["jailbreak"].get("errors") == "1"
    assert suites["jailbreak"].get("tests") == "1"


def test_samples_put_what_got_through_first_and_count_the_rest() -> None:
    chosen, left = telling(results(), each=2, most=5)
    assert chosen[0].outcome is Outcome.COMPLIED
    assert len(chosen) == 5
    assert left == len(results()) - 5


def test_long_messages_are_cut_and_say_so() -> None:
    assert cut("x" * 30, 10) == "x" * 10 + " […20 characters left out]"
    exchange = Exchange(Request((Message(Role.USER, "y" * 50_000, images=(b"png",)),)), Reply("z" * 50_000))
    samples, _ = sampled(results()[:1], lambda _: (exchange,), str)
    kept: Sample = samples[0]
    assert kept.exchanges[0].request.messages[0].images == ()
    assert "left out" in kept.exchanges[0].request.messages[0].text
    assert kept.exchanges[0].reply is not None
    assert len(kept.exchanges[0].reply.text) < 21_000


def test_comparison_calls_worse_only_what_the_numbers_show() -> None:
    few = compare(grade([result(n, Outcome.REFUSED) for n in range(5)]), grade([result(0, Outcome.COMPLIED)]))
    assert {change.direction for change in few} == {Direction.SAME}
    before = grade([result(n, Outcome.REFUSED) for n in range(100)])
    after = grade([result(n, Outcome.COMPLIED if n < 30 else Outcome.REFUSED) for n in range(100)])
    moved = {(change.what, change.name): change for change in compare(before, after)}
    assert moved[("risk", "harmful-content")].direction is Direction.WORSE
    assert moved[("risk", "harmful-content")].chance < 1e-6
    assert compare(after, before)[0].direction is Direction.BETTER


def test_comparison_names_what_is_new_and_gone() -> None:
    one = grade([result(n, Outcome.REFUSED, "encoding") for n in range(5)])
    other = grade([result(n, Outcome.REFUSED, "jailbreak") for n in range(5)])
    found = {(change.what, change.name): change.direction for change in compare(one, other)}
    assert found[("family", "encoding")] is Direction.GONE
    assert found[("family", "jailbreak")] is Direction.NEW
