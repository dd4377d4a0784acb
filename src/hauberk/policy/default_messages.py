"""What is done with messages when hauberk.toml does not say. The first row that fits decides."""

from hauberk.assets.chat import Direction, Role
from hauberk.core import Confidence, GapReason, Severity
from hauberk.detect.output.tool_effect import Effect
from hauberk.policy.call_origin import CallOrigin
from hauberk.policy.messages import Act, MessageEntry, MessagePolicy, Remedy

_STEERING = ("prompt-injection", "jailbreak", "tool-poisoning", "context-poisoning")
_PERSONAL = ("sensitive-information",)
_PRIVATE = ("sensitive-information", "credential-exposure")
_FOREIGN = (Role.TOOL, Role.DOCUMENT)
BLOCK_RATE = 0.002
"""Share of ordinary messages that may be blocked by mistake."""
FLAG_RATE = 0.02


def default_entries(block_rate: float = BLOCK_RATE, flag_rate: float = FLAG_RATE) -> tuple[MessageEntry, ...]:
    """The rows, with attacks blocked and flagged at these shares of false alarms among ordinary messages."""
    return (
        # An agent must write to the address that its user gave it. What a page or a tool's result brought may go out only if a
        # person agrees, and what the model came up with is masked like any other answer. Credentials are masked always.
        MessageEntry(action=Act.FLAG, risks=_PERSONAL, directions=(Direction.OUTPUT,), calls=(CallOrigin.GIVEN,)),
        MessageEntry(
            action=Act.ASK,
            risks=_PERSONAL,
            directions=(Direction.OUTPUT,),
            min_confidence=Confidence.MEDIUM,
            calls=(CallOrigin.FOREIGN,),
            effects=(Effect.CHANGES,),
        ),
        MessageEntry(action=Act.REDACT, risks=_PRIVATE, directions=(Direction.OUTPUT,), min_confidence=Confidence.MEDIUM),
        MessageEntry(action=Act.REDACT, risks=("credential-exposure",), min_confidence=Confidence.HIGH),
        MessageEntry(action=Act.FLAG, risks=_PRIVATE),
        MessageEntry(
            action=Act.ASK,
            risks=("excessive-agency",),
            directions=(Direction.OUTPUT,),
            min_severity=Severity.HIGH,
            min_confidence=Confidence.MEDIUM,
        ),
        # What a tool or a document says is data: when in doubt it is delimited, and only plain attacks are refused.
        MessageEntry(action=Act.BLOCK, risks=_STEERING, roles=_FOREIGN, min_severity=Severity.HIGH, rate=block_rate),
        MessageEntry(action=Act.REDACT, remedy=Remedy.SPOTLIGHT, risks=_STEERING, roles=_FOREIGN, rate=flag_rate),
        MessageEntry(action=Act.BLOCK, min_severity=Severity.HIGH, min_confidence=Confidence.MEDIUM, rate=block_rate),
        MessageEntry(action=Act.ALLOW, min_severity=Severity.INFO, risks=(), rules=("answer-refuses",)),
        MessageEntry(action=Act.FLAG, rate=flag_rate),
        MessageEntry(action=Act.ALLOW),
        MessageEntry(action=Act.FLAG, gaps=(GapReason.NOT_REQUESTED, GapReason.UNSUPPORTED, GapReason.STALE)),
    )


DEFAULT_MESSAGE_POLICY = MessagePolicy(entries=default_entries())
