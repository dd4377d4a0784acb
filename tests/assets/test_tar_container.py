"""Tars of every dialect, and what extracting them would do beyond the folder."""

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.containers.tar_container import read
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.core import Asset, Fact, Gap, GapReason

FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
Member = tuple[str, bytes, str] | tuple[str, bytes, str, int]


def make(*members: Member, dialect: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=dialect) as archive:
        for name, kind, text, *mode in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.mode = mode[0] if mode else 0o644
            if kind in {LINK, HARD}:
                info.linkname = text
                archive.addfile(info)
            else:
                info.size = len(text.encode()) if kind == FILE else 0
                archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def items(data: bytes, limits: Limits | None = None) -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="a.tar", name="a.tar", content=BytesContent(data)), Budget(limits)))


def members(data: bytes) -> list[tuple[str, bytes]]:
    return [(i.name, i.content.read()) for i in items(data) if isinstance(i, Asset) and i.content is not None]


def facts(data: bytes) -> list[Fact]:
    return [item for item in items(data) if isinstance(item, Fact)]


def checks(data: bytes) -> set[str]:
    return {fact.check for fact in facts(data)}


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_reads_what_tarfile_writes(dialect: int) -> None:
    long = "/".join(["folder"] * 20) + "/模型.bin"
    if dialect == tarfile.USTAR_FORMAT:
        long = "/".join(["folder"] * 20) + "/model.bin"
    data = make(("a.txt", FILE, "hello"), (long, FILE, "x" * 1000), ("d", tarfile.DIRTYPE, ""), dialect=dialect)
    assert members(data) == [("a.txt", b"hello"), (long, b"x" * 1000)]
    assert checks(data) == set()


def test_reads_old_tars_without_ustar() -> None:
    data = bytearray(make(("a.txt", FILE, "hello")))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert members(bytes(data)) == [("a.txt", b"hello")]


@pytest.mark.parametrize("name", ["../x", "../../../../tmp/x", "/etc/cron.d/x", "a/../../x"])
def test_names_that_leave_the_folder(name: str) -> None:
    assert "archive.path-escape" in checks(make((name, FILE, "x")))


def test_a_pax_path_overrides_the_header_name() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("harmless.txt")
        info.pax_headers = {"path": "../../evil.py"}
        archive.addfile(info)
    assert "archive.path-escape" in checks(out.getvalue())


@pytest.mark.parametrize(
    ("name", "kind", "target", "how"),
    [
        ("l", LINK, "../x", "parent"),
        ("usr/bin/tool", LINK, "../../../etc/passwd", "parent"),
        ("l", HARD, "../../etc/passwd", "parent"),
        ("l", LINK, "/etc/passwd", "absolute"),
        ("l", LINK, "/../etc/passwd", "parent"),
    ],
)
def test_links_that_leave_the_folder(name: str, kind: bytes, target: str, how: str) -> None:
    found = [fact.attrs for fact in facts(make((name, kind, target))) if fact.check == "archive.link-escape"]
    assert [(attrs["how"], attrs["rooted"]) for attrs in found] == [(how, False)]


def test_links_inside_the_folder_are_quiet() -> None:
    assert checks(make(("usr/bin/tool", LINK, "../lib/tool"), ("a/b", HARD, "a/c"))) == set()


def test_an_absolute_link_in_a_container_layer_means_its_own_root() -> None:
    found = [fact.attrs["rooted"] for fact in facts(make(("bin/sh", LINK, "/bin/dash")))]
    assert found == [True]


def test_a_link_and_then_a_write_through_it() -> None:
    assert "tar.write-through-link" in checks(make(("link", LINK, "/etc"), ("link/passwd", FILE, "x")))
    assert "tar.write-through-link" not in checks(make(("link", LINK, "data"), ("data/a", FILE, "x")))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes(kind: bytes) -> None:
    data = make(("dev", kind, ""))
    assert "tar.device" in checks(data)
    assert members(data) == []


def test_setuid_files() -> None:
    assert "tar.setuid" in checks(make(("p", FILE, "x", 0o4755)))


def test_duplicates_are_both_read() -> None:
    data = make(("a", FILE, "1"), ("a", FILE, "2"))
    assert members(data) == [("a", b"1"), ("a", b"2")]
    assert checks(data) == {"archive.duplicate"}


def test_sparse_members_are_said_to_be_read_in_part() -> None:
    data = bytearray(make(("a", FILE, "hello")))
    data[156:157] = b"S"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    found = items(bytes(data))
    assert [item.reason for item in found if isinstance(item, Gap)] == [GapReason.UNSUPPORTED]
    assert [item.name for item in found if isinstance(item, Asset)] == ["a"]


def test_bytes_behind_the_end_become_a_member() -> None:
    data = make(("a", FILE, "1")) + b"\x7fELF behind the end"
    assert members(data)[-1] == ("(bytes behind the end)", b"\x7fELF behind the end")
    assert "tar.trailing-data" in checks(data)


def test_bytes_far_behind_the_end_are_found() -> None:
    data = make(("a", FILE, "1")) + bytes(300_000) + b"\x80\x04N."
    assert members(data)[-1] == ("(bytes behind the end)", b"\x80\x04N.")


def test_a_wrong_checksum_behind_the_first_member_hides_nothing() -> None:
    data = bytearray(make(("a", FILE, "1"), ("b", FILE, "2")))
    data[1024 + 148] ^= 1
    assert members(bytes(data)) == [("a", b"1"), ("b", b"2")]
    assert "tar.checksum" in checks(bytes(data))


def test_a_member_cut_short_is_yielded_and_then_reported() -> None:
    data = make(("a", FILE, "x" * 5000))[:2000]
    reading = read(Asset(uri="a.tar", name="a.tar", content=BytesContent(data)), Budget())
    first = next(reading)
    assert isinstance(first, Asset)
    assert first.name == "a"
    with pytest.raises(ReadError) as caught:
        list(reading)
    assert caught.value.reason == GapReason.TRUNCATED


def test_a_size_of_two_to_the_sixty_three_is_bounded() -> None:
    data = bytearray(make(("a", FILE, "hello")))
    data[124:136] = b"\x80\0\0\0\x7f" + b"\xff" * 7
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with pytest.raises(ReadError) as caught:
        items(bytes(data))
    assert caught.value.reason == GapReason.TRUNCATED


def test_too_many_members() -> None:
    with pytest.raises(ReadError) as caught:
        items(make(*((str(n), FILE, "") for n in range(20))), Limits(members=10))
    assert caught.value.check == "archive.member-bomb"


SEEDS = [
    make(("a.txt", FILE, "hello"), ("l", LINK, "a.txt")),
    make(("f/" * 80 + "x", FILE, "hello"), dialect=tarfile.GNU_FORMAT),
    make(("f/" * 80 + "x", FILE, "hello"), dialect=tarfile.PAX_FORMAT),
]


@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 3000), st.binary(min_size=1, max_size=12)), max_size=5), st.booleans()
)
@settings(max_examples=150, deadline=None)
def test_mutations_raise_read_error_only(seed: bytes, changes: list[tuple[int, bytes]], repaired: bool) -> None:  # noqa: FBT001
    data = bytearray(seed)
    for at, value in changes:
        start = at % len(data)
        data[start : start + len(value)] = value
    if repaired:
        for start in range(0, min(len(data), 4096) - 511, 512):
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    try:
        found = items(bytes(data), Limits(members=100, seconds=5))
    except ReadError:
        return
    assert len(found) < 1000
