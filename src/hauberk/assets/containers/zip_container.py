"""Reader of zip files and everything built on them (PyTorch, Keras, npz, skops, MAR, JAR, wheels).

It reads headers leniently, as the loaders of models do, and states every contradiction as a fact.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from stat import S_ISLNK

from hauberk.assets.budget import Budget
from hauberk.assets.containers.archive_tree import Gathering
from hauberk.assets.containers.member_path import link_fact
from hauberk.assets.containers.torch_zip import TorchZip, profile
from hauberk.assets.containers.zip_facts import first_of_each, layout_facts, member_facts, name_clash_facts, name_of, overlap_facts
from hauberk.assets.containers.zip_headers import END_SIZE
from hauberk.assets.containers.zip_layout import Layout, Member, read_layout
from hauberk.assets.containers.zip_members import head_of, read_member
from hauberk.assets.content import SliceContent
from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.pickle.trial import looks_like_pickle
from hauberk.assets.quoting import quote
from hauberk.assets.source.loose import without_padding
from hauberk.core import Asset, Fact, Gap, GapReason

_OVERLAPPING_READ = 16
_STREAM_START = re.compile(rb"[\x20-\x7e\n]{12}|\x80[\x02-\x05][\x28-\x95]")


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields contradictions, then every member that any reader would see."""
    assert asset.content is not None
    layout = read_layout(asset.content, budget)
    if not layout.members and not layout.directories:
        yield from _empty(asset, layout)
        return
    yield from first_of_each(layout_facts(asset.content, layout, budget))
    if not layout.ends:
        yield Gap(asset.uri, GapReason.TRUNCATED, "the zip ends before its central directory")
    listed = bool(layout.directories)
    yield from first_of_each(fact for member in layout.members for fact in member_facts(member, listed))
    yield from first_of_each(overlap_facts(layout.members))
    yield from first_of_each(name_clash_facts(layout.members))
    torch = profile({name_of(member.head): member for member in layout.members})
    yield from torch.facts()
    yield from Gathering(asset).through(torch.through(_members(asset, layout, torch, budget)))
    yield from torch.storage_facts(layout.members, budget)
    yield from _loose_bytes(asset, layout, budget)


def _empty(asset: Asset, layout: Layout) -> Iterator[Gap]:
    assert asset.content is not None
    if asset.content.read(0, 2) == b"PK" and not layout.ends:
        yield Gap(asset.uri, GapReason.MALFORMED, "neither a central directory nor a member is where a zip has them")
    elif not layout.ends or layout.ends[0].at:
        yield Gap(asset.uri, GapReason.UNRECOGNISED, "an end record of a zip with no zip before it")


def _members(asset: Asset, layout: Layout, torch: TorchZip, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    assert asset.content is not None
    seen: set[tuple[int, int, int]] = set()
    overlapping = _overlapping(layout.members)
    skipped = 0
    for member, room in _with_room(layout, asset.content.size):
        budget.tick(256)
        header = member.head
        if header.name.endswith((b"/", b"\\")) and not header.packed and member.data_end is None:
            continue
        # Many entries may share one local header: its data are looked at once.
        key = (member.extent[0], header.method, header.packed)
        if member.local is not None and key in seen:
            continue
        seen.add(key)
        if id(member) in overlapping and len(seen) > _OVERLAPPING_READ:
            skipped += 1
        elif S_ISLNK(header.unix_mode):
            target = head_of(asset, member, room, 4096).decode("utf-8", "replace")
            yield from link_fact(name_of(header), target)
        elif torch.is_storage(name_of(header)):
            yield from _storage(asset, member, room, budget)
        else:
            yield from read_member(asset, member, room, budget, torch.format_of(name_of(header)))
    if skipped:
        yield Gap(asset.uri, GapReason.TOO_LARGE, f"{skipped} members whose data overlap were not expanded")


def _with_room(layout: Layout, size: int) -> Iterator[tuple[Member, int]]:
    """Each member with the bytes its data may take: up to what it claims, cut at the end of the file."""
    starts = sorted({m.local.at for m in layout.members if m.local} | {m.central.at for m in layout.members if m.central})
    following = dict(pairwise([*starts, size]))
    for member in layout.members:
        if member.local is None:
            yield member, 0
            continue
        claimed = max(member.local.packed, member.central.packed if member.central else 0)
        unknown = (member.data_end or following[member.local.at]) - member.local.end
        yield member, min(size - member.local.end, claimed or max(0, unknown))


def _overlapping(members: list[Member]) -> set[int]:
    found: set[int] = set()
    furthest = 0
    for member in members:
        start, end = member.extent
        if start < furthest and end > start:
            found.add(id(member))
        furthest = max(furthest, end)
    return found


def _storage(asset: Asset, member: Member, room: int, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """A tensor's raw numbers: inspected as a file only when they begin like a program, an archive or a pickle."""
    head = head_of(asset, member, room, HEAD)
    kind = payload_kind(head, room) or _text_pickle(asset, member, room, head)
    if not kind:
        return
    name = quote(name_of(member.head), 80)
    note = f"a tensor storage begins like a {kind}"
    offset = member.local.end if member.local else None
    yield Fact("torch.storage-payload", note, offset=offset, where=name, quote=name, attrs={"payload": kind})
    yield from read_member(asset, member, room, budget)


def _text_pickle(asset: Asset, member: Member, room: int, head: bytes) -> str:
    """Pickles of protocol 0 are text without a magic number, later ones have two bytes: a bounded trial run tells."""
    assert asset.content is not None
    if member.local is None or member.head.method or not _STREAM_START.match(head):
        return ""
    return "pickle" if looks_like_pickle(SliceContent(asset.content, member.local.end, room), head) else ""


def _loose_bytes(asset: Asset, layout: Layout, budget: Budget) -> Iterator[Asset]:
    """What lies between the members and behind the zip, to be recognised like any other file."""
    assert asset.content is not None
    for end in layout.ends[:64]:
        comment = SliceContent(asset.content, end.at + END_SIZE, max(0, end.end - end.at - END_SIZE))
        if comment.size and looks_like_pickle(comment, comment.read(0, HEAD)):
            yield asset.child("(comment of the zip)", comment, format="pickle")
    for start, end in [*layout.between[:64], layout.trailing]:
        rest = without_padding(asset.content, start, end, budget)
        if rest is not None:
            yield asset.child(f"(bytes at {rest.start})", rest)
