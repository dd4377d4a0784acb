"""A light reading of a torch `data.pkl`: which storages it declares and how its tensors lie in them.

It follows the plain opcodes torch writes and stops at anything else: the pickle reader judges the rest.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Any, TypeGuard, cast

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Truncated
from hauberk.core import Content

# Bytes of one number by the class or dtype that names it.
_WIDTHS = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2,
    "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "BFloat16Storage": 2, "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8, "QUInt8Storage": 1, "QInt8Storage": 1, "QInt32Storage": 4, "UntypedStorage": 1,
}  # fmt: skip
_REBUILDS = {"_rebuild_tensor_v2", "_rebuild_tensor", "_rebuild_tensor_v3"}
_MAX_STACK = 1 << 20
_MAX_USES = 100_000


class View(msgspec.Struct, frozen=True):
    """A tensor's place in its storage, in numbers."""

    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def problem(self, numbers: int) -> str:
        """What is wrong with it in a storage of `numbers` numbers; empty when it lies inside."""
        if len(self.size) != len(self.stride):
            return f"a tensor of {len(self.size)} dimensions has {len(self.stride)} strides"
        if self.offset < 0 or any(n < 0 for n in self.size) or any(n < 0 for n in self.stride):
            return f"a tensor has a negative offset, size or stride: {self.offset}, {self.size[:6]}, {self.stride[:6]}"
        if 0 in self.size:
            return ""
        last = self.offset + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        return f"a tensor reaches number {last} of a storage of {numbers}" if last >= numbers else ""


class StorageUse(msgspec.Struct):
    """A storage as its persistent id declares it, and the tensors that lie in it."""

    key: str
    kind: str
    numbers: int
    views: list[View] = []

    @property
    def width(self) -> int:
        """Bytes of one number, 0 when its class is not known."""
        return _WIDTHS.get(self.kind, 0)


class _Global(msgspec.Struct, frozen=True):
    module: str
    name: str


class _Mark:
    pass


class _Other:
    """Any object that matters to nobody here."""


_MARK = _Mark()
_OTHER = _Other()


class Uses(msgspec.Struct, frozen=True):
    """The storages a `data.pkl` declares, and how many tensors it builds of things that are no storage."""

    storages: tuple[StorageUse, ...]
    misused: int


def read_uses(content: Content, budget: Budget) -> Uses:
    """The storages that `content` declares, as far as its opcodes are the plain ones."""
    machine = _Machine(Cursor(content), budget)
    with contextlib.suppress(Truncated, _Unusual):  # the pickle reader says what is wrong with it
        machine.run()
    return Uses(tuple(machine.uses.values()), machine.misused)


class _Unusual(Exception):
    """An opcode or an operand torch does not write."""


class _Machine:
    def __init__(self, cursor: Cursor, budget: Budget) -> None:
        self.cursor, self.budget = cursor, budget
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.uses: dict[tuple[str, str, int], StorageUse] = {}
        self.misused = 0  # rebuild calls whose arguments are no tensor's

    def run(self) -> None:
        while True:
            self.budget.tick()
            code = self.cursor.u8()
            if code == 0x2E:  # STOP
                return
            action = _ACTIONS.get(code)
            if action is None or len(self.stack) > _MAX_STACK or len(self.uses) > _MAX_USES:
                raise _Unusual
            action(self)

    def pop(self) -> Any:
        if not self.stack:
            raise _Unusual
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _MARK:
                items = self.stack[at + 1 :]
                del self.stack[at:]
                return items
        raise _Unusual

    def text(self, width: int) -> str:
        length = self.cursor.uint(width)
        if length > 1 << 20:
            self.cursor.skip(length)
            return ""
        return self.cursor.take(length).decode("utf-8", "replace")

    def line(self) -> str:
        found = bytearray()
        while (byte := self.cursor.take(1)) != b"\n":
            found += byte
            if len(found) > 4096:
                raise _Unusual
        return found.decode("utf-8", "replace")

    def put(self, key: int) -> None:
        self.memo[key] = self.stack[-1] if self.stack else _OTHER

    def get(self, key: int) -> None:
        if key not in self.memo:
            raise _Unusual
        self.stack.append(self.memo[key])

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def drop(self, count: int) -> None:
        for _ in range(count):
            self.pop()

    def persistent(self) -> None:
        pid = self.pop()
        match pid:
            case ("storage", _Global(name=kind), str(key), str(), int(numbers)):
                use = self.uses.setdefault((key, kind, numbers), StorageUse(key, kind, numbers))
                self.stack.append(use)
            case _:
                self.stack.append(_OTHER)

    def reduce(self) -> None:
        arguments, function = self.pop(), self.pop()
        if isinstance(function, _Global) and function.name in _REBUILDS and isinstance(arguments, tuple):
            self.misused += not _keep_view(cast("tuple[Any, ...]", arguments))
        self.stack.append(_OTHER)


def _keep_view(arguments: tuple[Any, ...]) -> bool:
    """Notes a tensor's place in its storage; false when these are not the arguments of a tensor."""
    use, offset, size, stride = (*arguments, None, None, None, None)[:4]
    if isinstance(use, StorageUse) and isinstance(offset, int) and _are_ints(size) and _are_ints(stride):
        use.views.append(View(offset, size, stride))
        return True
    return isinstance(use, _Other) and len(arguments) >= 4  # a storage of a kind not followed here


def _are_ints(value: Any) -> TypeGuard[tuple[int, ...]]:
    return isinstance(value, tuple) and all(isinstance(n, int) for n in cast("tuple[Any, ...]", value))


def _build(machine: _Machine) -> None:
    machine.drop(1)  # BUILD, APPEND: the argument goes, the object stays


def _long(machine: _Machine) -> None:
    machine.stack.append(machine.cursor.sint(machine.cursor.u8()))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(_Global(str(module), str(name)))


def _plain_global(machine: _Machine) -> None:
    module = machine.line()
    machine.stack.append(_Global(module, machine.line()))


def _newobj(machine: _Machine) -> None:
    machine.drop(2)
    machine.stack.append(_OTHER)


def _push(value: Any) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(value)


def _push_uint(width: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.cursor.uint(width))


def _push_text(width: int) -> Callable[[_Machine], None]:
    return lambda machine: machine.stack.append(machine.text(width))


def _push_bytes(width: int) -> Callable[[_Machine], None]:
    def action(machine: _Machine) -> None:
        machine.cursor.skip(machine.cursor.uint(width))
        machine.stack.append(_OTHER)

    return action


def _float(machine: _Machine) -> None:
    machine.cursor.skip(8)
    machine.stack.append(math.nan)


_ACTIONS: dict[int, Callable[[_Machine], None]] = {
    0x80: lambda m: m.cursor.skip(1),  # PROTO
    0x95: lambda m: m.cursor.skip(8),  # FRAME
    ord("("): _push(_MARK),
    ord(")"): _push(()),
    ord("}"): _push(_OTHER),
    ord("]"): _push(_OTHER),
    ord("N"): _push(None),
    0x88: _push(1),
    0x89: _push(0),
    ord("K"): _push_uint(1),
    ord("M"): _push_uint(2),
    ord("J"): lambda m: m.stack.append(m.cursor.sint(4)),
    0x8A: _long,
    ord("G"): _float,
    ord("X"): _push_text(4),
    0x8C: _push_text(1),
    ord("U"): _push_bytes(1),
    ord("B"): _push_bytes(4),
    ord("C"): _push_bytes(1),
    ord("c"): _plain_global,
    0x93: _stack_global,
    ord("q"): lambda m: m.put(m.cursor.u8()),
    ord("r"): lambda m: m.put(m.cursor.uint(4)),
    0x94: lambda m: m.put(len(m.memo)),
    ord("h"): lambda m: m.get(m.cursor.u8()),
    ord("j"): lambda m: m.get(m.cursor.uint(4)),
    ord("t"): lambda m: m.stack.append(tuple(m.pop_mark())),
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    ord("Q"): _Machine.persistent,
    ord("R"): _Machine.reduce,
    0x81: _newobj,
    ord("b"): _build,
    ord("a"): _build,
    ord("s"): lambda m: m.drop(2),
    ord("u"): lambda m: m.drop(len(m.pop_mark()) * 0),
    ord("e"): lambda m: m.drop(len(m.pop_mark()) * 0),
    ord("0"): lambda m: m.drop(1),
}
