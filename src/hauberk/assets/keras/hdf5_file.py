"""The lowest layer of HDF5: superblock, addresses, object headers and their messages."""

from collections.abc import Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.core import Content, GapReason

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_MESSAGES = 50_000
_MAX_CHUNKS = 4_000


class Message(msgspec.Struct, frozen=True):
    """One message of an object header."""

    kind: int
    flags: int
    data: bytes
    offset: int

    @property
    def shared(self) -> bool:
        """Whether `data` only says where the message really is."""
        return bool(self.flags & 2)


class Hdf5File:
    """An open HDF5 file: what the superblock says, and bounded access by address."""

    def __init__(self, content: Content, budget: Budget) -> None:
        """Reads the superblock. Raises ReadError."""
        self.content = content
        self.budget = budget
        start = find_superblock(content)
        if start < 0:
            raise Malformed("no HDF5 signature")
        cursor = Cursor(content, start + 8)
        self.version = cursor.u8()
        if self.version > 3:
            raise Malformed(f"superblock version {self.version}", check="hdf5.malformed")
        if self.version < 2:
            cursor.skip(4)
        self.offset_size, self.length_size = cursor.u8(), cursor.u8()
        if self.offset_size not in {2, 4, 8, 16} or self.length_size not in {2, 4, 8, 16}:
            raise Malformed(f"addresses of {self.offset_size}, lengths of {self.length_size} bytes", check="hdf5.malformed")
        self.undefined = (1 << 8 * self.offset_size) - 1
        self._rest(cursor, start)

    def _rest(self, cursor: Cursor, start: int) -> None:
        if self.version < 2:
            cursor.skip(1 + 4 + 4 + (4 if self.version == 1 else 0))
            self.base = self.address(cursor)
            cursor.skip(self.offset_size)
            self.end = self.address(cursor)
            cursor.skip(2 * self.offset_size)  # driver block, name of the root
            self.root = self.address(cursor)
        else:
            cursor.skip(1)
            self.base = self.address(cursor)
            cursor.skip(self.offset_size)
            self.end = self.address(cursor)
            self.root = self.address(cursor)
        if start and self.base in {0, start}:
            self.base = start  # behind a user block; some writers leave the base at nought

    def address(self, cursor: Cursor) -> int:
        """The next address, relative to the base."""
        return cursor.uint(self.offset_size)

    def length(self, cursor: Cursor) -> int:
        """The next length."""
        return cursor.uint(self.length_size)

    def at(self, address: int, size: int | None = None) -> Cursor:
        """A cursor at `address`. Raises Malformed when it lies outside the file."""
        offset = self.base + address
        if address >= self.undefined or offset >= self.content.size:
            raise Malformed(f"address 0x{address:x} lies outside the file", offset=None, check="hdf5.out-of-bounds")
        if size is not None and offset + size > self.content.size:
            raise Malformed(f"{size} bytes at 0x{address:x} reach outside the file", offset=offset, check="hdf5.out-of-bounds")
        return Cursor(self.content, offset, None if size is None else offset + size)

    def messages(self, address: int) -> Iterator[Message]:
        """The messages of the object header at `address`, continuation blocks included."""
        cursor = self.at(address)
        head = cursor.take(4)
        blocks: list[tuple[int, int]] = []
        order = 0
        if head == b"OHDR":
            version, (start, size, order) = 2, self._header2(cursor)
        elif head[0] == 1:
            version = 1
            cursor.skip(4)
            start, size = cursor.offset + 8, cursor.uint(4)
        else:
            raise Malformed("no object header", offset=cursor.offset - 4, check="hdf5.malformed")
        blocks.append((start, size))
        seen: set[int] = set()
        count = 0
        while blocks:
            start, size = blocks.pop(0)
            if start in seen or len(seen) > _MAX_CHUNKS:
                raise Malformed("object header continues in a circle", offset=start, check="hdf5.cycle")
            seen.add(start)
            for message in self._block(start, size, version, order):
                count += 1
                if count > MAX_MESSAGES:
                    raise ReadError(GapReason.TOO_LARGE, f"more than {MAX_MESSAGES} messages in one object header")
                if message.kind == 0x10:
                    blocks.append(self._continuation(message, version))
                else:
                    yield message

    def _header2(self, cursor: Cursor) -> tuple[int, int, int]:
        cursor.skip(1)
        flags = cursor.u8()
        cursor.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = cursor.uint(1 << (flags & 3))
        return cursor.offset, size, 2 if flags & 4 else 0

    def _continuation(self, message: Message, version: int) -> tuple[int, int]:
        cursor = self.inner(message.data)
        address, size = self.address(cursor), self.length(cursor)
        start = self.at(address, size).offset
        return (start, size) if version == 1 else (start + 4, max(0, size - 8))

    def inner(self, data: bytes) -> Cursor:
        """A cursor over bytes already read."""
        from hauberk.assets.content import BytesContent

        return Cursor(BytesContent(data))

    def _block(self, start: int, size: int, version: int, order: int) -> Iterator[Message]:
        if start + size > self.content.size:
            raise Malformed("object header reaches outside the file", offset=start, check="hdf5.out-of-bounds")
        cursor = Cursor(self.content, start, start + size)
        head = 8 if version == 1 else 4 + order
        while cursor.remaining >= head:
            self.budget.tick()
            offset = cursor.offset
            kind, length = (cursor.uint(2), cursor.uint(2)) if version == 1 else (cursor.u8(), cursor.uint(2))
            flags = cursor.u8()
            cursor.skip(head - (5 if version == 1 else 4))
            if length > cursor.remaining:
                raise Malformed("a message is longer than its header", offset=offset, check="hdf5.malformed")
            yield Message(kind, flags, cursor.take(length), offset)


def find_superblock(content: Content) -> int:
    """Where the signature is: at 0, 512, 1024, 2048 …; -1 when nowhere."""
    offset = 0
    while offset + 8 <= content.size:
        if content.read(offset, 8) == SIGNATURE:
            return offset
        offset = max(512, offset * 2)
    return -1
