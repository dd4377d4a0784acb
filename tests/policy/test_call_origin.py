"""Where the values in a tool's call come from, and what the default policy makes of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Context, Direction, MessageContent, Role, ToolCall, ToolSpec
from hauberk.core import Confidence, Evidence, Finding, Gap, GapReason, Severity
from hauberk.policy.call_origin import CallOrigin, by_origin, effect
from hauberk.policy.default_messages import DEFAULT_MESSAGE_POLICY
from hauberk.policy.messages import Act, MessageEntry, MessagePolicy, rulings

GIVEN, FOREIGN, MADE = CallOrigin.GIVEN, CallOrigin.FOREIGN, CallOrigin.MADE


def call_of(arguments: str, *, name: str = "send_email", **around: tuple[str, ...]) -> MessageContent:
    context = Context(tools=(ToolSpec(name),), **around)  # type: ignore[arg-type]
    return MessageContent(arguments, Role.ASSISTANT, Direction.OUTPUT, context, ToolCall(name, arguments))


def finding_in(message: MessageContent, *values: str, risk: str = "sensitive-information") -> Finding:
    places = [message.byte_span(at := message.text.index(value), at + len(value)) for value in values]
    return Finding(
        rule="personal-email",
        risk=risk,
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        asset="message:",
        stage="message",
        kind="message",
        message="m",
        evidence=tuple(Evidence(offset=offset, length=length, quote="q") for offset, length in places),
    )


def origin_of(value: str, *, arguments: str = "", **around: tuple[str, ...]) -> CallOrigin | None:
    message = call_of(arguments or json.dumps({"to": value}, ensure_ascii=False), **around)
    ((origin, _),) = by_origin(message, finding_in(message, value))
    return origin


def acts(message: MessageContent, *findings: Finding) -> list[Act]:
    return [ruling.act for ruling in rulings(DEFAULT_MESSAGE_POLICY, message, findings, lambda _rule, _rate: 0.0)]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("bob@example.com", "Write to Bob@Example.com."),
        ("bob@example.com", "写信给bob@example.com。"),
        ("13800138000", "my number is 138 0013 8000"),
        ("+8613800138000", "打 13800138000 给我"),
        ("0044 20 7946 0958", "ring (20) 7946-0958"),
        ("4111 1111 1111 1111", "card 4111-1111-1111-1111"),
        ("11010119900307123X", "身份证 11010119900307123x"),
        ("北京市朝阳区建国路88号", "我住北京市朝阳区建国路８８号"),
    ],
)
def test_what_the_user_or_the_operator_wrote_is_given_however_it_is_written(value: str, written: str) -> None:
    assert origin_of(value, user=(written,)) is GIVEN
    assert origin_of(value, system=(written,)) is GIVEN
    assert origin_of(value, foreign=(written,)) is FOREIGN
    assert origin_of(value, foreign=(written,), user=(written,)) is GIVEN
    assert origin_of(value, user=("nothing of the kind",)) is MADE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("bob@example.com", "jim.bob@example.com"),
        ("bob@example.com", "bob@example.com.cn"),
        ("bob@example.com", "bob@example.com-mail.org"),
        ("eve@evil.net", "bob@evil.net"),
        ("555123", "1555123999"),
        ("13800138000", "13900138000"),
    ],
)
def test_part_of_another_value_is_not_given(value: str, written: str) -> None:
    assert origin_of(value, user=(written,)) is MADE


def test_escapes_of_json_are_undone() -> None:
    arguments = json.dumps({"name": "张伟"})
    value = arguments.split('"')[3]
    assert "\\u" in value
    assert origin_of(value, arguments=arguments, user=("我叫张伟",)) is GIVEN
    assert origin_of(value[:-3], arguments=arguments, user=("我叫张伟",)) is MADE  # half an escape


def test_a_finding_with_several_values_is_divided() -> None:
    """What is done with a value that the user gave must not be done with one that he did not."""
    message = call_of('["a@x.org", "b@x.org", "a@x.org"]', user=("to a@x.org",), foreign=("b@x.org",))
    whole = finding_in(message, "a@x.org", "b@x.org")
    parts = dict(by_origin(message, whole))
    assert {origin: len(part.evidence) for origin, part in parts.items()} == {GIVEN: 1, FOREIGN: 1}
    assert acts(message, whole) == [Act.FLAG, Act.ASK]
    nowhere = Finding("r", "sensitive-information", Severity.LOW, Confidence.HIGH, "a", "s", "message", "m")
    assert by_origin(message, nowhere) == ((None, nowhere),)


def test_personal_data_in_calls_by_default() -> None:
    arguments = '{"to": "a@x.org"}'
    around = {"user": ("to a@x.org",)}, {"foreign": ("a@x.org",)}, {}
    for context, changing, reading in zip(around, (Act.FLAG, Act.ASK, Act.REDACT), (Act.FLAG, Act.REDACT, Act.REDACT), strict=True):
        for name, wanted in (("send_email", changing), ("search_contacts", reading)):
            message = call_of(arguments, name=name, **context)
            assert acts(message, finding_in(message, "a@x.org")) == [wanted]


def test_credentials_are_masked_even_if_the_user_gave_them() -> None:
    message = call_of('{"key": "sk-abc"}', user=("use sk-abc",))
    assert acts(message, finding_in(message, "sk-abc", risk="credential-exposure")) == [Act.REDACT]


def test_rows_on_calls_fit_nothing_else() -> None:
    entry = MessageEntry(action=Act.BLOCK, calls=(GIVEN, FOREIGN, MADE))
    policy = MessagePolicy((entry, MessageEntry(action=Act.ALLOW)), fail="open")
    text = MessageContent("a@x.org", Role.ASSISTANT, Direction.OUTPUT)
    call = call_of('{"to": "a@x.org"}')
    gap = Gap("message:", GapReason.TIMEOUT, "late")

    def ruled(message: MessageContent, item: Finding | Gap) -> list[Act]:
        return [ruling.act for ruling in rulings(policy, message, [item], lambda _rule, _rate: 0.0)]

    assert ruled(text, finding_in(text, "a@x.org")) == [Act.ALLOW]
    assert ruled(call, finding_in(call, "a@x.org")) == [Act.BLOCK]
    assert ruled(call, gap) == [Act.FLAG]
    assert effect(text) == "unknown"


@given(st.text(max_size=60), st.text(max_size=60), st.text(min_size=1, max_size=20))
def test_whatever_stands_in_the_conversation_a_call_is_judged(user: str, foreign: str, value: str) -> None:
    message = call_of(f"<{value}>", user=(user,), foreign=(foreign,))
    ((origin, _),) = by_origin(message, finding_in(message, value))
    assert origin in CallOrigin


@pytest.mark.parametrize("text", ["1" * 300_000, "1 " * 150_000, "a@" * 150_000, "(((" * 100_000])
def test_hostile_conversations_are_compared_all_the_same(text: str) -> None:
    assert origin_of("13800138000", user=(text,)) in CallOrigin
    assert origin_of("a@a.org", user=(text,), foreign=(text,)) is MADE
