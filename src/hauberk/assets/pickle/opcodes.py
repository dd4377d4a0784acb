"""The opcodes that group, memoise, look up and call. Importing this module fills the machine's table: take Machine from here."""

import struct
from typing import Final

from hauberk.assets.pickle.arrays import read_array
from hauberk.assets.pickle.bulk import go_back, start_over
from hauberk.assets.pickle.calls import call, new
from hauberk.assets.pickle.constants import CONSTANTS
from hauberk.assets.pickle.machine import TABLE, Halt, Machine, Passed, Stopped, opcode, unknown_opcode
from hauberk.assets.pickle.values import (
    DATA,
    FILL,
    NONE,
    UNSURE,
    Heavy,
    Items,
    Ref,
    Result,
    Table,
    Value,
    group_of,
    show,
    weight_of,
)

_MEMO_FAR: Final = 1 << 24  # the C unpickler allocates the memo up to the index
_FRAME_FULL: Final = 1 << 16  # a pickler ends a frame once it is this long
_HEAVY: Final = 1 << 30  # items that an object unfolds to
_TOO_HEAVY: Final = 1 << 62


# -- containers


@opcode(0x28)  # MARK
def _mark(m: Machine) -> None:
    m.fence = len(m.stack)
    m.marks.append(m.fence)
    if len(m.marks) == 10_000:
        m.fact("pickle.deep-nesting", "ten thousand marks are open at once", depth=10_000)


@opcode(0x31)  # POP_MARK
def _pop_mark(m: Machine) -> None:
    m.pop_mark()


@opcode(0x30)  # POP
def _pop(m: Machine) -> None:
    if m.stack and m.stack[-1] is FILL and go_back(m):
        return
    if m.marks and m.marks[-1] == len(m.stack):
        m.pop_mark()
    else:
        m.pop()


@opcode(0x32)  # DUP
def _dup(m: Machine) -> None:
    m.stack.append(m.top())


def grouped(m: Machine, items: tuple[Value, ...]) -> Value:
    """A tuple, weighed when what it holds is heavy."""
    for item in items:
        if type(item) is Heavy or (isinstance(item, Items | Table) and item.weight > 8):
            return _weighed(m, Heavy(items))
        if type(item) is tuple and len(items) > 1 and _same(items):
            return _weighed(m, Heavy(items))
    return items


def _same(items: tuple[Value, ...]) -> bool:
    return all(item is items[0] for item in items)


def _weighed(m: Machine, group: "Heavy") -> "Heavy":
    group.weight = min(_TOO_HEAVY, sum(weight_of(item) for item in group))
    if group.weight >= _HEAVY:
        _expands(m, group.weight)
    return group


def _expands(m: Machine, weight: int) -> None:
    m.fact(
        "pickle.expansion",
        f"a small object unfolds to more than {_HEAVY} items when it is walked",
        offset=0,
        weight=min(weight, _TOO_HEAVY),
    )


@opcode(0x74)  # TUPLE
def _tuple(m: Machine) -> None:
    items = m.pop_mark()
    m.stack.append(grouped(m, tuple(items[:1024])))


@opcode(0x85)  # TUPLE1
def _tuple1(m: Machine) -> None:
    m.stack.append(grouped(m, (m.pop(),)))


@opcode(0x86)  # TUPLE2
def _tuple2(m: Machine) -> None:
    second, first = m.pop(), m.pop()
    m.stack.append(grouped(m, (first, second)))


@opcode(0x87)  # TUPLE3
def _tuple3(m: Machine) -> None:
    third, second, first = m.pop(), m.pop(), m.pop()
    m.stack.append(grouped(m, (first, second, third)))


@opcode(0x5D)  # EMPTY_LIST
@opcode(0x8F)  # EMPTY_SET
def _empty_list(m: Machine) -> None:
    m.stack.append(Items([]))


@opcode(0x6C)  # LIST
@opcode(0x91)  # FROZENSET
def _list(m: Machine) -> None:
    items = Items([])
    _extend(m, items, m.pop_mark())
    m.stack.append(items)


@opcode(0x7D)  # EMPTY_DICT
def _empty_dict(m: Machine) -> None:
    m.stack.append(Table())


@opcode(0x64)  # DICT
def _dict(m: Machine) -> None:
    table = Table()
    _fill(table, m.pop_mark())
    m.stack.append(table)


def _fill(table: Table, items: list[Value]) -> None:
    for number in range(0, len(items) - 1, 2):
        table.put(items[number], items[number + 1])


@opcode(0x61)  # APPEND
def _append(m: Machine) -> None:
    item = m.pop()
    _extend(m, m.top(), [item])


@opcode(0x65)  # APPENDS
@opcode(0x90)  # ADDITEMS
def _appends(m: Machine) -> None:
    items = m.pop_mark()
    _extend(m, m.top(), items)


def _extend(m: Machine, target: Value, items: list[Value]) -> None:
    if type(target) is Items:
        if target.extend(items) >= _HEAVY:
            _expands(m, target.weight)
    else:
        _mutates(m, target, "extended", items)


@opcode(0x73)  # SETITEM
def _setitem(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    _set_items(m, m.top(), [key, value])


@opcode(0x75)  # SETITEMS
def _setitems(m: Machine) -> None:
    items = m.pop_mark()
    _set_items(m, m.top(), items)


def _set_items(m: Machine, target: Value, items: list[Value]) -> None:
    if type(target) is Table:
        _fill(target, items)
    else:
        _mutates(m, target, "given items", items)


def _mutates(m: Machine, target: Value, verb: str, items: list[Value]) -> None:
    """Items go into something that is no container of the stream's own: a global is changed for the whole process."""
    if isinstance(target, Ref):
        target.called = True
        shown = f"{target.path}[...] = {', '.join(map(show, items[:2]))}"
        m.fact("pickle.global-changed", f"{target.path} is {verb} by the stream", quoted=shown, target=target.path[:300])


# -- memo


@opcode(0x94)  # MEMOIZE
def _memoize(m: Machine) -> None:
    if m.puts and m.swallowed:  # where it goes depends on what was passed over
        start_over(m)
        return
    m.memoizes = True
    m.put(m.memo_size, m.top())


@opcode(0x71)  # BINPUT
def _binput(m: Machine) -> None:
    _put_at(m, m.byte())


@opcode(0x72)  # LONG_BINPUT
def _long_binput(m: Machine) -> None:
    _far(m, int.from_bytes(m.take(4), "little"))


@opcode(0x70)  # PUT
def _put(m: Machine) -> None:
    _far(m, _index(m))


def _far(m: Machine, index: int) -> None:
    if index > _MEMO_FAR and index > m.offset:
        m.fact("pickle.memo-far", f"memo index {index} makes the unpickler allocate {index * 16} bytes", index=index)
    _put_at(m, index)


def _put_at(m: Machine, index: int) -> None:
    if m.memoizes and m.swallowed:
        start_over(m)
        return
    m.puts = True
    m.put(index, m.top())


def _index(m: Machine) -> int:
    text = m.line()
    try:
        index = int(text[:64])
    except ValueError:
        raise Halt("a memo index is not a number") from None
    if index < 0:
        raise Halt("a memo index is negative")
    return index


@opcode(0x68)  # BINGET
def _binget(m: Machine) -> None:
    m.stack.append(m.get(m.byte()))


@opcode(0x6A)  # LONG_BINGET
def _long_binget(m: Machine) -> None:
    m.stack.append(m.get(int.from_bytes(m.take(4), "little")))


@opcode(0x67)  # GET
def _get(m: Machine) -> None:
    m.stack.append(m.get(_index(m)))


# -- globals and calls


def _two_lines(m: Machine) -> Ref:
    try:
        module, name = m.line().decode("utf-8"), m.line().decode("utf-8")
    except UnicodeDecodeError:
        raise Halt("a global's name is not UTF-8") from None
    return m.ref(module, name)


@opcode(0x63)  # GLOBAL
def _global(m: Machine) -> None:
    m.stack.append(_two_lines(m))


@opcode(0x93)  # STACK_GLOBAL
def _stack_global(m: Machine) -> None:
    start = len(m.stack)
    name, module = m.pop(), m.pop()
    if len(m.stack) != start - 2 and go_back(m):
        return
    name, module = (m.passed_string(part.index) if isinstance(part, Passed) else part for part in (name, module))
    if isinstance(module, str) and isinstance(name, str):
        m.stack.append(m.ref(module, name))
        return
    quoted = f"{show(module)}.{show(name)}"
    if _no_string(module) or _no_string(name):
        raise Halt(f"STACK_GLOBAL of {quoted}, which are no strings")
    m.fact("pickle.global-computed", "the name of a global is computed while loading", quoted=quoted)
    m.stack.append(UNSURE)


def _no_string(value: Value) -> bool:
    return value is NONE or isinstance(value, int | bytes | tuple | Items | Table | Ref)


@opcode(0x52)  # REDUCE
def _reduce(m: Machine) -> None:
    start = len(m.stack)
    args, function = m.pop(), m.pop()
    if len(m.stack) != start - 2 and go_back(m):
        return
    m.stack.append(call(m, function, _arguments(args), "call"))


def _arguments(args: Value) -> tuple[Value, ...]:
    group = group_of(args)
    return (UNSURE,) if group is None else group


@opcode(0x69)  # INST
def _inst(m: Machine) -> None:
    ref = _two_lines(m)
    args = m.pop_mark()
    m.stack.append(call(m, ref, tuple(args), "call"))


@opcode(0x6F)  # OBJ
def _obj(m: Machine) -> None:
    items = m.pop_mark()
    if not items:
        raise Halt("OBJ without a class")
    m.stack.append(call(m, items[0], tuple(items[1:]), "call"))


@opcode(0x81)  # NEWOBJ
def _newobj(m: Machine) -> None:
    args, cls = m.pop(), m.pop()
    m.stack.append(new(m, cls, _arguments(args)))


@opcode(0x92)  # NEWOBJ_EX
def _newobj_ex(m: Machine) -> None:
    keywords, args, cls = m.pop(), m.pop(), m.pop()
    named = tuple(keywords.entries.values()) if isinstance(keywords, Table) else ()
    m.stack.append(new(m, cls, (*_arguments(args), *named)))


@opcode(0x62)  # BUILD
def _build(m: Machine) -> None:
    state = m.pop()
    target = m.top()
    fields = _state_fields(state)
    if isinstance(target, Ref):
        target.called = True
        shown = f"{target.path}: {', '.join(list(fields.entries)[:6]) if fields else show(state)}"
        m.fact("pickle.build", f"attributes of {target.path} are written by the stream", quoted=shown, target=target.path[:300])
    hooks = [key for key, value in fields.entries.items() if _hooks(key, value)] if fields else []
    if hooks:
        m.fact("pickle.build-hook", f"{hooks[0]} of an object is replaced by a callable", quoted=", ".join(hooks))
    if isinstance(target, Result):
        target.fields, target.state = fields, state
        read_array(m, target, state)


def _state_fields(state: Value) -> Table | None:
    if isinstance(state, Table):
        return state
    pair = group_of(state)
    if pair is not None and len(pair) == 2:
        merged = Table()
        for part in pair:
            if isinstance(part, Table):
                merged.entries.update(part.entries)
        return merged
    return None


def _hooks(key: str, value: Value) -> bool:
    return key.startswith("__") and key.endswith("__") and isinstance(value, Ref)


@opcode(0x82)  # EXT1
def _ext1(m: Machine) -> None:
    _extension(m, m.byte())


@opcode(0x83)  # EXT2
def _ext2(m: Machine) -> None:
    _extension(m, int.from_bytes(m.take(2), "little"))


@opcode(0x84)  # EXT4
def _ext4(m: Machine) -> None:
    _extension(m, int.from_bytes(m.take(4), "little", signed=True))


def _extension(m: Machine, code: int) -> None:
    if code <= 0:
        raise Halt("an extension code is not positive")
    known = m.extensions.get(code)
    note = f"extension {code} stands for a global that only the loading process knows"
    m.fact("pickle.extension", note if known is None else f"extension {code} is {known.path}", code=code)
    m.stack.append(UNSURE if known is None else known)


@opcode(0x50)  # PERSID
def _persid(m: Machine) -> None:
    _persistent(m, m.line().decode("latin-1"))


@opcode(0x51)  # BINPERSID
def _binpersid(m: Machine) -> None:
    _persistent(m, m.pop())


def _persistent(m: Machine, value: Value) -> None:
    group = group_of(value) or ()
    kind = group[1] if len(group) >= 5 and group[0] == "storage" else None
    if isinstance(kind, Ref):
        m.call_fact(kind.module, kind.name, "storage", group[2:])
        kind.called = True
        m.storages.append(group)
    elif len(group) == 4 and group[0] == "module" and isinstance(group[1], Ref):
        # PyTorch's legacy format: a class beside its source text, which the loader compares. It resolves to the class.
        m.stack.append(group[1])
        return
    else:
        m.fact("pickle.persistent-id", "a persistent id is resolved by the loading program", quoted=show(value))
    m.stack.append(DATA)


# -- structure


@opcode(0x80)  # PROTO
def _proto(m: Machine) -> None:
    protocol = m.byte()
    if protocol > 5:
        m.fact("pickle.protocol", f"protocol {protocol} does not exist: the unpickler stops here", protocol=protocol)
    m.protocol = min(protocol, 5)


@opcode(0x95)  # FRAME
def _frame(m: Machine) -> None:
    (length,) = struct.unpack("<Q", m.take(8))
    left = m.size - m.offset
    if length > left:
        m.fact("pickle.frame", f"a frame claims {length} bytes, {left} are left", length=length)
        return
    m.frame_end, m.frame_length = m.offset + length, length
    m.jump_limit()


@opcode(0x98)  # READONLY_BUFFER
def _readonly_buffer(m: Machine) -> None:
    m.top()


@opcode(0x2E)  # STOP
def _stop(m: Machine) -> None:
    m.result = m.pop()
    if m.framed_until == m.opcode_at and m.frame_length < _FRAME_FULL:
        m.fact("pickle.frame", "the last frame leaves STOP out, which no pickler does: unpicklers differ on where it ends")
    if m.stack and m.stack != [FILL]:
        m.fact("pickle.leftover", f"{len(m.stack)} more values are left on the stack: they were made and thrown away")
    raise Stopped


assert all(TABLE[code] is not unknown_opcode for code in CONSTANTS)
