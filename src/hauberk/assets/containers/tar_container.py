"""Reader of tar files: members, and what extracting them would do beyond the folder."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.archive_tree import Gathering
from hauberk.assets.containers.member_path import link_escape, link_fact, name_facts
from hauberk.assets.containers.tar_headers import TarEnd, TarMember, walk_tar
from hauberk.assets.containers.zip_facts import first_of_each
from hauberk.assets.content import SliceContent
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.source.loose import without_padding
from hauberk.core import Asset, Fact, Gap, GapReason

_FILES = {b"0", b"\0", b"7", b"S", b""}
_DEVICES = {b"3": "character device", b"4": "block device", b"6": "named pipe"}
_LINKS = {b"1", b"2"}
# Folders at the top of a container's root: there, "/" in a link means the layer itself.
_ROOTS = {"bin", "etc", "usr", "lib", "lib64", "sbin", "opt", "var", "home", "root", "proc", "sys", "dev", "run", "app", "srv"}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields what is wrong with names, links and kinds, then every member that is a file."""
    assert asset.content is not None
    end = TarEnd()
    members: list[TarMember] = []
    problem: ReadError | None = None
    try:
        members.extend(walk_tar(asset.content, budget, end))
    except ReadError as error:
        problem = error
    yield from first_of_each(_facts(members))
    yield from Gathering(asset).through(_files(asset, members, budget))
    yield from _behind(asset, end, problem, budget)
    if problem is not None:
        raise problem


def _files(asset: Asset, members: list[TarMember], budget: Budget) -> Iterator[Fact | Asset | Gap]:
    assert asset.content is not None
    for member in members:
        budget.tick(256)
        if member.kind in _LINKS or member.kind in _DEVICES or member.kind == b"5":
            continue
        if member.sparse:
            yield Gap(f"{asset.uri}!/{member.name}", GapReason.UNSUPPORTED, "a sparse member: its stored pieces are read as one")
        if member.size or member.kind in _FILES:
            yield asset.child(member.name, SliceContent(asset.content, member.data, member.size))


def _facts(members: list[TarMember]) -> Iterator[Fact]:
    rooted = any(m.name.lstrip("./").split("/", 1)[0] in _ROOTS for m in members) or _has_whiteout(members)
    links: dict[str, str] = {}
    names: set[str] = set()
    for member in members:
        where = quote(member.name, 80)
        yield from name_facts(member.name)
        yield from _kind_facts(member, where)
        flat = member.name.strip("/")
        if member.kind in _LINKS:
            yield from link_fact(
                member.name, member.link, rooted=rooted or _looks_like_root(members, member), hard=member.kind == b"1"
            )
        through = _through(flat, links)
        if through:
            note = f"is written through the link {quote(through, 60)}, which points to {quote(links[through], 60)}"
            yield Fact("tar.write-through-link", note, offset=member.at, where=where, quote=where)
        if member.kind == b"2" and link_escape(member.name, member.link):
            links[flat] = member.link
        if flat in names and member.kind != b"5":
            yield Fact("archive.duplicate", "two members have one name", offset=member.at, where=where, attrs={"same": False})
        names.add(flat)


def _kind_facts(member: TarMember, where: str) -> Iterator[Fact]:
    if member.kind in _DEVICES:
        what = _DEVICES[member.kind]
        yield Fact(
            "tar.device", f"a {what} would be made on extraction", offset=member.at, where=where, quote=where, attrs={"what": what}
        )
    if member.mode & 0o6000 and member.kind in _FILES:
        note = f"a file would be made setuid or setgid (mode {member.mode:o})"
        yield Fact("tar.setuid", note, offset=member.at, where=where, quote=where)


def _has_whiteout(members: list[TarMember]) -> bool:
    return any(member.name.rsplit("/", 1)[-1].startswith(".wh.") for member in members)


def _looks_like_root(members: list[TarMember], link: TarMember) -> bool:
    # An absolute link that names a member of this very archive means the archive's own root, as in a container layer.
    target = link.link.strip("/")
    return bool(target) and any(m.name.lstrip("./").strip("/") == target for m in members)


def _through(name: str, links: dict[str, str]) -> str:
    """The link among the folders above `name` (or `name` itself) that leads somewhere else; "" without one."""
    if name in links:
        return name
    at = name.find("/")
    while at >= 0:
        if name[:at] in links:
            return name[:at]
        at = name.find("/", at + 1)
    return ""


def _behind(asset: Asset, end: TarEnd, problem: ReadError | None, budget: Budget) -> Iterator[Fact | Asset]:
    assert asset.content is not None
    if end.bad_sums:
        yield Fact("tar.checksum", f"{end.bad_sums} headers have a wrong checksum: strict readers stop there, lenient ones go on")
    if problem is not None:
        return
    rest = without_padding(asset.content, end.offset, asset.content.size, budget)
    if rest is not None:
        note = f"{rest.size} bytes follow the end of the tar"
        yield Fact("tar.trailing-data", note, offset=rest.start, where="end", quote=quote(rest.read(0, 48), 80))
        yield asset.child("(bytes behind the end)", rest)
