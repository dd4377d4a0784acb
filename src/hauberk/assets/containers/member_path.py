"""What the name of an archive's member would do to whoever extracts it."""

import re
from collections.abc import Iterator

from hauberk.assets.quoting import quote
from hauberk.core import Fact

_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
MAX_NAME = 4096


def escape_of(name: str) -> str:
    """How `name` leaves the folder it is extracted to: "absolute", "drive", "parent", or "" when it stays inside."""
    flat = name.replace("\\", "/")
    if flat.startswith("/"):
        return "absolute"
    if _DRIVE.match(name):
        return "drive"
    return "parent" if climbs(flat) else ""


def climbs(path: str) -> bool:
    """Whether `path` rises above where it starts at any point."""
    depth = 0
    for part in path.split("/"):
        if part == "..":
            depth -= 1
            if depth < 0:
                return True
        elif part not in {"", "."}:
            depth += 1
    return False


def name_facts(name: str) -> Iterator[Fact]:
    """Facts on a member's name: it leaves the folder, or hides characters."""
    how = escape_of(name)
    if how:
        note = f"a member is extracted outside the folder ({how} path)"
        yield Fact("archive.path-escape", note, where=quote(name), quote=quote(name), attrs={"how": how})
    if _CONTROL.search(name):
        note = "a member's name holds control or direction characters"
        yield Fact("archive.name-control", note, where=quote(name), quote=quote(name))
    if len(name) > MAX_NAME:
        yield Fact("archive.name-length", f"a member's name has {len(name)} characters", quote=quote(name, 60))


def link_escape(name: str, target: str, *, hard: bool = False) -> str:
    """How a link named `name` leaves the folder: "absolute", "parent", or "" when it stays inside."""
    flat = target.replace("\\", "/")
    if flat.startswith("/") or _DRIVE.match(target):
        return "parent" if climbs(flat.lstrip("/")) else "absolute"
    if not hard and "/" in name.strip("/"):
        flat = name.strip("/").rsplit("/", 1)[0] + "/" + flat  # a symbolic link is read from where it lies
    return "parent" if climbs(flat) else ""


def link_fact(name: str, target: str, *, rooted: bool = False, hard: bool = False) -> Iterator[Fact]:
    """A fact when a link leaves the folder. In a `rooted` tree, as of a container, "/" is the tree's own root."""
    how = link_escape(name, target, hard=hard)
    if how:
        kind = "hard" if hard else "symbolic"
        note = f"a {kind} link points outside the folder it is extracted to: {quote(target, 80)}"
        attrs: dict[str, str | int | float | bool] = {"how": how, "link": kind, "rooted": rooted and how == "absolute"}
        yield Fact("archive.link-escape", note, where=quote(name), quote=quote(f"{name} -> {target}"), attrs=attrs)
