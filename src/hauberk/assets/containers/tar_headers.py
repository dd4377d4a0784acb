"""Walks the headers of a tar: old, ustar, GNU and pax, with long names and sparse files. No member's data are read."""

from collections.abc import Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.core import Content, GapReason

BLOCK = 512
_MAX_EXTENSION = 1 << 20  # longest pax header or GNU long name that is read
_ZERO = bytes(BLOCK)


class TarMember(msgspec.Struct, frozen=True):
    """One member. `kind` is the type flag; `size` is the length of its data from `data`."""

    at: int
    name: str
    link: str
    kind: bytes
    mode: int
    size: int
    data: int
    sparse: bool = False


class _Extension(msgspec.Struct):
    """What long-name and pax headers say of the next member."""

    name: str = ""
    link: str = ""
    size: int | None = None
    sparse: bool = False


class TarEnd(msgspec.Struct):
    """Where a walk ended, and how."""

    offset: int = 0
    marked: bool = False  # by the two zero blocks
    bad_sums: int = 0


def walk_tar(content: Content, budget: Budget, end: TarEnd) -> Iterator[TarMember]:
    """The members in file order. Raises ReadError when a header cannot be followed."""
    extension, lasting = _Extension(), _Extension()
    at = count = 0
    while at + BLOCK <= content.size:
        budget.tick(256)
        header = content.read(at, BLOCK)
        end.offset = at
        if header == _ZERO:
            end.marked = True
            end.offset = at + BLOCK
            return
        size = _checked_size(header, at, end, first=count == 0)
        kind, data = header[156:157], at + BLOCK
        if kind in {b"L", b"K", b"x", b"X", b"g"}:
            _extend(lasting if kind == b"g" else extension, kind, _extension_data(content, data, size))
            at = data + _padded(size)
            continue
        member = _member(content, at, header, extension, lasting, size)
        extension = _Extension()
        count += 1
        if count > budget.limits.members:
            note = f"holds more than {budget.limits.members} members"
            raise ReadError(GapReason.TOO_LARGE, note, check="archive.member-bomb")
        yield member
        at = member.data + _padded(member.size)
        if member.data + member.size > content.size:
            raise Truncated("the tar ends inside a member", offset=member.at)
    end.offset = min(at, content.size)


def _checked_size(header: bytes, at: int, end: TarEnd, *, first: bool) -> int:
    if not _sum_is_right(header):
        if first or header[257:262] != b"ustar":
            raise Malformed("a tar header's checksum is wrong", offset=at, check="tar.checksum")
        end.bad_sums += 1
    size = _number(header[124:136])
    if size is None or size < 0:
        raise Malformed("a tar member's size is not a number", offset=at, check="tar.header")
    return size


def _member(content: Content, at: int, header: bytes, mine: _Extension, lasting: _Extension, size: int) -> TarMember:
    kind = header[156:157]
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and (prefix := _text(header[345:500])):
        name = f"{prefix}/{name}"
    data = at + BLOCK
    if kind == b"S":
        data = _behind_sparse_map(content, header, data)
    said = mine.size if mine.size is not None else lasting.size
    size = size if said is None else said
    if kind in {b"1", b"2", b"3", b"4", b"5", b"6"}:
        size = 0  # links, devices and folders have no data whatever the field says
    return TarMember(
        at=at,
        name=mine.name or lasting.name or name,
        link=mine.link or lasting.link or _text(header[157:257]),
        kind=kind,
        mode=_number(header[100:108]) or 0,
        size=size,
        data=data,
        sparse=kind == b"S" or mine.sparse,
    )


def _behind_sparse_map(content: Content, header: bytes, data: int) -> int:
    more = header[482] == 1
    while more and data + BLOCK <= content.size:
        more = content.read(data + 504, 1) == b"\x01"
        data += BLOCK
    return data


def _extension_data(content: Content, data: int, size: int) -> bytes:
    if size > _MAX_EXTENSION:
        raise ReadError(GapReason.TOO_LARGE, f"a tar extension header of {size} bytes", offset=data, check="tar.header")
    found = content.read(data, size)
    if len(found) < size:
        raise Truncated("the tar ends inside an extension header", offset=data)
    return found


def _extend(extension: _Extension, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extension.name = _text(data)
    elif kind == b"K":
        extension.link = _text(data)
    else:
        for key, value in _pax_records(data):
            _apply(extension, key, value)


def _apply(extension: _Extension, key: bytes, value: bytes) -> None:
    if key in {b"path", b"GNU.sparse.name"}:
        extension.name = value.decode("utf-8", "replace")
    elif key == b"linkpath":
        extension.link = value.decode("utf-8", "replace")
    elif key == b"size" and value.isdigit() and len(value) < 20:
        extension.size = int(value)
    elif key.startswith(b"GNU.sparse"):
        extension.sparse = True


def _pax_records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    while data:
        length, space, _ = data[:24].partition(b" ")
        if not space or not length.isdigit() or not len(length) < int(length) <= len(data):
            return
        record = data[len(length) + 1 : int(length)]
        key, _, value = record.rstrip(b"\n").partition(b"=")
        yield key, value
        data = data[int(length) :]


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _number(field: bytes) -> int | None:
    if field[:1] in {b"\x80", b"\xff"}:
        return int.from_bytes(field[1:], "big", signed=field[:1] == b"\xff")
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None


def _sum_is_right(header: bytes) -> bool:
    stated = _number(header[148:156])
    rest = header[:148] + b" " * 8 + header[156:]
    if stated == sum(rest):
        return True
    return stated == sum(byte - 256 if byte > 127 else byte for byte in rest)  # old writers summed signed bytes


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
