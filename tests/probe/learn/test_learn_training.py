"""What is learnt, what is refused, and what a real guard makes of it."""

from pathlib import Path

import learn_runs
import msgspec
import pytest

from hauberk.assets.chat import MessageContent, Role
from hauberk.core import Action, Finding
from hauberk.detect.learnt import LearntFileError, read_folder
from hauberk.detect.learnt.file import written
from hauberk.guard.assembly import checker_of
from hauberk.guard.settings import guard_settings
from hauberk.policy.errors import PolicyError
from hauberk.probe.learn import LearnError
from hauberk.probe.learn.check import check
from hauberk.probe.learn.errors import Refused
from hauberk.probe.learn.keep import keep
from hauberk.probe.learn.ordinary import own, shipped
from hauberk.probe.learn.proposal import read_samples
from hauberk.probe.learn.rules import proposed
from hauberk.probe.learn.sample import Ordinary, Sample
from hauberk.probe.learn.train import Learning, learn

ORDINARY = learn_runs.ordinary(700)
HALF = len(learn_runs.TOPICS) // 2
FRESH = ("paint a false number plate", "bribe the umpire", "smuggle a cat into the hotel")


@pytest.fixture(scope="module")
def learning() -> Learning:
    return learn(learn_runs.samples(learn_runs.TOPICS[:HALF]), (), ORDINARY, 0.005)


@pytest.fixture(scope="module")
def kept(learning: Learning, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("learnt")
    keep(str(folder), learning, tuple(learn_runs.samples(learn_runs.TOPICS[:HALF])))
    return str(folder)


def test_a_fresh_attack_of_the_family_is_caught_and_other_ordinary_texts_pass(learning: Learning) -> None:
    model = learning.model
    threshold = model.heads["user"].threshold(model.rate)
    assert all(model.score(MessageContent(learn_runs.story(text))).score >= threshold for text in FRESH)
    texts = [one.text for one in learn_runs.ordinary(200, seed=9)]
    assert sum(model.score(MessageContent(text)).score >= threshold for text in texts) <= 2
    assert all(model.score(MessageContent(f"How do I {text}?")).score < threshold for text in learn_runs.TOPICS)


def test_learning_is_the_same_each_time(learning: Learning) -> None:
    again = learn(learn_runs.samples(learn_runs.TOPICS[:HALF]), (), ORDINARY, 0.005)
    assert written(again.model) == written(learning.model)
    assert again.figures == learning.figures


def test_figures_say_what_the_rate_rests_on(learning: Learning) -> None:
    figures = learning.figures["user"]
    assert figures.samples == figures.caught == HALF
    assert 500 < figures.ordinary < len(ORDINARY)
    assert figures.alarms <= 0.005 * figures.ordinary
    assert figures.sources["shipped"] == (figures.ordinary, figures.alarms)


def test_nothing_is_learnt_of_nothing() -> None:
    with pytest.raises(LearnError, match="nothing is approved"):
        learn((), (), ORDINARY)


def test_a_bare_request_holds_no_attack_to_learn() -> None:
    bare = [Sample(text, Role.USER, "en", "plain", "plain", text, text, text) for text in learn_runs.TOPICS]
    with pytest.raises(LearnError, match="no attack to learn"):
        learn(bare, (), ORDINARY, 0.005)


def test_a_rate_that_so_few_texts_cannot_show_is_not_promised() -> None:
    with pytest.raises(LearnError, match="there are 1999"):
        learn(learn_runs.samples(), (), ORDINARY, 0.0005)


def test_samples_that_are_like_ordinary_traffic_are_refused() -> None:
    """Poisoned approvals: somebody has ordinary texts of the application taken for attacks."""
    asked = learn_runs.ordinary(200, seed=3)
    mine = [Ordinary(learn_runs.story(one.text), Role.USER, f"m{n}", "mine.jsonl") for n, one in enumerate(asked)]
    with pytest.raises(Refused, match="too like ordinary texts"):
        learn(learn_runs.samples(), (), (*ORDINARY, *mine), 0.005)


def test_an_approved_rule_that_hits_ordinary_traffic_is_refused() -> None:
    (rule,) = proposed(learn_runs.samples(), ORDINARY)
    match = {**rule.match, "any": ["(?i)could you tell me"]}
    with pytest.raises(Refused, match="the approved rule learnt-lantern-story"):
        learn(learn_runs.samples(), [msgspec.structs.replace(rule, match=match)], ORDINARY, 0.005)
    with pytest.raises(Refused, match="the approved rule"):
        learn((), [msgspec.structs.replace(rule, match=match)], ORDINARY, 0.005)
    assert learn((), [rule], ORDINARY, 0.005).model.rules == (rule,)


def test_a_tools_words_have_a_detector_of_their_own() -> None:
    spoken = [msgspec.structs.replace(sample, role=Role.TOOL) for sample in learn_runs.samples()]
    results = [Ordinary(one.text, Role.TOOL, one.group, one.source) for one in learn_runs.ordinary(300, seed=5)]
    model = learn(spoken, (), (*ORDINARY, *results), 0.005).model
    assert set(model.heads) == {"foreign"}
    text = learn_runs.story(FRESH[0])
    assert model.score(MessageContent(text, Role.DOCUMENT)).score > model.heads["foreign"].threshold(0.005)
    assert model.score(MessageContent(text, Role.USER)).score == 0


def test_a_real_guard_with_what_was_learnt_blocks_fresh_variants_and_lets_ordinary_texts_pass(kept: str) -> None:
    before, after = checker_of(guard_settings({})), checker_of(guard_settings({"learnt": kept}))
    for text in FRESH:
        story = learn_runs.story(text)
        assert before.check_text(story).action < Action.ASK
        checked = after.check_text(story)
        assert checked.action is Action.BLOCK
        assert "learnt-attack" in {ruling.item.rule for ruling in checked.rulings if isinstance(ruling.item, Finding)}
    for text in ("What is the capital of France?", "请帮我写一封请假邮件。", "How do lanterns work?"):
        assert after.check_text(text).action == before.check_text(text).action <= Action.FLAG


def test_a_stricter_policy_asks_for_a_higher_score(kept: str) -> None:
    checker = checker_of(guard_settings({"learnt": kept}))
    assert checker.threshold("learnt-attack", 0.005) == 0
    assert 0 < checker.threshold("learnt-attack", 0.001) <= checker.threshold("learnt-attack", 0.0001) <= 1


def test_regression_samples_are_checked_against_the_guard(kept: str) -> None:
    samples = read_samples(f"{kept}/regression.jsonl")
    before, after = checker_of(guard_settings({})), checker_of(guard_settings({"learnt": kept}))

    def shipped_holds(text: str, role: Role) -> bool:
        return before.check_text(text, role).action >= Action.ASK

    def learnt_holds(text: str, role: Role) -> bool:
        return after.check_text(text, role).action >= Action.ASK

    found = check(read_folder(kept), samples, ORDINARY, shipped_holds, learnt_holds)
    assert (found.samples, found.after, found.missed, found.alarms) == (HALF, HALF, (), found.alarms)
    assert found.alarms <= 0.005 * len(ORDINARY)
    unlearnt = check(read_folder(kept), samples, (), shipped_holds, shipped_holds)
    assert len(unlearnt.missed) == HALF - unlearnt.before > 0


def test_a_guard_says_in_one_line_what_is_wrong_with_a_learnt_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^guard\.learnt: .*learnt\.msgpack: cannot be read: no such file"):
        checker_of(guard_settings({"learnt": str(tmp_path)}))


def test_an_approved_rule_that_no_bench_takes_is_one_line(tmp_path: Path, learning: Learning) -> None:
    (rule,) = proposed(learn_runs.samples(), ORDINARY)
    wrong = msgspec.structs.replace(rule, match={"any": ["(?=x)"]})
    model = msgspec.structs.replace(learning.model, rules=(wrong,))
    keep(str(tmp_path), msgspec.structs.replace(learning, model=model), ())
    with pytest.raises(PolicyError, match=r"^guard\.learnt: learnt-lantern-story: .*RE2"):
        checker_of(guard_settings({"learnt": str(tmp_path)}))


def test_own_traffic_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"text": "hello", "id": 3}\n\n{"text": "a page", "role": "tool"}\n')
    assert [(one.text, one.role, one.source) for one in own(str(path))] == [
        ("hello", Role.USER, "traffic.jsonl"),
        ("a page", Role.TOOL, "traffic.jsonl"),
    ]
    for wrong in ('{"text": 3}', '{"text": "x", "role": "nobody"}', "[", '{"text": "\ud800"}'):
        path.write_bytes(b'{"text": "ok"}\n' + wrong.encode("utf-8", "surrogatepass") + b"\n")
        with pytest.raises(LearnError, match="line 2"):
            list(own(str(path)))


def test_what_ships_is_enough_for_the_default_rate_in_both_voices() -> None:
    texts = shipped()
    assert {voice: sum(one.voice == voice for one in texts) >= 1_000 for voice in ("user", "foreign")} == {
        "user": True,
        "foreign": True,
    }
    assert len({one.text for one in texts}) == len(texts)
    assert sum(any("㐀" <= letter <= "鿿" for letter in one.text) for one in texts) > len(texts) // 4


def test_a_learnt_file_is_not_read_from_another_place(tmp_path: Path) -> None:
    with pytest.raises(LearntFileError, match="cannot be read"):
        read_folder(tmp_path / "nowhere")
