"""The pickle machine: follows a stream as the C unpickler would, without making any object.

It keeps a stack, marks and a memo of abstract values (`pickle_values`). What it sees it puts in `out`; the reader
hands that on. Where the C unpickler would raise, it raises Halt: what ran before has run, what follows never does.
"""

import bisect
from collections.abc import Callable
from typing import ClassVar, Final

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent, SliceContent
from hauberk.assets.pickle.bulk import SMALLEST, follow_runs
from hauberk.assets.pickle.values import DATA, FILL, UNSURE, Applied, Code, Items, Method, Opaque, Ref, Result, Table, Value, show
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap
from hauberk.core.asset import Scalar

WINDOW: Final = 1 << 18
SLACK: Final = 16  # no opcode with fixed arguments is longer
LINE_LIMIT: Final = 1 << 20  # longest text argument that is looked at
CONSTANT_LIMIT: Final = 1 << 20  # longest string or bytes kept as itself
MEMO_KEPT: Final = 24 << 20  # characters of strings in the memo, beyond which only where they lie is kept
MAX_CHILDREN: Final = 64
MAX_TORCH_FILES: Final = 20_000  # tensors pickled one by one
QUOTES_PER_CALL: Final = 2
DEEP: Final = 10_000
_STEPS: Final = 512


class Halt(Exception):
    """The C unpickler would raise here."""

    def __init__(self, note: str, kind: str = "") -> None:
        super().__init__(note)
        self.note = note
        self.kind = kind


class Stopped(Exception):
    """STOP was reached."""


class At:
    """A memoised string of which only the offset is kept."""

    __slots__ = ("offset",)

    def __init__(self, offset: int) -> None:
        self.offset = offset


_LIVE: Final = frozenset({Ref, Result, Applied, Method, Code, At})


class Passed(Opaque):
    """An inert memo entry made by a run that was passed over."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        super().__init__("<data>")
        self.index = index


class Machine:
    """One stream from `start`: `run_some` until it says that STOP was reached, or raises Halt."""

    base: int  # offset in the content of the buffer
    pos: int  # in the buffer
    limit: int  # in the buffer: from here on there may be too little left, or a frame ends
    buffer: bytes
    stack: list[Value]
    marks: list[int]
    memo: dict[int, Value]
    fence: int  # where the topmost frame of the stack begins
    recognise: ClassVar[Callable[[Content, bytes], bool]]  # whether bytes are a pickle; `pickle_trial` sets it

    def __init__(self, asset: Asset, budget: Budget, start: int = 0) -> None:
        assert asset.content is not None
        self.asset = asset
        self.budget = budget
        self.content: Content = asset.content
        self.size = self.content.size
        self.out: list[Fact | Asset | Gap] = []
        self.refs: dict[tuple[str, str], Ref] = {}
        self.extensions: dict[int, Ref] = {}
        self.children = self.torch_files = 0
        self._told: dict[tuple[str, str, str, str], int] = {}
        self.depth = 0
        self.begin(start)

    def begin(self, start: int) -> None:
        """Gets ready for a new stream at `start`: another load() has a new stack and memo."""
        self.started = start
        self.stepwise = False  # no run is passed over
        self.stack = []
        self.marks = []
        self.fence = 0
        self.memo = {}
        self.memo_size = 0
        self.kept = 0
        self.protocol = 0
        self.opcode_at = start
        self.puts = self.memoizes = self.swallowed = False
        self.live: dict[int, Ref | None] = {}
        self.live_version = 0
        self.pattern_version = -1
        self.regions: list[tuple[int, int]] = []  # first memo index and offset of each run passed over
        self.run_start: tuple[int, list[Value], int, int, int] | None = None
        self.went_back = -1
        self.bulk_after = start if self.size - start >= SMALLEST else self.size
        self.frame_end = -1
        self.frame_length = 0
        self.framed_until = -1
        self.result: Value = UNSURE
        self.storages: list[tuple[Value, ...]] = []
        self.jump(start)

    # -- bytes

    def jump(self, offset: int) -> None:
        """Goes on at `offset`."""
        self.base = offset
        self.pos = 0
        self.buffer = self.content.read(offset, WINDOW)
        self._limit()

    def _limit(self) -> None:
        at_end = self.base + len(self.buffer) >= self.size
        self.limit = len(self.buffer) if at_end else len(self.buffer) - SLACK
        if self.frame_end >= 0:
            self.limit = min(self.limit, max(0, self.frame_end - self.base))

    def jump_limit(self) -> None:
        """Looks up again how far the buffer may be followed."""
        self._limit()

    @property
    def offset(self) -> int:
        """Offset in the content of the next byte."""
        return self.base + self.pos

    def take(self, length: int) -> bytes:
        """The next `length` bytes; the caller has bounded it."""
        end = self.pos + length
        if end <= len(self.buffer):
            data = self.buffer[self.pos : end]
            self.pos = end
            return data
        offset = self.offset
        data = self.content.read(offset, length) if offset + length <= self.size else b""
        if len(data) != length:
            raise Halt(f"an argument of {length} bytes, {max(0, self.size - offset)} are left", "truncated")
        self.jump(offset + length)
        return data

    def skip(self, length: int) -> None:
        """Passes over `length` bytes without reading them."""
        if length > self.size - self.offset:
            raise Halt(f"an argument of {length} bytes, {self.size - self.offset} are left", "truncated")
        if self.pos + length <= len(self.buffer):
            self.pos += length
        else:
            self.jump(self.offset + length)

    def line(self) -> bytes:
        """The next line, without its newline."""
        end = self.buffer.find(b"\n", self.pos)
        if end >= 0:
            data = self.buffer[self.pos : end]
            self.pos = end + 1
            return data
        data = self.content.read(self.offset, LINE_LIMIT)
        end = data.find(b"\n")
        if end < 0:
            raise Halt("a text argument without its newline", "truncated")
        self.jump(self.offset + end + 1)
        return data[:end]

    # -- stack

    def pop(self) -> Value:
        """The top of the stack."""
        if len(self.stack) <= self.fence:
            raise Halt("the stack is empty")
        value = self.stack.pop()
        if value is FILL:
            self.stack.append(FILL)
            return DATA
        return value

    def top(self) -> Value:
        """The top of the stack, left there."""
        if len(self.stack) <= self.fence:
            raise Halt("the stack is empty")
        value = self.stack[-1]
        return DATA if value is FILL else value

    def pop_mark(self) -> list[Value]:
        """Everything above the last mark."""
        if not self.marks:
            raise Halt("no mark is set")
        start = self.marks.pop()
        self.fence = self.marks[-1] if self.marks else 0
        items = self.stack[start:]
        del self.stack[start:]
        if items and items[0] is FILL:
            items[0] = DATA
        return items

    # -- memo

    def put(self, index: int, value: Value) -> None:
        """Memoises `value`."""
        kind = type(value)
        if kind is str or kind is bytes:
            assert isinstance(value, str | bytes)
            self.kept += len(value)
            if self.kept > MEMO_KEPT:
                value = At(self.opcode_at) if len(value) > 64 else value
        elif kind in _LIVE or value is UNSURE:
            self._keep_live(index, value)
        elif index in self.live:
            del self.live[index]
            self.live_version += 1
        if index not in self.memo:
            self.memo_size += 1
        self.memo[index] = value

    def _keep_live(self, index: int, value: Value) -> None:
        """A memo entry that runs must not touch, unless it is an object of a settled class."""
        if isinstance(value, Result) and value.origin.settled:
            return
        self.live[index] = value if isinstance(value, Ref) else None
        self.live_version += 1

    def live_indexes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The live memo indexes, and those of them that are settled classes."""
        return tuple(self.live), tuple(index for index, ref in self.live.items() if ref is not None and ref.settled)

    def get(self, index: int) -> Value:
        """The memoised value. Halts when there is none."""
        value = self.memo.get(index)
        if value is None:
            if self.swallowed:
                return self._passed_over(index)
            raise Halt(f"memo {index} was never set")
        return self.reread(value.offset) if isinstance(value, At) else value

    def _passed_over(self, index: int) -> Value:
        """What a run that was passed over memoised: inert, and looked up only where a name is needed."""
        return Passed(index)

    def passed_string(self, index: int) -> Value:
        """The string that a run memoised at `index`, by following that run."""
        number = bisect.bisect_right(self.regions, (index, self.size)) - 1
        if self.puts or number < 0:
            return UNSURE
        first, start = self.regions[number]
        inner = Machine(self.asset, self.budget, start)
        inner.bulk_after = self.size
        inner.stack = [FILL]
        inner.memo_size, inner.swallowed = first, True
        inner.marks, inner.children = [0], MAX_CHILDREN
        inner.fence = 0
        try:
            while index not in inner.memo and inner.run_some():
                pass
        except Halt:
            return UNSURE
        return inner.memo.get(index, UNSURE)

    def reread(self, offset: int) -> Value:
        """The string whose opcode lies at `offset`."""
        base, pos, buffer, limit, stack, fence = self.base, self.pos, self.buffer, self.limit, self.stack, self.fence
        self.stack = []
        self.fence = 0
        try:
            self.jump(offset)
            self.pos = 1
            TABLE[self.buffer[0]](self)
            return self.stack[-1] if self.stack else UNSURE
        finally:
            self.base, self.pos, self.buffer, self.limit = base, pos, buffer, limit
            self.stack, self.fence = stack, fence

    # -- what is seen

    def fact(self, check: str, note: str, *, quoted: str = "", offset: int | None = None, **attrs: Scalar) -> None:
        """Puts a fact into `out`, once for each note and quote."""
        key = (check, note, quoted, "")
        if self._told.setdefault(key, 0):
            return
        self._told[key] = 1
        place = self.opcode_at if offset is None else offset
        self.out.append(Fact(check, quote(note, 200), offset=place, quote=quote(quoted), attrs=attrs))

    def call_fact(self, module: str, name: str, how: str, args: tuple[Value, ...], **attrs: Scalar) -> bool:
        """A fact that `module`.`name` is called, a few times at most for each way; True once they are told."""
        key = (module, name, how, f"{attrs.get('capability', '')}{attrs.get('place', '')}")
        seen = self._told.get(key, 0)
        if seen >= QUOTES_PER_CALL:
            return True
        self._told[key] = seen + 1
        path = f"{module}.{name}" if module else name
        quoted = f"{path}({', '.join(show(arg) for arg in args[:6])})"
        note = f"{path} is called on load" if how == "call" else f"{path} is called on load ({how})"
        all_attrs: dict[str, Scalar] = {"module": module[:300], "name": name[:300], "how": how, **attrs}
        self.out.append(Fact("pickle.call", _quoted(note, 200), offset=self.opcode_at, quote=_quoted(quoted), attrs=all_attrs))
        return False

    def ref(self, module: str, name: str) -> Ref:
        """The one Ref of a global."""
        key = (module, name)
        found = self.refs.get(key)
        if found is None:
            found = Ref(module, name, self.opcode_at)
            if len(self.refs) < 100_000:
                self.refs[key] = found
        return found

    def child(self, name: str, data: bytes | tuple[int, int]) -> None:
        """A nested pickle for the driver to inspect; a pair is offset and length in this content."""
        if self.children >= MAX_CHILDREN:
            return
        self.children += 1
        self.out.append(self.asset.child(name, self._content(data), format="pickle"))

    def torch_child(self, data: bytes | tuple[int, int]) -> bool:
        """A whole torch file for the driver to inspect; False when there were too many."""
        self.torch_files += 1
        if self.torch_files <= MAX_TORCH_FILES:
            self.out.append(self.asset.child(f"tensor@{self.opcode_at}", self._content(data)))
        return self.torch_files <= MAX_TORCH_FILES

    def _content(self, data: bytes | tuple[int, int]) -> Content:
        return BytesContent(data) if isinstance(data, bytes) else SliceContent(self.content, *data)

    # -- running

    def run_some(self) -> bool:
        """Follows some opcodes. False once STOP is reached. Raises Halt."""
        try:
            if self.base + self.pos >= self.bulk_after:
                follow_runs(self)
            self.step(_STEPS if self.base + self.pos < self.bulk_after else 8)
        except Stopped:
            return False
        self.budget.check_time()
        if len(self.stack) > DEEP and _all_containers(self.stack):
            self.fact("pickle.deep-nesting", f"more than {DEEP} lists or dicts lie in one another", offset=0)
        return True

    def step(self, count: int) -> bool:
        """Follows `count` opcodes one by one. True when runs are not to be looked for just now."""
        table = TABLE
        for _ in range(count):
            if self.pos >= self.limit:
                self._refill()
            self.opcode_at = self.base + self.pos
            code = self.buffer[self.pos]
            self.pos += 1
            table[code](self)
        return self.base + self.pos < self.bulk_after

    def byte(self) -> int:
        """The next byte. No opcode is looked up closer to the end of the buffer than its fixed arguments are long."""
        try:
            value = self.buffer[self.pos]
        except IndexError:
            raise Halt("the stream ends before STOP", "truncated") from None
        self.pos += 1
        return value

    def _refill(self) -> None:
        if 0 <= self.frame_end <= self.offset:
            if self.frame_end < self.offset:
                self.fact("pickle.frame", "an opcode crosses the end of its frame: unpicklers differ on what follows")
            self.framed_until = self.frame_end
            self.frame_end = -1
            self._limit()
            if self.pos < self.limit:
                return
        if self.base + self.pos >= self.size:
            raise Halt("the stream ends before STOP", "truncated")
        if self.base + len(self.buffer) < self.size:
            self.jump(self.base + self.pos)

    def finish(self) -> None:
        """Reports the globals that were looked up and never called."""
        for ref in self.refs.values():
            if not ref.called:
                path = ref.path
                nested = self.asset.name.startswith("nested@")
                attrs: dict[str, Scalar] = {
                    "module": ref.module[:300],
                    "name": ref.name[:300],
                    "how": "reference",
                    "nested": nested,
                }
                note = f"{quote(path, 120)} is referred to, and not called on load"
                self.out.append(Fact("pickle.global", note, offset=ref.offset, quote=quote(path), attrs=attrs))
        self.refs.clear()


def _quoted(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit and text.isprintable() else quote(text, limit)


def _all_containers(stack: list[Value]) -> bool:
    return all(isinstance(value, Items | Table) for value in stack[-256:])


Handler = Callable[[Machine], None]


def unknown_opcode(machine: Machine) -> None:
    """Stands for every byte that is no opcode."""
    code = machine.content.read(machine.opcode_at, 1)
    raise Halt(f"0x{code.hex()} is no opcode")


TABLE: list[Handler] = [unknown_opcode] * 256


def opcode(code: int) -> Callable[[Handler], Handler]:
    """Makes the decorated function the handler of `code`."""

    def register(handler: Handler) -> Handler:
        TABLE[code] = handler
        return handler

    return register
