"""The opcodes that push constants: numbers, strings, bytes."""

import codecs
from typing import Final

from hauberk.assets.pickle.machine import CONSTANT_LIMIT, TABLE, Halt, Machine, opcode
from hauberk.assets.pickle.nested import nested_base64, nested_in_slice, nested_pickle
from hauberk.assets.pickle.values import DATA, NONE, TORCH_BYTES, Opaque, Ref, Stretch, Value

_HUGE: Final = 1 << 30  # an allocation that no argument of a legitimate stream asks for before its bytes are there
_LONGEST: Final = 1 << 16
_SHORTEST_BASE64: Final = 20  # of a pickle that does anything


CONSTANTS: Final = b"NK\x88\x89)\x97MJGFIL\x8a\x8bXU\x8c\x8dCB\x8e\x96TSV"  # what this module handles


def _constant(code: int, value: Value) -> None:
    def handler(m: Machine) -> None:
        m.stack.append(value)

    TABLE[code] = handler


for _code, _value in ((0x4E, NONE), (0x88, 1), (0x89, 0), (0x29, ()), (0x97, DATA)):
    _constant(_code, _value)


# -- numbers


@opcode(0x4B)  # BININT1
def _binint1(m: Machine) -> None:
    m.stack.append(m.byte())


@opcode(0x4D)  # BININT2
def _binint2(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(2), "little"))


@opcode(0x4A)  # BININT
def _binint(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(4), "little", signed=True))


@opcode(0x47)  # BINFLOAT
def _binfloat(m: Machine) -> None:
    m.take(8)
    m.stack.append(DATA)


@opcode(0x46)  # FLOAT
def _float(m: Machine) -> None:
    text = m.line()
    try:
        float(text)
    except ValueError:
        raise Halt("FLOAT is not a number") from None
    m.stack.append(DATA)


@opcode(0x49)  # INT
def _int(m: Machine) -> None:
    text = m.line()
    m.stack.append(_number(text) if text not in {b"00", b"01"} else int(text))


@opcode(0x4C)  # LONG
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


@opcode(0x8A)  # LONG1
def _long1(m: Machine) -> None:
    _long_of(m, m.byte())


@opcode(0x8B)  # LONG4
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
    if length >= _SHORTEST_BASE64 and text.startswith("gA"):  # base64 of 0x80 and a protocol number
        nested_base64(m, text)
    m.stack.append(text)


def _bytes_of(m: Machine, length: int) -> None:
    if length > CONSTANT_LIMIT:
        _long_argument(m, length)
        start = m.offset
        m.skip(length)
        if not _is_torch_argument(m):
            nested_in_slice(m, start, length)
        m.stack.append(Stretch(start, length))
        return
    data = m.take(length)
    if not _is_torch_argument(m):
        nested_pickle(m, data, "a bytes constant")
    m.stack.append(data)


def _is_torch_argument(m: Machine) -> bool:
    """Whether the constant is what a tensor is loaded from; the call hands it on as a file of its own."""
    below = m.stack[-1] if m.stack else None
    return isinstance(below, Ref) and below.path == TORCH_BYTES


def _long_argument(m: Machine, length: int) -> None:
    left = m.size - m.offset
    if length > left and length > _HUGE:
        m.fact("pickle.huge-argument", f"an argument claims {length} bytes, {left} are left", length=length)


@opcode(0x8C)  # SHORT_BINUNICODE
def _short_binunicode(m: Machine) -> None:
    length = m.byte()
    end = m.pos + length
    if length < _SHORTEST_BASE64 and end <= len(m.buffer):  # nearly every string
        try:
            m.stack.append(m.buffer[m.pos : end].decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise Halt("a string is not UTF-8") from None
        m.pos = end
    else:
        _text_of(m, length)


@opcode(0x58)  # BINUNICODE
def _binunicode(m: Machine) -> None:
    _text_of(m, int.from_bytes(m.take(4), "little"))


@opcode(0x8D)  # BINUNICODE8
def _binunicode8(m: Machine) -> None:
    _text_of(m, int.from_bytes(m.take(8), "little"))


@opcode(0x43)  # SHORT_BINBYTES
def _short_binbytes(m: Machine) -> None:
    _bytes_of(m, m.byte())


@opcode(0x42)  # BINBYTES
def _binbytes(m: Machine) -> None:
    _bytes_of(m, int.from_bytes(m.take(4), "little"))


@opcode(0x8E)  # BINBYTES8
@opcode(0x96)  # BYTEARRAY8
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


@opcode(0x55)  # SHORT_BINSTRING
def _short_binstring(m: Machine) -> None:
    _native_string(m, m.byte())


@opcode(0x54)  # BINSTRING
def _binstring(m: Machine) -> None:
    _native_string(m, int.from_bytes(m.take(4), "little", signed=True))


@opcode(0x53)  # STRING
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


@opcode(0x56)  # UNICODE
def _unicode(m: Machine) -> None:
    try:
        m.stack.append(m.line().decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise Halt("the argument of UNICODE has a bad escape") from None
