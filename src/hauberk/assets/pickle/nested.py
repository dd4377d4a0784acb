"""Pickles inside a pickle: constants and computed bytes that are themselves a stream."""

import base64
import re
from typing import Final

from hauberk.assets.content import BytesContent
from hauberk.assets.pickle.machine import Machine
from hauberk.assets.pickle.sniff import may_be_pickle

_SHORTEST: Final = 4
CALL: Final = re.compile(
    rb"c(os|posix|nt|subprocess|builtins|__builtin__|sys|pty|socket|importlib|runpy|shutil|commands)\n([A-Za-z_]\w{0,60})\n"
)
_TEXT_CHECKED: Final = 4096


def nested_pickle(machine: Machine, data: bytes, what: str) -> None:
    """Hands `data` on as a child when it is a pickle."""
    if len(data) < _SHORTEST:
        return
    if not may_be_pickle(data):
        _embedded_call(machine, data)
        return
    if Machine.recognise(BytesContent(data), data[:4096]):
        machine.fact("pickle.nested", f"{what} is itself a pickle", size=len(data))
        machine.child(f"nested@{machine.opcode_at}", data)


def _embedded_call(machine: Machine, data: bytes) -> None:
    match = CALL.search(data)
    if match is not None:
        quoted = b".".join(match.group(1, 2)).decode("ascii")
        machine.fact("pickle.embedded-call", "a constant holds opcodes that fetch a harmful global", quoted=quoted)


def nested_in_slice(machine: Machine, start: int, length: int) -> None:
    """As `nested_pickle`, for a constant too long to be held."""
    head = machine.content.read(start, min(length, 4096))
    if may_be_pickle(head) and start + length <= machine.size and head[0] == 0x80:
        machine.child(f"nested@{machine.opcode_at}", (start, length))


def nested_arguments(machine: Machine, args: tuple[object, ...]) -> None:
    """Looks into the bytes and strings that a call is given."""
    for arg in args[:8]:
        if isinstance(arg, bytes) and len(arg) <= _TEXT_CHECKED * 16:
            nested_pickle(machine, arg, "an argument")


def nested_base64(machine: Machine, text: str) -> None:
    """As `nested_pickle`, for a string that is base64 of a pickle."""
    try:
        data = base64.b64decode(text[: 1 << 20], validate=True)
    except ValueError:
        return
    nested_pickle(machine, data, "a base64 string")
