import pytest

from hauberk.assets.chat import Direction, MessageContent, Role, message_asset
from hauberk.core import Asset, Confidence, Finding, Gap, GapReason, Kind, Rule, Severity, Stage
from hauberk.core.rule import Text
from hauberk.detect.engines import classifier
from hauberk.detect.errors import RuleError
from hauberk.detect.prompt.judgement import Judgement, Span


def rule(**match: object) -> Rule:
    words = Text(en="A rule", zh="规则")
    return Rule(
        "model-test", words, Stage.APPLICATION, "prompt-injection", (Kind.MESSAGE,), Severity.HIGH, Confidence.MEDIUM, words, words,
        "classifier", match, (),
    )  # fmt: skip


class Canned:
    """A judge that always says the same."""

    def __init__(self, made: Judgement) -> None:
        self.made = made

    def judge(self, _: MessageContent) -> Judgement:
        return self.made


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> None:
    gap = Gap("", GapReason.UNDECIDED, "no second stage")
    made = Judgement(
        0.99999,
        {"attack": 0.99999, "harm": 0.0},
        2,
        (Span(3, 5, "attack", 0.99999, "base64"),),
        (gap,),
        "jailbreak",
        "jailbreak",
        "A.1-a",
    )
    monkeypatch.setattr(classifier, "judge", lambda: Canned(made))


def held(message: MessageContent, **match: object) -> list[Finding | Gap]:
    return list(classifier.compile_rules([rule(**match)])(message_asset(message)))


@pytest.mark.usefixtures("canned")
def test_a_finding_holds_score_place_stage_and_view() -> None:
    finding, gap = held(MessageContent("0123456789"), head="attack")
    assert isinstance(finding, Finding)
    (evidence,) = finding.evidence
    assert (evidence.offset, evidence.length, evidence.score, evidence.where) == (3, 5, 0.99999, "base64")
    assert evidence.note == "stage 2: jailbreak"
    assert isinstance(gap, Gap)
    assert gap.asset == "message:"


@pytest.mark.usefixtures("canned")
@pytest.mark.parametrize(
    "match",
    [
        {"head": "harm"},
        {"head": "indirect"},
        {"head": "attack", "kinds": ["prompt-leak"]},
    ],
)
def test_what_does_not_fit_gives_only_the_gap(match: dict[str, object]) -> None:
    assert [type(item) for item in held(MessageContent("0123456789"), **match)] == [Gap]


@pytest.mark.usefixtures("canned")
def test_other_roles_and_directions_are_not_judged() -> None:
    assert held(MessageContent("hello", Role.TOOL), head="attack", roles=["user"]) == []
    assert held(MessageContent("hello", Role.ASSISTANT, Direction.OUTPUT), head="attack", directions=["input"]) == []
    assert held(MessageContent("  \n"), head="attack") == []
    assert list(classifier.compile_rules([rule(head="attack")])(Asset(uri="x", kind=Kind.MESSAGE))) == []


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"head": "mood"},
        {"head": "attack", "kinds": ["rudeness"]},
        {"head": "attack", "rate": 0},
        {"head": "attack", "roles": ["king"]},
    ],
)
def test_a_wrong_match_is_refused(match: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        classifier.compile_rules([rule(**match)])
