"""Prompts and answers of other tools, as lines of JSON."""

import json
from typing import Any

import msgspec

from hauberk.assets.chat import Role
from hauberk.probe.attacks.attack import Family
from hauberk.probe.case import Case
from hauberk.probe.goal import Goal, Harm
from hauberk.probe.targets.target import Exchange, Message, Reply, Request


class LineError(ValueError):
    """A line that cannot be judged. `identity` is its id, None when it has none."""

    def __init__(self, message: str, identity: Any = None) -> None:
        super().__init__(message)
        self.identity = identity


class _Line(msgspec.Struct, frozen=True):
    prompt: str
    response: str
    id: Any = None
    goal: Goal = Harm()
    risk: str = ""
    lang: str = ""
    system: str = ""


class _Identity(msgspec.Struct, frozen=True):
    id: Any = None


_decode = msgspec.json.Decoder(_Line).decode
_identity = msgspec.json.Decoder(_Identity).decode
_BOM = b"\xef\xbb\xbf"


def line_of(line: bytes) -> tuple[Case, str, tuple[Exchange, ...], Any]:
    """The case, its prompt, its transcript and its id. Raises LineError."""
    line = line.removeprefix(_BOM)
    try:
        given = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        given = _odd(line, error)
    system = (Message(Role.SYSTEM, given.system),) if given.system else ()
    request = Request((*system, Message(Role.USER, given.prompt)))
    case = Case("line", "line", Family.PLAIN.value, "line", given.risk, given.lang, given.goal)
    return case, given.prompt, (Exchange(request, Reply(given.response)),), given.id


def _odd(line: bytes, error: Exception) -> _Line:
    """A line with halves of surrogate pairs or bytes that are no UTF-8, as other tools write them; they are judged as `?`."""
    try:
        loose = json.loads(line.decode("utf-8", "replace"))
        mended = json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        raise LineError(_said(error)) from error
    try:
        return _decode(mended)
    except msgspec.DecodeError as wrong:
        raise LineError(_said(wrong), _id_of(mended)) from error


def _id_of(line: bytes) -> Any:
    try:
        return _identity(line).id
    except msgspec.DecodeError:
        return None


def _said(error: Exception) -> str:
    kind = "not such a line" if isinstance(error, msgspec.ValidationError) else "no JSON"
    return f"{kind}: {str(error)[:300]}"
