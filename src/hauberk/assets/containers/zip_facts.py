"""Where the headers of a zip contradict each other or the bytes: facts, each about one way readers are made to differ."""

from collections import Counter
from collections.abc import Iterable, Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.member_path import name_facts
from hauberk.assets.containers.zip_headers import FLAG_DESCRIPTOR, FLAG_ENCRYPTED, FLAG_UTF8, Entry, extra_field
from hauberk.assets.containers.zip_layout import Layout, Member
from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.source.loose import without_padding
from hauberk.core import Content, Fact

_FLAGS_NOBODY_SETS = 0x2060  # patched data, strong encryption, masked headers
_UNICODE_PATH = 0x7075
_EACH = 20  # facts of one check kept of one archive


def name_of(header: Entry) -> str:
    """The member's name as text, by the way it was encoded."""
    try:
        return header.name.decode("utf-8")
    except UnicodeDecodeError:
        return header.name.decode("cp437")


def first_of_each(facts: Iterable[Fact]) -> Iterator[Fact]:
    """The first twenty facts of every check."""
    seen: Counter[str] = Counter()
    for fact in facts:
        seen[fact.check] += 1
        if seen[fact.check] <= _EACH:
            yield fact


def layout_facts(content: Content, layout: Layout, budget: Budget) -> Iterator[Fact]:
    """Facts on the zip as a whole."""
    if layout.directories and layout.stated != layout.listed and layout.stated != layout.listed & 0xFFFF:
        note = f"the end record counts {layout.stated} members, the directory lists {layout.listed}"
        yield Fact("zip.count", note, offset=layout.ends[0].at, where="end record")
    if layout.directories > 1:
        yield Fact("zip.two-directories", "two readers may find two different directories", where="end record")
    if len(layout.ends) > 1:
        note = f"{len(layout.ends)} end records: zips lie one behind the other, and readers open different ones"
        yield Fact("zip.several-ends", note, offset=layout.ends[1].at, where="end record")
    if not layout.directories and layout.members:
        yield Fact("zip.no-directory", "there is no central directory where the end record should point", where="end record")
    # TensorFlow's own tools append a TFLite model's labels as a zip: there the bytes before it are the model.
    if layout.prefix and content.read(4, 4) != b"TFL3":
        yield from _stretch(content, (0, layout.prefix), "zip.prefix-data", "before the first member", budget)
    for stretch in layout.between:
        yield from _stretch(content, stretch, "zip.hidden-data", "between the members", budget)
    if layout.trailing[1]:
        yield from _stretch(content, layout.trailing, "zip.trailing-data", "behind the end record", budget)


def _stretch(content: Content, stretch: tuple[int, int], check: str, place: str, budget: Budget) -> Iterator[Fact]:
    start, end = stretch
    rest = without_padding(content, start, end, budget)
    head = rest.read(0, HEAD) if rest else b""
    kind = payload_kind(content.read(start, min(HEAD, end - start)), end - start) or payload_kind(head, rest.size if rest else 0)
    note = f"{end - start} {'' if rest else 'zero '}bytes lie {place}" + (f" and begin like a {kind}" if kind else "")
    attrs: dict[str, str | int | float | bool] = {"empty": rest is None, "payload": kind, "bytes": end - start}
    yield Fact(check, note, offset=start, where=place, quote=quote(head[:48], 80), attrs=attrs)


def member_facts(member: Member, listed: bool) -> Iterator[Fact]:  # noqa: FBT001 - "the zip lists its members"
    """Facts on one member's headers."""
    central, local = member.central, member.local
    name = name_of(member.head)
    yield from name_facts(name)
    where = quote(name, 80)
    if central is None and local is not None and listed:
        note = "a member is not in the central directory: only readers of local headers see it"
        yield Fact("zip.unlisted-member", note, offset=local.at, where=where, quote=where)
    if central is not None and local is None:
        yield Fact("zip.missing-data", "the directory names a member whose data are not there", offset=central.at, where=where)
    if central is not None and local is not None:
        yield from _disagreements(central, local, where)
    if member.head.flags & _FLAGS_NOBODY_SETS:
        note = f"flag bits no archiver sets on plain data: 0x{member.head.flags & _FLAGS_NOBODY_SETS:x}"
        yield Fact("zip.odd-flags", note, offset=member.head.at, where=where, attrs={"flags": member.head.flags})
    if member.head.method == 0 and member.head.packed != member.head.unpacked:
        note = f"stored, yet {member.head.packed} bytes are said to become {member.head.unpacked}"
        yield Fact("zip.size", note, offset=member.head.at, where=where)


def _disagreements(central: Entry, local: Entry, where: str) -> Iterator[Fact]:
    if _plain(central.name) != _plain(local.name):
        note = f"the directory says {quote(central.name, 60)}, the local header {quote(local.name, 60)}"
        yield Fact("zip.name-mismatch", note, offset=local.at, where=where, quote=quote(local.name))
        yield from name_facts(name_of(local))
    for header in (central, local):
        other = extra_field(header.extra, _UNICODE_PATH)
        if other is not None and header.flags & FLAG_UTF8 == 0 and not _same_path(other[5:], header.name):
            note = f"a second name in the extra field: {quote(other[5:], 60)}"
            yield Fact("zip.name-mismatch", note, offset=header.at, where=where, quote=quote(other[5:]))
    if central.method != local.method:
        note = f"method {central.method} in the directory, {local.method} in the local header"
        yield Fact("zip.method-mismatch", note, offset=local.at, where=where)
    if (central.flags ^ local.flags) & (FLAG_ENCRYPTED | _FLAGS_NOBODY_SETS):
        note = f"flags 0x{central.flags:x} in the directory, 0x{local.flags:x} in the local header"
        yield Fact("zip.flag-mismatch", note, offset=local.at, where=where)
    if local.flags & FLAG_DESCRIPTOR and not (local.crc and local.packed):
        return
    if central.crc != local.crc:
        note = f"CRC {central.crc:08x} in the directory, {local.crc:08x} in the local header"
        yield Fact("zip.crc-mismatch", note, offset=local.at, where=where)
    if (central.packed, central.unpacked) != (local.packed, local.unpacked):
        note = f"sizes {central.packed}/{central.unpacked} in the directory, {local.packed}/{local.unpacked} in the local header"
        yield Fact("zip.size", note, offset=local.at, where=where)


def _plain(name: bytes) -> bytes:
    return name.replace(b"\\", b"/")


def _same_path(unicode_name: bytes, name: bytes) -> bool:
    # The plain name is the same path in some code page: equal where both are ASCII, and no longer than it.
    if name.isascii():
        return _plain(unicode_name) == _plain(name) or b"?" in name or b"_" in name
    return unicode_name.count(b"/") == name.count(b"/")


def overlap_facts(members: list[Member]) -> Iterator[Fact]:
    """Facts on members whose data lie inside one another: one stretch that is paid for many times."""
    furthest, owner = 0, b""
    for member in sorted((m for m in members if m.local is not None), key=lambda m: m.extent):
        start, end = member.extent
        if start < furthest and end > start:
            note = f"the data of {quote(name_of(member.head), 60)} overlap those of {quote(owner, 60)}"
            yield Fact("zip.overlap", note, offset=start, where=quote(name_of(member.head), 80))
        if end > furthest:
            furthest, owner = end, member.head.name


def name_clash_facts(members: list[Member]) -> Iterator[Fact]:
    """Facts on names that stand for two members, exactly or but for their case."""
    exact: dict[str, Member] = {}
    folded: dict[str, str] = {}
    for member in members:
        name = name_of(member.head)
        before = exact.get(name)
        if before is not None:
            same = (before.head.crc, before.head.unpacked) == (member.head.crc, member.head.unpacked)
            attrs: dict[str, str | int | float | bool] = {"same": same}
            yield Fact("archive.duplicate", "two members have one name", offset=member.head.at, where=quote(name, 80), attrs=attrs)
        exact[name] = member
        twin = folded.setdefault(name.lower(), name)
        if twin != name:
            note = f"differs from {quote(twin, 60)} by case only"
            yield Fact("archive.case-duplicate", note, offset=member.head.at, where=quote(name, 80))
