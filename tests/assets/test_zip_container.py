"""Zips whose headers lie: every member that any reader would open is a member, every lie a fact."""

import bz2
import contextlib
import io
import lzma
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.containers.zip_container import read
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.core import Asset, Content, Fact, Gap, GapReason

CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44)
PICKLE = b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."


def make(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def items(data: bytes | Content, limits: Limits | None = None) -> list[Fact | Asset | Gap]:
    content = BytesContent(data) if isinstance(data, bytes) else data
    return list(read(Asset(uri="a.zip", name="a.zip", content=content), Budget(limits)))


def members(data: bytes) -> list[tuple[str, bytes]]:
    return [(i.name, i.content.read()) for i in items(data) if isinstance(i, Asset) and i.content is not None]


def checks(data: bytes) -> set[str]:
    return {item.check for item in items(data) if isinstance(item, Fact)}


def gaps(data: bytes) -> list[GapReason]:
    return [item.reason for item in items(data) if isinstance(item, Gap)]


def patched(data: bytes, *, central: tuple[int, bytes] | None = None, local: tuple[int, bytes] | None = None) -> bytes:
    """Overwrites fields of the first directory entry and of the first local header."""
    out = bytearray(data)
    for start, change in ((data.find(CENTRAL), central), (data.find(LOCAL), local)):
        if change:
            at = start + change[0]
            out[at : at + len(change[1])] = change[1]
    return bytes(out)


PLAIN = make([("a.txt", b"hello"), ("d/b.pkl", PICKLE)])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_reads_what_zipfile_writes(method: int) -> None:
    data = make([("a.txt", b"hello" * 100), ("d/b.pkl", PICKLE), ("empty", b"")], method)
    assert members(data) == [("a.txt", b"hello" * 100), ("d/b.pkl", PICKLE), ("empty", b"")]
    assert checks(data) == set()
    assert gaps(data) == []


def test_reads_streamed_members_with_data_descriptors() -> None:
    out = io.BytesIO()

    class Unseekable(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return out.write(data)

    with zipfile.ZipFile(Unseekable(), "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a.txt", b"hello" * 9)
        archive.writestr("b.txt", b"world" * 9)
    assert members(out.getvalue()) == [("a.txt", b"hello" * 9), ("b.txt", b"world" * 9)]
    assert checks(out.getvalue()) == set()


def test_reads_zip64() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"hello")
    assert members(out.getvalue()) == [("a.txt", b"hello")]
    assert checks(out.getvalue()) == set()


@pytest.mark.parametrize(
    ("method", "packed"),
    [(93, zstandard.ZstdCompressor().compress(b"hello" * 9)), (95, lzma.compress(b"hello" * 9)), (12, bz2.compress(b"hello" * 9))],
)
def test_reads_methods_of_the_application_note(method: int, packed: bytes) -> None:
    code = struct.pack("<H", method)
    sizes = struct.pack("<III", zlib.crc32(b"hello" * 9), len(packed), 45)
    data = make([("a.txt", packed)])
    data = patched(data, central=(10, code), local=(8, code))
    data = patched(data, central=(16, sizes), local=(14, sizes))
    assert members(data) == [("a.txt", b"hello" * 9)]
    assert gaps(data) == []


def test_a_stored_member_is_a_window_and_not_a_copy() -> None:
    class Counting(BytesContent):
        read_bytes = 0

        def read(self, offset: int = 0, length: int = -1) -> bytes:
            found = super().read(offset, length)
            Counting.read_bytes += len(found)
            return found

    storage = bytes(range(256)) * 40_000
    data = make([("m/data.pkl", b"\x80\x02}."), ("m/version", b"3\n"), ("m/data/0", storage)])
    found = items(Counting(data))
    assert [item.name for item in found if isinstance(item, Asset)] == ["m/data.pkl", "m/version"]
    assert Counting.read_bytes < 300_000


def test_cve_2025_1944_name_mismatch() -> None:
    data = patched(PLAIN, local=(30, b"b.txt"))
    assert "zip.name-mismatch" in checks(data)
    assert ("a.txt", b"hello") in members(data)


@pytest.mark.parametrize("bit", [0x1, 0x20, 0x40, 0x2000])
@pytest.mark.parametrize("where", ["central", "local", "both"])
def test_cve_2025_1945_flag_bits(bit: int, where: str) -> None:
    flags = struct.pack("<H", bit)
    data = patched(PLAIN, central=(8, flags) if where != "local" else None, local=(6, flags) if where != "central" else None)
    assert checks(data) & {"zip.false-encryption", "zip.flag-mismatch", "zip.odd-flags"}
    assert ("a.txt", b"hello") in members(data)
    assert GapReason.ENCRYPTED not in gaps(data)


@pytest.mark.parametrize("where", ["central", "both"])
def test_cve_2025_10156_wrong_crc(where: str) -> None:
    data = patched(PLAIN, central=(16, b"\1\2\3\4"), local=(14, b"\1\2\3\4") if where == "both" else None)
    assert "zip.crc-mismatch" in checks(data)
    assert ("a.txt", b"hello") in members(data)


def test_flag_bits_of_a_deflated_member_do_not_hide_it() -> None:
    data = patched(make([("a.txt", b"hello" * 50)], zipfile.ZIP_DEFLATED), central=(8, b"\1\0"), local=(6, b"\1\0"))
    assert members(data) == [("a.txt", b"hello" * 50)]
    assert "zip.false-encryption" in checks(data)


def test_a_truly_encrypted_member_is_a_gap() -> None:
    noise = bytes((n * 97 + 13) % 251 for n in range(57))
    data = make([("a.bin", noise)])
    sizes = struct.pack("<III", zlib.crc32(b"x"), 57, 45)  # encryption adds twelve bytes
    data = patched(data, central=(8, b"\1\0"), local=(6, b"\1\0"))
    data = patched(data, central=(16, sizes), local=(14, sizes))
    assert gaps(data) == [GapReason.ENCRYPTED]
    assert members(data) == []


@pytest.mark.parametrize("method", [8, 99])
def test_a_method_only_the_directory_claims_does_not_hide_stored_data(method: int) -> None:
    data = patched(PLAIN, central=(10, struct.pack("<H", method)))
    assert "zip.method-mismatch" in checks(data)
    assert ("a.txt", b"hello") in members(data)


def test_sizes_that_lie() -> None:
    data = patched(PLAIN, central=(24, b"\x01\0\0\0"))
    assert "zip.size" in checks(data)
    assert ("a.txt", b"hello") in members(data)


def test_members_that_only_a_local_header_knows() -> None:
    first, second = PLAIN.find(CENTRAL), PLAIN.find(CENTRAL, PLAIN.find(CENTRAL) + 1)
    directory = PLAIN[first:second]
    data = PLAIN[:first] + directory + struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(directory), first, 0)
    assert "zip.unlisted-member" in checks(data)
    assert ("d/b.pkl", PICKLE) in members(data)


def test_an_end_record_that_counts_too_few() -> None:
    at = PLAIN.rfind(END)
    data = PLAIN[: at + 8] + b"\1\0\1\0" + PLAIN[at + 12 :]
    assert checks(data) == {"zip.count"}
    assert len(members(data)) == 2


def test_a_broken_end_record_leaves_the_members_readable() -> None:
    data = PLAIN.replace(END, b"PK\x05\x07")
    assert members(data)[:2] == [("a.txt", b"hello"), ("d/b.pkl", PICKLE)]
    assert GapReason.TRUNCATED in gaps(data)


@pytest.mark.parametrize("prefix", [b"\x89PNG\r\n\x1a\n rest of a picture", bytes(512), b"\x80\x04N."])
def test_data_before_the_zip(prefix: bytes) -> None:
    assert members(prefix + PLAIN) == [("a.txt", b"hello"), ("d/b.pkl", PICKLE)]
    assert "zip.prefix-data" in checks(prefix + PLAIN)


@pytest.mark.parametrize("trailer", [70_000, 200_000])
def test_an_end_record_further_from_the_end_than_readers_look(trailer: int) -> None:
    data = PLAIN + bytes(trailer)
    assert members(data) == [("a.txt", b"hello"), ("d/b.pkl", PICKLE)]
    assert "zip.trailing-data" in checks(data)


def test_two_zips_one_behind_the_other_show_all_members() -> None:
    data = make([("data.pkl", b"first")]) + make([("data.pkl", b"second")])
    assert sorted(members(data)) == [("data.pkl", b"first"), ("data.pkl", b"second")]
    assert {"zip.several-ends", "archive.duplicate"} <= checks(data)


def test_an_end_record_inside_the_comment_hides_nothing() -> None:
    hidden = make([("hidden.pkl", PICKLE)])
    data = make([("a.txt", b"hello")], comment=hidden)
    assert sorted(name for name, _ in members(data)) == ["a.txt", "hidden.pkl"]


def test_a_stored_zip_inside_is_one_member() -> None:
    inner = make([("x.txt", b"x")])
    data = make([("inner.zip", inner)])
    assert members(data) == [("inner.zip", inner)]
    assert checks(data) == set()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicates_are_all_read() -> None:
    data = make([("m/data.pkl", b"one"), ("M/data.pkl", b"two"), ("m/data.pkl", b"three")])
    assert sorted(body for _, body in members(data)) == [b"one", b"three", b"two"]
    assert {"archive.duplicate", "archive.case-duplicate"} <= checks(data)


@pytest.mark.parametrize("name", ["../e.py", "a/../../e.py", "/abs/e.py", "..\\..\\e.py", "C:\\e.bat", "\\\\host\\e"])
def test_names_that_leave_the_folder(name: str) -> None:
    assert "archive.path-escape" in checks(make([(name, b"x")]))


@pytest.mark.parametrize("name", ["a/../b.txt", "..a/b", "a..b", "./a", "模型/权重.bin"])
def test_names_that_stay(name: str) -> None:
    assert checks(make([(name, b"x")])) == set()


def test_symbolic_links_that_leave_the_folder() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert checks(out.getvalue()) == {"archive.link-escape"}
    assert members(out.getvalue()) == []


def test_bytes_between_the_members_become_a_member() -> None:
    first = make([("a.txt", b"hello")])
    at = first.find(CENTRAL)
    hidden = b"#!/bin/sh\necho hidden between the members\n"
    end = first.rfind(END)
    directory = first[at:end]
    data = first[:at] + hidden + directory + struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(directory), at + len(hidden), 0)
    assert ("zip.hidden-data", "script") in {(i.check, i.attrs.get("payload")) for i in items(data) if isinstance(i, Fact)}
    assert hidden in [body for _, body in members(data)]


def test_bytes_behind_a_compressed_stream_become_a_member() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = squeeze.compress(b"hello" * 9) + squeeze.flush() + ELF
    sizes = struct.pack("<III", zlib.crc32(b"hello" * 9), len(packed), 45)
    data = patched(make([("a.txt", packed)]), central=(10, b"\x08\0"), local=(8, b"\x08\0"))
    data = patched(data, central=(16, sizes), local=(14, sizes))
    assert members(data) == [("a.txt", b"hello" * 9), ("a.txt (behind its end)", ELF)]


def _quoted_bomb(count: int, size: int) -> bytes:
    """Fifield's bomb without its escapes: many local headers before one kernel that all of them claim."""
    names = [b"%04d" % n for n in range(count)]
    head = b"".join(struct.pack("<4s5H3I2H", LOCAL, 20, 0, 0, 0, 33, 0, 0, 0, 4, 0) + name for name in names)
    step = len(head) // count
    body, directory = bytearray(head + bytes(size)), bytearray()
    for number, name in enumerate(names):
        packed = len(body) - (number + 1) * step
        struct.pack_into("<II", body, number * step + 18, packed, packed)
        directory += (
            struct.pack("<4s6H3I5H2I", CENTRAL, 20, 20, 0, 0, 0, 33, 0, packed, packed, 4, 0, 0, 0, 0, 0, number * step) + name
        )
    return bytes(body + directory + struct.pack("<4s4H2IH", END, 0, 0, count, count, len(directory), len(body), 0))


def test_overlapping_members_are_named_and_not_all_expanded() -> None:
    data = _quoted_bomb(200, 1 << 16)
    found = items(data)
    assert "zip.overlap" in {item.check for item in found if isinstance(item, Fact)}
    assert sum(isinstance(item, Asset) for item in found) < 30
    assert GapReason.TOO_LARGE in [item.reason for item in found if isinstance(item, Gap)]


def test_entries_that_share_one_local_header_are_read_once() -> None:
    at, end = PLAIN.find(CENTRAL), PLAIN.rfind(END)
    entry = PLAIN[at : PLAIN.find(CENTRAL, at + 1)]
    directory = entry * 50
    data = PLAIN[:at] + directory + struct.pack("<4s4H2IH", END, 0, 0, 50, 50, len(directory), at, 0)
    assert end > at
    assert [name for name, _ in members(data)].count("a.txt") == 1


def test_a_deflate_bomb_stops_early() -> None:
    data = make([("zeros", bytes(60 << 20))], zipfile.ZIP_DEFLATED)
    started = time.process_time()
    with pytest.raises(ReadError) as caught:
        items(data)
    assert caught.value.check == "archive.bomb"
    assert time.process_time() - started < 3


def test_too_many_members() -> None:
    with pytest.raises(ReadError) as caught:
        items(make([(str(n), b"") for n in range(50)]), Limits(members=49))
    assert caught.value.check == "archive.member-bomb"


def test_a_directory_that_points_nowhere_is_a_gap() -> None:
    data = patched(PLAIN, central=(42, b"\xff\xff\0\0"))
    assert "zip.missing-data" in checks(data)
    assert GapReason.MALFORMED in gaps(data)
    assert ("a.txt", b"hello") in members(data)  # its local header is still there


def test_truncated_downloads_show_what_is_there() -> None:
    data = PLAIN[: PLAIN.find(CENTRAL) - 3]
    assert ("a.txt", b"hello") in members(data)
    assert GapReason.TRUNCATED in gaps(data)


def test_stray_end_record_bytes_are_no_zip() -> None:
    data = b"GGUF" + bytes(300) + END + bytes(30)
    assert [type(item) for item in items(data)] == [Gap]
    assert gaps(data) == [GapReason.UNRECOGNISED]


def test_ten_thousand_members_in_seconds() -> None:
    data = make([(f"pkg/m{n}.py", b"x = 1\n") for n in range(10_000)])
    started = time.process_time()
    assert sum(isinstance(item, Asset) for item in items(data)) == 10_000
    assert time.process_time() - started < 5


SEEDS = [PLAIN, make([("a", b"hello" * 30)], zipfile.ZIP_DEFLATED), PLAIN + PLAIN, _quoted_bomb(5, 64), b"prefix" + PLAIN]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_mutations_raise_read_error_only(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(seed)
    for at, value in changes:
        start = at % len(data)
        data[start : start + len(value)] = value
    try:
        found = items(bytes(data), Limits(members=100, expanded=4 << 20, seconds=5))
    except ReadError:
        return
    assert len(found) < 1000


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_random_bytes_around_signatures(noise: bytes) -> None:
    found: list[Fact | Asset | Gap] = []
    with contextlib.suppress(ReadError):
        found = items(LOCAL + noise + CENTRAL + noise + END + noise, Limits(members=100, expanded=4 << 20, seconds=5))
    assert len(found) < 1000
