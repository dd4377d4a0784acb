"""The opcodes of protocols 0 to 5 as handlers of the machine; importing this module fills its table."""

import codecs
import struct
from collections.abc import Callable
from typing import Final

from hauberk.assets.pickle_arrays import read_array
from hauberk.assets.pickle_bulk import go_back
from hauberk.assets.pickle_calls import call, new
from hauberk.assets.pickle_machine import CONSTANT_LIMIT, TABLE, Handler, Halt, Machine, Passed, Stopped
from hauberk.assets.pickle_nested import nested_base64, nested_in_slice, nested_pickle
from hauberk.assets.pickle_values import DATA, FILL, NONE, UNSURE, Heavy, Items, Opaque, Ref, Result, Table, Value, show, weight_of

_HUGE: Final = 1 << 30  # an allocation that no argument of a legitimate stream asks for before its bytes are there
_MEMO_FAR: Final = 1 << 24  # the C unpickler allocates the memo up to the index
_LONGEST: Final = 1 << 16
_FRAME_FULL: Final = 1 << 16  # a pickler ends a frame once it is this long
_HEAVY: Final = 1 << 30  # items that an object unfolds to
_TOO_HEAVY: Final = 1 << 62


def _op(code: int) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        TABLE[code] = handler
        return handler

    return register


def _constant(code: int, value: Value) -> None:
    def handler(m: Machine) -> None:
        m.stack.append(value)

    TABLE[code] = handler


for _code, _value in ((0x4E, NONE), (0x88, 1), (0x89, 0), (0x29, ()), (0x97, DATA)):
    _constant(_code, _value)


# -- numbers


@_op(0x4B)  # BININT1
def _binint1(m: Machine) -> None:
    m.stack.append(m.take(1)[0])


@_op(0x4D)  # BININT2
def _binint2(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(2), "little"))


@_op(0x4A)  # BININT
def _binint(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(4), "little", signed=True))


@_op(0x47)  # BINFLOAT
def _binfloat(m: Machine) -> None:
    m.take(8)
    m.stack.append(DATA)


@_op(0x46)  # FLOAT
def _float(m: Machine) -> None:
    text = m.line()
    try:
        float(text)
    except ValueError:
        raise Halt("FLOAT is not a number") from None
    m.stack.append(DATA)


@_op(0x49)  # INT
def _int(m: Machine) -> None:
    text = m.line()
    m.stack.append(_number(text) if text not in {b"00", b"01"} else int(text))


@_op(0x4C)  # LONG
def _long(m: Machine) -> None:
    m.stack.append(_number(m.line().removesuffix(b"L")))


def _number(text: bytes) -> Value:
    if len(text) > 64:
        return DATA  # as many digits as this are data, whatever they say
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return int(text)  # strtol reads 010 as octal; which number it is matters to nobody
    except ValueError:
        raise Halt("INT is not a number") from None


def _long_of(m: Machine, length: int) -> None:
    if length < 0:
        raise Halt("LONG4 has a negative length")
    if length > _LONGEST:
        m.skip(length)
        m.stack.append(DATA)
    else:
        m.stack.append(int.from_bytes(m.take(length), "little", signed=True))


@_op(0x8A)  # LONG1
def _long1(m: Machine) -> None:
    _long_of(m, m.take(1)[0])


@_op(0x8B)  # LONG4
def _long4(m: Machine) -> None:
    _long_of(m, int.from_bytes(m.take(4), "little", signed=True))


# -- strings


def _text_of(m: Machine, length: int) -> None:
    if length > CONSTANT_LIMIT:
        _long_argument(m, length)
        m.skip(length)
        m.stack.append(Opaque(f"<str of {length} bytes>"))
        return
    try:
        text = m.take(length).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Halt("a string is not UTF-8") from None
    if length >= 20 and text.startswith("gA"):  # base64 of 0x80 and a protocol number
        nested_base64(m, text)
    m.stack.append(text)


def _bytes_of(m: Machine, length: int) -> None:
    if length > CONSTANT_LIMIT:
        _long_argument(m, length)
        start = m.offset
        m.skip(length)
        nested_in_slice(m, start, length)
        m.stack.append(Opaque(f"<{length} bytes>"))
        return
    data = m.take(length)
    nested_pickle(m, data, "a bytes constant")
    m.stack.append(data)


def _long_argument(m: Machine, length: int) -> None:
    left = m.size - m.offset
    if length > left and length > _HUGE:
        m.fact("pickle.huge-argument", f"an argument claims {length} bytes, {left} are left", length=length)


@_op(0x8C)  # SHORT_BINUNICODE
def _short_binunicode(m: Machine) -> None:
    _text_of(m, m.take(1)[0])


@_op(0x58)  # BINUNICODE
def _binunicode(m: Machine) -> None:
    _text_of(m, int.from_bytes(m.take(4), "little"))


@_op(0x8D)  # BINUNICODE8
def _binunicode8(m: Machine) -> None:
    _text_of(m, int.from_bytes(m.take(8), "little"))


@_op(0x43)  # SHORT_BINBYTES
def _short_binbytes(m: Machine) -> None:
    _bytes_of(m, m.take(1)[0])


@_op(0x42)  # BINBYTES
def _binbytes(m: Machine) -> None:
    _bytes_of(m, int.from_bytes(m.take(4), "little"))


@_op(0x8E)  # BINBYTES8
@_op(0x96)  # BYTEARRAY8
def _binbytes8(m: Machine) -> None:
    _bytes_of(m, int.from_bytes(m.take(8), "little"))


def _native_string(m: Machine, length: int) -> None:
    """A str of Python 2: what it becomes depends on the loader's encoding; as text it can name a global."""
    if length < 0:
        raise Halt("BINSTRING has a negative length")
    if length > CONSTANT_LIMIT:
        start = m.offset
        m.skip(length)
        nested_in_slice(m, start, length)
        m.stack.append(Opaque(f"<str of {length} bytes>"))
        return
    data = m.take(length)
    nested_pickle(m, data, "a string constant")
    m.stack.append(data.decode("latin-1"))


@_op(0x55)  # SHORT_BINSTRING
def _short_binstring(m: Machine) -> None:
    _native_string(m, m.take(1)[0])


@_op(0x54)  # BINSTRING
def _binstring(m: Machine) -> None:
    _native_string(m, int.from_bytes(m.take(4), "little", signed=True))


@_op(0x53)  # STRING
def _string(m: Machine) -> None:
    text = m.line().rstrip(b" \t\r\n\v\f")
    if len(text) < 2 or text[0] != text[-1] or text[0] not in b"\"'":
        raise Halt("the argument of STRING is not quoted")
    try:
        data, _ = codecs.escape_decode(text[1:-1])
    except ValueError:
        raise Halt("the argument of STRING has a bad escape") from None
    nested_pickle(m, data, "a string constant")
    m.stack.append(data.decode("latin-1"))


@_op(0x56)  # UNICODE
def _unicode(m: Machine) -> None:
    try:
        m.stack.append(m.line().decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise Halt("the argument of UNICODE has a bad escape") from None


# -- containers


@_op(0x28)  # MARK
def _mark(m: Machine) -> None:
    m.fence = len(m.stack)
    m.marks.append(m.fence)
    if len(m.marks) == 10_000:
        m.fact("pickle.deep-nesting", "ten thousand marks are open at once", depth=10_000)


@_op(0x31)  # POP_MARK
def _pop_mark(m: Machine) -> None:
    m.pop_mark()


@_op(0x30)  # POP
def _pop(m: Machine) -> None:
    if m.stack and m.stack[-1] is FILL and go_back(m):
        return
    if m.marks and m.marks[-1] == len(m.stack):
        m.pop_mark()
    else:
        m.pop()


@_op(0x32)  # DUP
def _dup(m: Machine) -> None:
    m.stack.append(m.top())


def grouped(m: Machine, items: tuple[Value, ...]) -> Value:
    """A tuple, weighed when what it holds is heavy."""
    for item in items:
        if (
            type(item) is Heavy
            or (type(item) is Items and item.weight > 8)
            or (type(item) is tuple and len(item) > 1 and items.count(item) > 1 and _same(items))
        ):
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


@_op(0x74)  # TUPLE
def _tuple(m: Machine) -> None:
    items = m.pop_mark()
    m.stack.append(grouped(m, tuple(items[:1024])))


@_op(0x85)  # TUPLE1
def _tuple1(m: Machine) -> None:
    m.stack.append(grouped(m, (m.pop(),)))


@_op(0x86)  # TUPLE2
def _tuple2(m: Machine) -> None:
    second, first = m.pop(), m.pop()
    m.stack.append(grouped(m, (first, second)))


@_op(0x87)  # TUPLE3
def _tuple3(m: Machine) -> None:
    third, second, first = m.pop(), m.pop(), m.pop()
    m.stack.append(grouped(m, (first, second, third)))


@_op(0x5D)  # EMPTY_LIST
@_op(0x8F)  # EMPTY_SET
def _empty_list(m: Machine) -> None:
    m.stack.append(Items([]))


@_op(0x6C)  # LIST
@_op(0x91)  # FROZENSET
def _list(m: Machine) -> None:
    items = Items([])
    items.extend(m.pop_mark())
    m.stack.append(items)


@_op(0x7D)  # EMPTY_DICT
def _empty_dict(m: Machine) -> None:
    m.stack.append(Table())


@_op(0x64)  # DICT
def _dict(m: Machine) -> None:
    table = Table()
    _fill(table, m.pop_mark())
    m.stack.append(table)


def _fill(table: Table, items: list[Value]) -> None:
    for number in range(0, len(items) - 1, 2):
        table.put(items[number], items[number + 1])


@_op(0x61)  # APPEND
def _append(m: Machine) -> None:
    item = m.pop()
    _extend(m, m.top(), [item])


@_op(0x65)  # APPENDS
@_op(0x90)  # ADDITEMS
def _appends(m: Machine) -> None:
    items = m.pop_mark()
    _extend(m, m.top(), items)


def _extend(m: Machine, target: Value, items: list[Value]) -> None:
    if type(target) is Items:
        if target.extend(items) >= _HEAVY:
            _expands(m, target.weight)
    else:
        _mutates(m, target, "extended", items)


@_op(0x73)  # SETITEM
def _setitem(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    _set_items(m, m.top(), [key, value])


@_op(0x75)  # SETITEMS
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


@_op(0x94)  # MEMOIZE
def _memoize(m: Machine) -> None:
    m.memoizes = True
    m.put(m.memo_size, m.top())


@_op(0x71)  # BINPUT
def _binput(m: Machine) -> None:
    m.puts = True
    m.put(m.take(1)[0], m.top())


@_op(0x72)  # LONG_BINPUT
def _long_binput(m: Machine) -> None:
    _far(m, int.from_bytes(m.take(4), "little"))


@_op(0x70)  # PUT
def _put(m: Machine) -> None:
    _far(m, _index(m))


def _far(m: Machine, index: int) -> None:
    m.puts = True
    if index > _MEMO_FAR and index > m.offset:
        m.fact("pickle.memo-far", f"memo index {index} makes the unpickler allocate {index * 16} bytes", index=index)
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


@_op(0x68)  # BINGET
def _binget(m: Machine) -> None:
    m.stack.append(m.get(m.take(1)[0]))


@_op(0x6A)  # LONG_BINGET
def _long_binget(m: Machine) -> None:
    m.stack.append(m.get(int.from_bytes(m.take(4), "little")))


@_op(0x67)  # GET
def _get(m: Machine) -> None:
    m.stack.append(m.get(_index(m)))


# -- globals and calls


def _two_lines(m: Machine) -> Ref:
    try:
        module, name = m.line().decode("utf-8"), m.line().decode("utf-8")
    except UnicodeDecodeError:
        raise Halt("a global's name is not UTF-8") from None
    return m.ref(module, name)


@_op(0x63)  # GLOBAL
def _global(m: Machine) -> None:
    m.stack.append(_two_lines(m))


@_op(0x93)  # STACK_GLOBAL
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


@_op(0x52)  # REDUCE
def _reduce(m: Machine) -> None:
    start = len(m.stack)
    args, function = m.pop(), m.pop()
    if len(m.stack) != start - 2 and go_back(m):
        return
    m.stack.append(call(m, function, _arguments(args), "call"))


def _arguments(args: Value) -> tuple[Value, ...]:
    return args if isinstance(args, tuple) else (UNSURE,)


@_op(0x69)  # INST
def _inst(m: Machine) -> None:
    ref = _two_lines(m)
    args = m.pop_mark()
    m.stack.append(call(m, ref, tuple(args), "call"))


@_op(0x6F)  # OBJ
def _obj(m: Machine) -> None:
    items = m.pop_mark()
    if not items:
        raise Halt("OBJ without a class")
    m.stack.append(call(m, items[0], tuple(items[1:]), "call"))


@_op(0x81)  # NEWOBJ
def _newobj(m: Machine) -> None:
    args, cls = m.pop(), m.pop()
    m.stack.append(new(m, cls, _arguments(args)))


@_op(0x92)  # NEWOBJ_EX
def _newobj_ex(m: Machine) -> None:
    keywords, args, cls = m.pop(), m.pop(), m.pop()
    named = tuple(keywords.entries.values()) if isinstance(keywords, Table) else ()
    m.stack.append(new(m, cls, (*_arguments(args), *named)))


@_op(0x62)  # BUILD
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
    if isinstance(state, tuple) and len(state) == 2:
        merged = Table()
        for part in state:
            if isinstance(part, Table):
                merged.entries.update(part.entries)
        return merged
    return None


def _hooks(key: str, value: Value) -> bool:
    return key.startswith("__") and key.endswith("__") and isinstance(value, Ref)


@_op(0x82)  # EXT1
def _ext1(m: Machine) -> None:
    _extension(m, m.take(1)[0])


@_op(0x83)  # EXT2
def _ext2(m: Machine) -> None:
    _extension(m, int.from_bytes(m.take(2), "little"))


@_op(0x84)  # EXT4
def _ext4(m: Machine) -> None:
    _extension(m, int.from_bytes(m.take(4), "little", signed=True))


def _extension(m: Machine, code: int) -> None:
    if code <= 0:
        raise Halt("an extension code is not positive")
    known = m.extensions.get(code)
    note = f"extension {code} stands for a global that only the loading process knows"
    m.fact("pickle.extension", note if known is None else f"extension {code} is {known.path}", code=code)
    m.stack.append(UNSURE if known is None else known)


@_op(0x50)  # PERSID
def _persid(m: Machine) -> None:
    _persistent(m, m.line().decode("latin-1"))


@_op(0x51)  # BINPERSID
def _binpersid(m: Machine) -> None:
    _persistent(m, m.pop())


def _persistent(m: Machine, value: Value) -> None:
    storage = isinstance(value, tuple) and len(value) >= 5 and value[0] == "storage"
    if storage and isinstance(value, tuple) and isinstance(value[1], Ref):
        m.call_fact(value[1].module, value[1].name, "storage", value[2:])
        value[1].called = True
        m.storages.append(value)
    else:
        m.fact("pickle.persistent-id", "a persistent id is resolved by the loading program", quoted=show(value))
    m.stack.append(DATA)


# -- structure


@_op(0x80)  # PROTO
def _proto(m: Machine) -> None:
    protocol = m.take(1)[0]
    if protocol > 5:
        m.fact("pickle.protocol", f"protocol {protocol} does not exist: the unpickler stops here", protocol=protocol)
    m.protocol = min(protocol, 5)


@_op(0x95)  # FRAME
def _frame(m: Machine) -> None:
    (length,) = struct.unpack("<Q", m.take(8))
    left = m.size - m.offset
    if length > left:
        m.fact("pickle.frame", f"a frame claims {length} bytes, {left} are left", length=length)
        return
    m.frame_end, m.frame_length = m.offset + length, length
    m.jump_limit()


@_op(0x98)  # READONLY_BUFFER
def _readonly_buffer(m: Machine) -> None:
    m.top()


@_op(0x2E)  # STOP
def _stop(m: Machine) -> None:
    m.result = m.pop()
    if m.framed_until == m.opcode_at and m.frame_length < _FRAME_FULL:
        m.fact("pickle.frame", "the last frame leaves STOP out, which no pickler does: unpicklers differ on where it ends")
    if m.stack and m.stack != [FILL]:
        m.fact("pickle.leftover", f"{len(m.stack)} more values are left on the stack: they were made and thrown away")
    raise Stopped
