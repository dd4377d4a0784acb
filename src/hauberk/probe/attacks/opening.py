"""The messages before the first request."""

from collections.abc import Iterator

from hauberk.assets.chat import Role
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Message


def opening(seed: Seed, system: str = "") -> list[Message]:
    """The system prompt of the seed, followed by the attack's; none when neither has one."""
    text = "\n\n".join(part for part in (seed.system, system) if part)
    return [Message(Role.SYSTEM, text)] if text else []


def said(user: str, assistant: str) -> Iterator[Message]:
    """One turn as two messages."""
    yield Message(Role.USER, user)
    yield Message(Role.ASSISTANT, assistant)
