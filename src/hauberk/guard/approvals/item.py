"""What waits for a person, and what became of it."""

from enum import StrEnum

import msgspec

from hauberk.assets.quoting import quote

MAX_PREVIEW = 2_000  # characters
MAX_WORDS = 200  # characters of any other text
MAX_FINDINGS = 20


class State(StrEnum):
    """PENDING is the only state that changes."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


class Asked(msgspec.Struct, frozen=True):
    """One question to a person. Times are seconds since the epoch; `preview` is redacted by who asks."""

    id: str
    what: str  # `send_email (tool call)`, `request to gpt-x`
    who: str  # name of the key, never the key
    why: str
    findings: tuple[str, ...] = ()  # titles
    preview: str = ""
    asked: float = 0.0
    expires: float = 0.0
    state: State = State.PENDING
    operator: str = ""  # who answered
    reason: str = ""
    answered: float = 0.0


class Outcome(msgspec.Struct, frozen=True):
    """What became of a question. Only `approved` lets the request go on."""

    state: State
    operator: str = ""
    reason: str = ""

    @property
    def approved(self) -> bool:
        """Whether a person said yes in time."""
        return self.state is State.APPROVED


class ApprovalError(Exception):
    """An answer that is not taken; the message is one line for who gave it."""


def bounded(item: Asked) -> Asked:
    """`item` with its texts printable and of a size that a terminal shows."""
    return msgspec.structs.replace(
        item,
        what=quote(item.what, MAX_WORDS),
        who=quote(item.who, MAX_WORDS),
        why=quote(item.why, MAX_WORDS),
        findings=tuple(quote(title, MAX_WORDS) for title in item.findings[:MAX_FINDINGS]),
        preview=quote(item.preview, MAX_PREVIEW),
    )
