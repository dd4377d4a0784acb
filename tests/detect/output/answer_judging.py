"""Holds the rules of answers against one message."""

from functools import cache

from hauberk.assets.chat import Context, Direction, MessageContent, Role, ToolCall, message_asset
from hauberk.core import Finding, Gap, Kind
from hauberk.detect import Bench
from hauberk.rules import load_pack

ENGINES = {"leak", "link", "command", "tool_call", "refusal"}


@cache
def bench() -> Bench:
    return Bench([rule for rule in load_pack().rules if rule.engine in ENGINES and Kind.MESSAGE in rule.reads])


def judged(text: str, context: Context | None = None, calls: str = "") -> list[Finding | Gap]:
    call = ToolCall(calls, text) if calls else None
    message = MessageContent(text, Role.ASSISTANT, Direction.OUTPUT, context or Context(), call)
    return list(bench().inspect(message_asset(message)))


def rules_of(text: str, context: Context | None = None, calls: str = "") -> set[str]:
    return {item.rule for item in judged(text, context, calls) if isinstance(item, Finding)}
