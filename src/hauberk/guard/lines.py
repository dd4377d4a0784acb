"""Lines of JSON: a message in, its verdict out."""

from typing import Any, cast

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role
from hauberk.core import GapReason
from hauberk.guard.api import role_of
from hauberk.guard.checker import Checker
from hauberk.guard.results import line_of, result_of


class BadLine(ValueError):
    """A line that holds no message. `answer` is the line to write in its place: never an allow."""

    def __init__(self, message: str, identity: Any = None) -> None:
        super().__init__(message)
        self.answer: dict[str, Any] = {
            "id": identity,
            "action": "block",
            "score": None,
            "risk": "",
            "stage": "none",
            "findings": [],
            "gaps": [{"reason": GapReason.MALFORMED.value, "note": message, "action": "block"}],
        }


def judged_line(line: bytes, role: str, checker: Checker) -> tuple[dict[str, Any], str, bool]:
    """The answer to one line, its action, and whether something was not looked at. Raises BadLine."""
    try:
        raw = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadLine(f"no JSON: {error}") from error
    if not isinstance(raw, dict):
        raise BadLine('no object with a "text"')
    given = cast("dict[str, Any]", raw)
    identity = given.get("id")
    text = given.get("text")
    if not isinstance(text, str):
        raise BadLine('"text" is missing, or is not a string', identity)
    try:
        who = role_of(str(given.get("role") or role))
    except ValueError as error:
        raise BadLine(str(error), identity) from error
    message = MessageContent(text, who, Direction.OUTPUT if who is Role.ASSISTANT else Direction.INPUT)
    result = result_of(message, checker.check(message), None)
    return line_of(result, identity), result.action, bool(result.gaps)
