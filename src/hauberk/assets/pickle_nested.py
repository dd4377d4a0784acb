"""Pickles inside a pickle: constants and computed bytes that are themselves a stream."""

from typing import Final

from hauberk.assets.content import BytesContent
from hauberk.assets.pickle_machine import Machine
from hauberk.assets.pickle_sniff import looks_like_pickle, may_be_pickle

_SHORTEST: Final = 4
_TEXT_CHECKED: Final = 4096


def nested_pickle(machine: Machine, data: bytes, what: str) -> None:
    """Hands `data` on as a child when it is a pickle."""
    if len(data) < _SHORTEST or not may_be_pickle(data):
        return
    if looks_like_pickle(BytesContent(data), data[:4096]):
        machine.fact("pickle.nested", f"{what} is itself a pickle", size=len(data))
        machine.child(f"nested@{machine.opcode_at}", data)


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
