"""The guard without a proxy: `hauberk.guard.check(messages)`."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Context, Direction, MessageContent, Role
from hauberk.core import Action
from hauberk.guard.checker import Checker
from hauberk.guard.results import MessageResult, result_of

_ROLES = {
    "system": Role.SYSTEM, "developer": Role.SYSTEM, "user": Role.USER, "human": Role.USER, "assistant": Role.ASSISTANT,
    "ai": Role.ASSISTANT, "tool": Role.TOOL, "function": Role.TOOL, "document": Role.DOCUMENT,
}  # fmt: skip
MOST_MESSAGES = 10_000


class Result(msgspec.Struct, frozen=True):
    """The verdict on a conversation: the strictest action, the highest score, and each message's own."""

    action: str
    score: float
    risk: str
    messages: tuple[MessageResult, ...]

    @property
    def allowed(self) -> bool:
        """Whether the conversation may go on, as it is or redacted."""
        return Action[self.action.upper()] < Action.ASK


def role_of(name: str) -> Role:
    """The role called `name` in any API. Raises ValueError."""
    try:
        return _ROLES[name.lower()]
    except KeyError:
        raise ValueError(f"role {name!r} is none of {', '.join(_ROLES)}") from None


def check(messages: str | Mapping[str, Any] | Sequence[Mapping[str, Any]], *, checker: Checker | None = None) -> Result:
    """What the guard makes of a text, a message or a conversation (`role` and `content` each, as the chat APIs have them).

    The assistant's last message is judged as an answer, all before it as input. Raises ValueError on what is no message.
    """
    checker = checker or default_checker()
    texts = (
        [(Role.USER, messages)] if isinstance(messages, str) else _texts([messages] if isinstance(messages, Mapping) else messages)
    )
    context = Context(
        system=tuple(text for role, text in texts if role is Role.SYSTEM),
        foreign=tuple(text for role, text in texts if role.foreign),
        user=tuple(text for role, text in texts if role is Role.USER),
    )
    made = tuple(
        _one(checker, text, role, context, answer=role is Role.ASSISTANT and number == len(texts) - 1)
        for number, (role, text) in enumerate(texts)
    )
    worst = max(made, key=lambda m: (Action[m.action.upper()], m.score))
    return Result(worst.action, max(m.score for m in made), worst.risk, made)


@cache
def default_checker() -> Checker:
    """The checker of this installation's rules and default policy, compiled once."""
    return Checker()


def _one(checker: Checker, text: str, role: Role, context: Context, *, answer: bool) -> MessageResult:
    message = MessageContent(text, role, Direction.OUTPUT if answer else Direction.INPUT, context)
    checked = checker.check(message)
    return result_of(message, checked, checker.passed_on(message, checked))


def _texts(messages: Iterable[Mapping[str, Any]]) -> list[tuple[Role, str]]:
    found: list[tuple[Role, str]] = []
    for number, message in enumerate(messages):
        if number >= MOST_MESSAGES:
            raise ValueError(f"more than {MOST_MESSAGES} messages; check them in parts")
        content = message.get("content")
        if not isinstance(content, str | list):
            raise ValueError(f"messages[{number}].content: neither text nor a list of parts")  # noqa: TRY004 - one error for users
        role = role_of(str(message.get("role", "user")))
        found.extend(
            (role, text) for text in ([content] if isinstance(content, str) else _parts(cast("list[Any]", content), number))
        )
    if not found:
        raise ValueError("no message to check")
    return found


def _parts(parts: list[Any], number: int) -> Iterable[str]:
    for part in parts:
        text = cast("dict[str, Any]", part).get("text") if isinstance(part, dict) else part
        if not isinstance(text, str):
            raise ValueError(f"messages[{number}].content: a part without text; only text can be checked here")  # noqa: TRY004 - as above
        yield text
