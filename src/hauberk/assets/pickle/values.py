"""The abstract values of the pickle machine: what is known of an object without making it.

Plain Python `str`, `bytes`, `int` and `tuple` stand for themselves; `DATA` for every other inert object.
"""

from typing import Final, cast

Value = object
ITEMS_KEPT = 64  # of a list or dict; more are inert or have been reported on their own


def group_of(value: Value) -> "tuple[Value, ...] | None":
    """`value` if it is a tuple."""
    return cast("tuple[Value, ...]", value) if isinstance(value, tuple) else None


def members_of(value: Value) -> "list[Value] | None":
    """The members of a tuple or list, as far as they are kept."""
    group = group_of(value)
    if group is not None:
        return list(group)
    return value.items if isinstance(value, Items) else None


class Opaque:
    """A value told apart only by its identity."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Stretch(Opaque):
    """A bytes constant too long to be held: where it lies."""

    __slots__ = ("length", "start")

    def __init__(self, start: int, length: int) -> None:
        super().__init__(f"<{length} bytes>")
        self.start, self.length = start, length


TORCH_BYTES: Final = "torch.storage._load_from_bytes"  # what a tensor is plainly pickled with; its argument is a torch file


DATA: Final = Opaque("<data>")
NONE: Final = Opaque("None")
FILL: Final = Opaque("<…>")  # on the stack: any number of inert values (pickle_bulk)
UNSURE: Final = Opaque("<unknown>")  # may be anything: the result of what could not be followed


class Ref:
    """A global: `module` and `name` as the stream gave them, attributes reached since appended to `name`."""

    __slots__ = ("called", "module", "name", "offset", "settled")

    def __init__(self, module: str, name: str, offset: int) -> None:
        self.module = module
        self.name = name
        self.offset = offset
        self.called = False
        self.settled = False  # what making it and building it does has been reported: more of it is inert

    @property
    def path(self) -> str:
        """`module.name`."""
        return f"{self.module}.{self.name}" if self.name else self.module

    def __repr__(self) -> str:
        return self.path


class Result:
    """What a call gave: `origin` is what was called."""

    __slots__ = ("args", "fields", "origin", "state")

    def __init__(self, origin: "Ref", args: tuple[Value, ...]) -> None:
        self.origin = origin
        self.args = args
        self.fields: Table | None = None  # the state BUILD gave it, where that is a dict
        self.state: Value = None

    def __repr__(self) -> str:
        return f"{self.origin.path}(...)"


class Method:
    """An attribute of a value that is no global: `''.join`, `Popen(...).communicate`."""

    __slots__ = ("attribute", "owner")

    def __init__(self, owner: Value, attribute: str) -> None:
        self.owner = owner
        self.attribute = attribute

    def __repr__(self) -> str:
        return f"{show(self.owner)}.{self.attribute}"


class Applied:
    """A callable waiting for arguments: `partial(f, a)`, `attrgetter('x')`, `methodcaller('run')`."""

    __slots__ = ("args", "how", "target")

    def __init__(self, how: str, target: Value, args: tuple[Value, ...]) -> None:
        self.how = how
        self.target = target
        self.args = args

    def __repr__(self) -> str:
        return f"{self.how}({', '.join(map(show, (self.target, *self.args)))})"


class Code:
    """A code object or a function made from one. `names` are the strings it was made of."""

    __slots__ = ("names",)

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def __repr__(self) -> str:
        return "<code>"


class Items:
    """A list or set: the first items, for arguments and for joined strings."""

    __slots__ = ("items", "weight")

    def __init__(self, items: list[Value]) -> None:
        self.items = items
        self.weight = 1  # items that it unfolds to, shared ones counted each time

    def extend(self, more: list[Value]) -> int:
        """Keeps what there is room for; returns the weight."""
        room = ITEMS_KEPT - len(self.items)
        if room > 0:
            self.items.extend(more[:room])
        self.weight = min(1 << 62, self.weight + sum([weight_of(item) for item in more]))
        return self.weight

    def __repr__(self) -> str:
        return "[" + ", ".join(map(show, self.items[:4])) + (", …]" if len(self.items) > 4 else "]")


class Heavy(tuple[Value, ...]):  # noqa: SLOT001 - a tuple has no room for slots
    """A tuple that unfolds to many items."""

    weight: int = 1


def weight_of(value: Value) -> int:
    """How many items `value` unfolds to."""
    kind = type(value)
    if isinstance(value, Items | Heavy | Table):
        return value.weight
    return len(group_of(value) or ()) if kind is tuple else 1


class Table:
    """A dict: its first entries with string keys."""

    __slots__ = ("entries", "weight")

    def __init__(self) -> None:
        self.entries: dict[str, Value] = {}
        self.weight = 1

    def put(self, key: Value, value: Value) -> None:
        """Keeps what there is room for."""
        self.weight = min(1 << 62, self.weight + weight_of(value))
        if isinstance(key, str) and (len(self.entries) < ITEMS_KEPT or key.startswith("__")):
            self.entries[key] = value

    def __repr__(self) -> str:
        return "{…}" if self.entries else "{}"


def show(value: Value, limit: int = 60) -> str:
    """A short text of `value` for a person. Never recurses deep: containers show their first items."""
    group = group_of(value)
    if group is not None:
        inner = ", ".join("(…)" if isinstance(item, tuple) else show(item, limit) for item in group[:6])
        return f"({inner}{', …' if len(group) > 6 else ''})"
    if isinstance(value, str | bytes):
        return repr(value[:limit]) + ("…" if len(value) > limit else "")
    if isinstance(value, int):
        return str(value) if value.bit_length() < 128 else f"<int of {value.bit_length()} bits>"
    text = value.text if isinstance(value, Opaque) else _show_object(value)
    return text if len(text) <= 2 * limit else text[: 2 * limit] + "…"


def _show_object(value: Value) -> str:
    if isinstance(value, Items):  # one level only: a list may hold itself
        return "[…]" if value.items else "[]"
    return repr(value) if isinstance(value, Ref | Result | Code | Table) else f"<{type(value).__name__.lower()}>"
