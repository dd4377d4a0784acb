"""Where everything in a zip lies: the central directory, the local headers, and what neither accounts for.

Readers of zip files disagree: Python and PyTorch go by the central directory, streaming readers by the local headers.
A member that either of them would see is a member here.
"""

import re
from collections.abc import Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.containers.zip_headers import (
    CENTRAL_MAGIC,
    END64_MAGIC,
    END_MAGIC,
    FLAG_DESCRIPTOR,
    LOCAL_MAGIC,
    LOCATOR64_MAGIC,
    End,
    Entry,
    read_central,
    read_end,
    read_local,
)
from hauberk.assets.content import CHUNK
from hauberk.assets.errors import ReadError
from hauberk.core import Content, GapReason

_SIGNATURE = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x05\x06|\x06[\x06\x07])")
_DATA_ENDS = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x05\x06|\x07\x08)")
_TAIL = 66_000
_DESCRIPTOR = 24  # the longest data descriptor
_WINDOW = 1 << 18
_Cell = tuple[int, int]


class Member(msgspec.Struct, frozen=True):
    """A member by its headers; at least one is there. `data_end` is set where only the next signature tells it."""

    central: Entry | None
    local: Entry | None
    data_end: int | None = None

    @property
    def head(self) -> Entry:
        """The header most readers go by."""
        header = self.central or self.local
        assert header is not None
        return header

    @property
    def extent(self) -> _Cell:
        """Where the local header and the data lie; empty when there is no local header."""
        if self.local is None:
            return (0, 0)
        if self.data_end is not None:
            return (self.local.at, self.data_end)
        return (self.local.at, self.local.end + (self.central.packed if self.central else self.local.packed))


class Layout(msgspec.Struct):
    """The layout of one zip, `members` in file order. Stretches are (start, end)."""

    members: list[Member]
    ends: list[End]
    stated: int = 0  # entries the end record says there are
    listed: int = 0  # entries the directory has
    directories: int = 0  # different central directories that readers may find
    prefix: int = 0  # bytes before the first header
    between: list[_Cell] = []  # stretches that are neither headers nor data
    trailing: _Cell = (0, 0)


def read_layout(content: Content, budget: Budget) -> Layout:
    """Reads all headers. Raises ReadError when there are more members than the budget allows."""
    layout = Layout([], _find_ends(content, budget))
    central: dict[int, Entry] = {}
    shift: dict[int, int] = {}
    for end in list(layout.ends):
        for start, moved in _directories(content, end):
            if start in central:
                continue
            layout.directories += 1
            entries = list(_entries(content, start, budget))
            central.update((entry.at, entry) for entry in entries)
            shift.update((entry.at, moved) for entry in entries)
            if layout.directories == 1:
                layout.listed, layout.stated = len(entries), end.count
    layout.members = [Member(entry, _local_of(content, entry, shift[at])) for at, entry in central.items()]
    _walk_holes(content, layout, list(central.values()), budget)
    layout.members.sort(key=lambda member: (member.extent[0], member.head.at))
    return layout


def _find_ends(content: Content, budget: Budget) -> list[End]:
    """The end record that counts: the last one. Earlier ones are met when what it leaves unexplained is walked."""
    start = max(0, content.size - _TAIL)
    tail = content.read(start, _TAIL)
    at = len(tail)
    while (at := tail.rfind(END_MAGIC, 0, at)) >= 0:
        end = read_end(content, start + at)
        if end is not None:
            return [end]
    return _find_end_before(content, start, budget)


def _find_end_before(content: Content, before: int, budget: Budget) -> list[End]:
    if not content.read(0, 4).startswith(LOCAL_MAGIC):
        return []
    while before > 0:
        budget.check_time()
        start = max(0, before - CHUNK)
        at = content.read(start, before - start + 3).rfind(END_MAGIC)
        end = read_end(content, start + at) if at >= 0 else None
        if end is not None:
            return [end]
        before = start
    return []


def _directories(content: Content, end: End) -> Iterator[_Cell]:
    """Where the directory may begin, and how far that moves every offset: just before its end, or as stated."""
    before = end.directory_end - end.size
    for start in dict.fromkeys((before, end.offset)):
        if 0 <= start < end.directory_end and content.read(start, 4) == CENTRAL_MAGIC:
            yield start, start - end.offset


def _entries(content: Content, start: int, budget: Budget) -> Iterator[Entry]:
    # Read until the signatures stop: the stated count and size are claims.
    at, base, window = start, start, b""
    count = 0
    while True:
        if not 0 <= at - base < len(window) - 4096:
            base, window = at, content.read(at, _WINDOW)
        entry = read_central(content, at, window, base)
        if entry is None:
            return
        count += 1
        if count > budget.limits.members:
            raise ReadError(GapReason.TOO_LARGE, f"lists more than {budget.limits.members} members", check="archive.member-bomb")
        budget.tick(512)
        yield entry
        at = entry.end


def _local_of(content: Content, entry: Entry, moved: int) -> Entry | None:
    return read_local(content, entry.offset + moved) or (read_local(content, entry.offset) if moved else None)


def _walk_holes(content: Content, layout: Layout, entries: list[Entry], budget: Budget) -> None:
    """Looks at every stretch that the directory does not account for."""
    taken = sorted(
        [
            *(member.extent for member in layout.members if member.local is not None),
            *((entry.at, entry.end) for entry in entries),
            *((end.directory_end, end.end) for end in layout.ends),
        ]
    )
    with_descriptor = {m.extent[1] for m in layout.members if m.local and (m.local.flags | m.head.flags) & FLAG_DESCRIPTOR}
    last = max((end.end for end in layout.ends), default=0)
    at = 0
    for start, end in [*taken, (content.size, content.size)]:
        if start - at >= 4 and not (at in with_descriptor and start - at <= _DESCRIPTOR):
            walker = _HoleWalker(content, at, min(start, content.size), budget, layout)
            walker.walk()
            _keep_rest(layout, walker.rest, last)
        at = max(at, end)


def _keep_rest(layout: Layout, rest: list[_Cell], last: int) -> None:
    for start, end in rest:
        if start == 0:
            layout.prefix = end
        elif last and start >= last:
            layout.trailing = (start, end)
        else:
            layout.between.append((start, end))


class _HoleWalker:
    """Walks one stretch from header to header; what is no header and no data stays in `rest`."""

    def __init__(self, content: Content, start: int, end: int, budget: Budget, layout: Layout) -> None:
        self.content, self.start, self.end, self.budget = content, start, end, budget
        self.layout = layout
        self.rest: list[_Cell] = []

    def walk(self) -> None:
        at = self.start
        found: dict[int, Entry] = {}
        central: list[Entry] = []
        ends: dict[int, int] = {}
        while at < self.end:
            self.budget.tick(256)
            header = read_local(self.content, at)
            if header is not None and _plausible(header):
                ends[header.at] = at = self._data_end(header)
                found[header.at] = header
                self._bound(len(found))
                continue
            entry = None if header else read_central(self.content, at)
            end = None if header or entry else read_end(self.content, at)
            if entry is not None:
                central.append(entry)
                self._bound(len(central))
                at = entry.end
            elif end is not None:
                self.layout.ends.append(end)
                at = end.end
            else:
                at = self._wide_end(at) or self._skip(at)
        self._pair(found, central, ends)

    def _bound(self, count: int) -> None:
        if count > self.budget.limits.members:
            note = f"holds more than {self.budget.limits.members} members"
            raise ReadError(GapReason.TOO_LARGE, note, check="archive.member-bomb")

    def _pair(self, found: dict[int, Entry], central: list[Entry], ends: dict[int, int]) -> None:
        # A directory met on the way (its end record is broken or was overruled) still describes its members.
        base = min(found, default=0)
        described: set[int] = set()
        for entry in central:
            local = found.get(entry.offset) or found.get(entry.offset + base) or read_local(self.content, entry.offset)
            if local is not None:
                described.add(local.at)
            self.layout.members.append(Member(entry, local))
        for at, header in found.items():
            if at not in described:
                self.layout.members.append(Member(None, header, ends[at]))

    def _data_end(self, header: Entry) -> int:
        if header.packed or not header.flags & FLAG_DESCRIPTOR:
            end = header.end + header.packed
            return min(end, self.end)
        return self._next(header.end, _DATA_ENDS)

    def _wide_end(self, at: int) -> int:
        head = self.content.read(at, 12)
        if head.startswith(LOCATOR64_MAGIC):
            return at + 20
        size = int.from_bytes(head[4:12], "little")
        return at + 12 + size if head.startswith(END64_MAGIC) and 44 <= size <= 1 << 16 else 0

    def _skip(self, at: int) -> int:
        following = self._next(at + 1, _SIGNATURE)
        if following - at > _DESCRIPTOR or at == 0 or following == self.end:
            self.rest.append((at, following))
        return following

    def _next(self, start: int, pattern: re.Pattern[bytes]) -> int:
        while start < self.end:
            self.budget.check_time()
            match = pattern.search(self.content.read(start, min(CHUNK, self.end - start)))
            if match:
                return start + match.start()
            if start + CHUNK >= self.end:
                break
            start += CHUNK - 3
        return self.end


def _plausible(header: Entry) -> bool:
    # Four bytes of chance in tensor data are not a header.
    return 0 < len(header.name) <= 4096 and header.method < 100
