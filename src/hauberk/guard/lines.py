"""Lines of JSON: a message in, its verdict out."""

import json
import re
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role
from hauberk.core import GapReason
from hauberk.guard.api import role_of
from hauberk.guard.checker import Checker
from hauberk.guard.results import line_of, result_of

_HALF = re.compile("[\ud800-\udfff]")


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


def _read(line: bytes) -> Any:
    """The JSON of `line`; half a surrogate pair, as a cut emoji leaves it, is read as U+FFFD. Raises BadLine."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = f"no JSON: {error}"
    try:
        raw: Any = json.loads(line.decode("utf-8", "replace"))
        whole: Any = json.loads(_HALF.sub("\ufffd", json.dumps(raw, ensure_ascii=False, allow_nan=False)))
    except (ValueError, RecursionError):
        raise BadLine(problem) from None
    if "surrogate" in problem:
        return whole
    raise BadLine(problem, cast("dict[str, Any]", whole).get("id") if isinstance(whole, dict) else None)


def judged_line(line: bytes, role: str, checker: Checker) -> tuple[dict[str, Any], str, bool]:
    """The answer to one line, its action, and whether something was not looked at. Raises BadLine."""
    raw = _read(line)
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
