"""The engine: findings with places in bytes, one a value, nothing in clear, nothing dropped in silence."""

import pytest

from hauberk.assets.chat import Direction, MessageContent, Role, message_asset
from hauberk.core import Asset, Confidence, Finding, Gap, GapReason, Kind, Rule, Severity, Text
from hauberk.detect import Bench
from hauberk.detect.engines.personal import MAX_SPANS, compile_rules, shortened
from hauberk.detect.errors import RuleError


def rule(**match: object) -> Rule:
    words = Text("", "")
    return Rule(
        id="personal-test", title=Text("Personal", ""), stage="application", risk="sensitive-information", reads=(Kind.MESSAGE,),
        severity=Severity.LOW, confidence=Confidence.LOW, why=words, fix=words, engine="personal", match=match, samples=(),
    )  # fmt: skip


def found(text: str, role: Role = Role.USER, direction: Direction = Direction.INPUT, **match: object) -> list[Finding | Gap]:
    return list(compile_rules([rule(**match)])(message_asset(MessageContent(text, role, direction))))


def test_evidence_counts_bytes_of_the_message() -> None:
    text = "我的手机是１３８１２３４５６７８，谢谢"
    (finding,) = found(text, kinds=["phone"])
    assert isinstance(finding, Finding)
    (piece,) = finding.evidence
    assert piece.offset is not None
    assert piece.length is not None
    assert text.encode()[piece.offset : piece.offset + piece.length].decode() == "１３８１２３４５６７８"
    assert (piece.where, finding.confidence) == ("phone", Confidence.HIGH)


def test_no_finding_shows_the_value() -> None:
    for value in ("13812345678", "zhang.san@qq.com", "11010519491231002X"):
        (finding,) = found(f"电话 {value}", kinds=["phone", "email", "cn-resident-id"])
        assert value not in repr(finding)
        assert value[3:-3] not in repr(finding)
    assert shortened("张三丰") == "… (3 characters)"


def test_one_finding_a_value_with_every_place() -> None:
    items = found("13812345678 " * 25 + "13912345678", kinds=["phone"], min_confidence="medium")
    assert sum(len(item.evidence) for item in items if isinstance(item, Finding)) == 26
    assert len(items) == 4  # ten, ten, five, and the other number


def test_more_than_are_reported_leaves_a_gap() -> None:
    items = found("\n".join(f"user{n}@corp.cn" for n in range(MAX_SPANS + 5)), kinds=["email"])
    gaps = [item for item in items if isinstance(item, Gap)]
    assert [gap.reason for gap in gaps] == [GapReason.TOO_LARGE]
    assert len(items) == MAX_SPANS + 1


def test_roles_directions_and_confidence_narrow_it() -> None:
    assert not found("13812345678", kinds=["phone"], min_confidence="high")
    assert not found("13812345678", kinds=["phone"], roles=["tool"])
    assert not found("13812345678", kinds=["phone"], directions=["output"])
    assert found("13812345678", Role.ASSISTANT, Direction.OUTPUT, kinds=["phone"], roles=["assistant"], directions=["output"])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RuleError, match="no recogniser for shoe-size"):
        compile_rules([rule(kinds=["shoe-size"])])
    with pytest.raises(RuleError):
        compile_rules([rule(kinds=["phone"], colour="red")])


def test_other_assets_are_left_alone() -> None:
    assert not list(compile_rules([rule(kinds=["phone"])])(Asset("x")))


def test_the_bench_runs_it_on_messages() -> None:
    (finding,) = Bench([rule(kinds=["email"])]).inspect(message_asset(MessageContent("a zhang@qq.com \ud800")))
    assert isinstance(finding, Finding)
