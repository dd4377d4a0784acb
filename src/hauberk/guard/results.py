"""What a check says, as users of the API and of the command line get it."""

from typing import Any

import msgspec

from hauberk.assets.chat import MessageContent
from hauberk.core import Evidence, Finding, Gap
from hauberk.guard.checker import Checked
from hauberk.policy.messages import Ruling


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where in the message: characters `start` to `end`, what is quoted, how it was seen."""

    start: int | None = None
    end: int | None = None
    quote: str = ""
    note: str = ""
    score: float | None = None


class Found(msgspec.Struct, frozen=True):
    """One finding and what the policy does about it."""

    rule: str
    risk: str
    severity: str
    confidence: str
    action: str
    message: str
    places: tuple[Place, ...] = ()


class Missed(msgspec.Struct, frozen=True):
    """One thing that was not looked at, and what the policy does about it."""

    reason: str
    note: str
    action: str


class MessageResult(msgspec.Struct, frozen=True):
    """The verdict on one message. `text` is the message as the policy would pass it on, None when it would not."""

    action: str
    score: float
    risk: str
    stage: str
    findings: tuple[Found, ...] = ()
    gaps: tuple[Missed, ...] = ()
    category: str = ""
    text: str | None = None


def result_of(message: MessageContent, checked: Checked, text: str | None) -> MessageResult:
    """`checked` with offsets in characters."""
    return MessageResult(
        action=checked.action.name.lower(),
        score=round(checked.score, 6),
        risk=checked.risk,
        stage=checked.stage,
        findings=tuple(_found(message, r, r.item) for r in checked.rulings if isinstance(r.item, Finding)),
        gaps=tuple(Missed(r.item.reason, r.item.note, r.act.value) for r in checked.rulings if isinstance(r.item, Gap)),
        category=checked.category,
        text=text,
    )


def line_of(result: MessageResult, identity: Any) -> dict[str, Any]:
    """`result` as a line of `--jsonl`."""
    line: dict[str, Any] = {"id": identity, **msgspec.to_builtins(result)}
    if not result.category:
        del line["category"]
    del line["text"]
    return line


def _found(message: MessageContent, ruling: Ruling, finding: Finding) -> Found:
    return Found(
        rule=finding.rule,
        risk=finding.risk,
        severity=finding.severity.value,
        confidence=finding.confidence.value,
        action=ruling.act.value,
        message=finding.message,
        places=tuple(_place(message, piece) for piece in finding.evidence),
    )


def _place(message: MessageContent, piece: Evidence) -> Place:
    if piece.offset is None or piece.length is None:
        return Place(quote=piece.quote, note=piece.note, score=piece.score)
    start, end = message.char_span(piece.offset, piece.length)
    return Place(start, end, piece.quote, piece.note, piece.score)
