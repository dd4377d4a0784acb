"""The headers of a zip: local file header, central directory entry, end of central directory, zip64 fields."""

import struct

import msgspec

from hauberk.core import Content

LOCAL_MAGIC = b"PK\x03\x04"
CENTRAL_MAGIC = b"PK\x01\x02"
END_MAGIC = b"PK\x05\x06"
DESCRIPTOR_MAGIC = b"PK\x07\x08"
END64_MAGIC = b"PK\x06\x06"
LOCATOR64_MAGIC = b"PK\x06\x07"

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
END_SIZE = _END.size
LOCAL_SIZE = _LOCAL.size
_FULL32 = 0xFFFFFFFF
_GUESS = 160  # a local header with its name and the padding torch puts in the extra field mostly fits

FLAG_ENCRYPTED = 0x1
FLAG_DESCRIPTOR = 0x8
FLAG_UTF8 = 0x800


class Entry(msgspec.Struct, frozen=True):
    """What one header, local or central, says of a member."""

    at: int  # where this header lies
    name: bytes
    method: int
    flags: int
    crc: int
    packed: int
    unpacked: int
    extra: bytes
    end: int  # first byte behind this header: a local header's data begin there
    offset: int = 0  # central only: where it says the local header lies
    made_by: int = 0  # central only: system << 8 | version
    external: int = 0  # central only: file attributes

    @property
    def unix_mode(self) -> int:
        """The file's mode, 0 when it was not made on a Unix."""
        return self.external >> 16 if self.made_by >> 8 in {3, 19} else 0


class End(msgspec.Struct, frozen=True):
    """An end-of-central-directory record, with zip64 values where it has them."""

    at: int
    count: int
    size: int  # of the central directory
    offset: int  # of the central directory
    directory_end: int  # where the directory ought to end: at the first of the end records
    end: int  # first byte behind the record and its comment


def _sizes64(extra: bytes, values: list[int]) -> list[int]:
    """`values` with every 0xFFFFFFFF replaced by its zip64 field, in order, when there is one."""
    data = extra_field(extra, 0x0001)
    if data is None:
        return values
    found: list[int] = []
    for value in values:
        if value == _FULL32 and len(data) >= 8:
            found.append(int.from_bytes(data[:8], "little"))
            data = data[8:]
        else:
            found.append(value)
    return found


def extra_field(extra: bytes, wanted: int) -> bytes | None:
    """The first field with the id `wanted` among the extra fields, None without one."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return None


def read_local(content: Content, at: int) -> Entry | None:
    """The local header at `at`; None when there is none, or its name does not fit in the file."""
    if at < 0:
        return None
    data = content.read(at, _GUESS)
    if len(data) < LOCAL_SIZE or not data.startswith(LOCAL_MAGIC):
        return None
    _, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack_from(data)
    total = LOCAL_SIZE + name_length + extra_length
    if total > len(data):
        data = content.read(at, total)
    name = data[LOCAL_SIZE : LOCAL_SIZE + name_length]
    extra = data[LOCAL_SIZE + name_length : total]
    if len(name) < name_length:
        return None
    unpacked, packed = _sizes64(extra, [unpacked, packed])
    return Entry(at, name, method, flags, crc, packed, unpacked, extra, at + total)


def read_central(content: Content, at: int, window: bytes = b"", base: int = 0) -> Entry | None:
    """The central directory entry at `at`, out of `window` (which begins at `base`) where it suffices."""
    data = window[at - base :] if 0 <= at - base < len(window) - _CENTRAL.size else content.read(at, 4096)
    if len(data) < _CENTRAL.size or not data.startswith(CENTRAL_MAGIC):
        return None
    fields = _CENTRAL.unpack_from(data)
    _, made_by, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length, comment, _, _, external, offset = fields
    total = _CENTRAL.size + name_length + extra_length + comment
    if total > len(data):
        data = content.read(at, total)
    name = data[_CENTRAL.size : _CENTRAL.size + name_length]
    extra = data[_CENTRAL.size + name_length : _CENTRAL.size + name_length + extra_length]
    if len(name) < name_length:
        return None
    unpacked, packed, offset = _sizes64(extra, [unpacked, packed, offset])
    return Entry(at, name, method, flags, crc, packed, unpacked, extra, at + total, offset, made_by, external)


def read_end(content: Content, at: int) -> End | None:
    """The end record at `at`, None when there is none."""
    data = content.read(at, END_SIZE)
    if len(data) < END_SIZE or not data.startswith(END_MAGIC):
        return None
    _, _, _, _, count, size, offset, comment = _END.unpack(data)
    end = min(content.size, at + END_SIZE + comment)
    locator = content.read(at - 20, 20) if at >= 20 else b""
    if locator.startswith(LOCATOR64_MAGIC):
        stated = int.from_bytes(locator[8:16], "little")
        # The locator holds an absolute place; data put before the zip moves the record to just before its locator.
        for place in (stated, at - 20 - _END64.size):
            wide = content.read(place, _END64.size) if 0 <= place < at else b""
            if len(wide) == _END64.size and wide.startswith(END64_MAGIC):
                _, _, _, _, _, _, _, count, size, offset = _END64.unpack(wide)
                return End(at, count, size, offset, place, end)
    return End(at, count, size, offset, at, end)
