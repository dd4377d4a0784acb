"""The data of a zip's members, as every reader would see them."""

import lzma
import zlib
from collections.abc import Callable, Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.containers.decompress import Consumed, bz2_codec, expand, inflate, unpack, unzstd, xz_codec
from hauberk.assets.containers.zip_facts import name_of
from hauberk.assets.containers.zip_headers import FLAG_DESCRIPTOR, FLAG_ENCRYPTED, extra_field
from hauberk.assets.containers.zip_layout import Member
from hauberk.assets.content import SliceContent, chunks
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_STORED, _DEFLATE, _DEFLATE64, _BZIP2, _LZMA, _ZSTD_OLD, _ZSTD, _XZ, _AES = 0, 8, 9, 12, 14, 20, 93, 95, 99
_KNOWN = {_STORED, _DEFLATE, _BZIP2, _LZMA, _ZSTD_OLD, _ZSTD, _XZ}
_CRC_LIMIT = 4 << 20  # stored members up to this size have their sum checked
_LZMA_DICTIONARY = 256 << 20
_AES_EXTRA = 0x9901


class View(msgspec.Struct, frozen=True):
    """One reading of a member's data: by the directory or by the local header."""

    method: int
    packed: int
    unpacked: int
    crc: int
    flags: int
    extra: bytes


def views_of(member: Member, room: int) -> list[View]:
    """The different readings of a member whose data have `room` bytes up to the next member."""
    views: list[View] = []
    for header in (member.central, member.local):
        if header is None:
            continue
        packed, unpacked, crc = header.packed, header.unpacked, header.crc
        if header is member.local and header.flags & FLAG_DESCRIPTOR and not packed:
            if member.central is not None and member.central.method == header.method:
                continue  # its sizes are in the directory and in the descriptor
            packed, crc = room, 0
        view = View(header.method, min(packed, room), unpacked, crc, header.flags, header.extra)
        if not any((v.method, v.packed) == (view.method, view.packed) for v in views):
            views.append(view)
    return views


def read_member(asset: Asset, member: Member, room: int, budget: Budget, known: str = "") -> Iterator[Fact | Asset | Gap]:
    """The member as one asset for each different reading of its data; `known` is its format where the profile tells it."""
    assert asset.content is not None
    name = name_of(member.head)
    if member.local is None:
        yield Gap(_uri(asset, name), GapReason.MALFORMED, "the zip names this member but its data are not where it says")
        return
    views = views_of(member, room)
    for view in views:
        window = SliceContent(asset.content, member.local.end, view.packed)
        try:
            yield from _as_known(_read_view(asset, name, view, window, budget), known)
        except ReadError as error:
            if error.reason in {GapReason.TIMEOUT, GapReason.TOO_LARGE}:
                raise
            # What only one of two contradicting headers makes of the data need not be readable.
            if len(views) == 1 or error.reason == GapReason.ENCRYPTED:
                yield Gap(_uri(asset, name), error.reason, error.note, offset=error.offset)


def _as_known(items: Iterator[Fact | Asset | Gap], known: str) -> Iterator[Fact | Asset | Gap]:
    for item in items:
        yield msgspec.structs.replace(item, format=known) if known and isinstance(item, Asset) else item


def _uri(asset: Asset, name: str) -> str:
    return f"{asset.uri}!/{name}"


def _read_view(asset: Asset, name: str, view: View, window: SliceContent, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    where = quote(name, 80)
    if view.method == _STORED or (view.method not in _KNOWN and view.packed == view.unpacked and view.packed):
        yield from _read_stored(asset, name, view, window, budget)
        return
    if view.method == _AES or extra_field(view.extra, _AES_EXTRA) is not None:
        raise ReadError(GapReason.ENCRYPTED, "the member is encrypted (AES)")
    if view.method not in _KNOWN:
        raise ReadError(GapReason.UNSUPPORTED, f"compression method {view.method} is not read")
    seen = Consumed()
    sum_ = _Sum()
    try:
        content = expand(sum_.of(_stream(view, window, seen)), budget, view.packed)
    except Malformed as error:
        if view.flags & FLAG_ENCRYPTED:
            raise ReadError(GapReason.ENCRYPTED, "the member is encrypted") from error
        raise
    if view.flags & FLAG_ENCRYPTED:
        yield _false_encryption(where, view)
    if view.crc != sum_.value:
        yield _wrong_crc(where, view.crc, sum_.value)
    if content.size != view.unpacked and view.unpacked:
        yield Fact("zip.size", f"{content.size} bytes come out, {view.unpacked} were stated", where=where)
    yield asset.child(name, content)
    if seen.end is not None and window.size - seen.end > 0:
        yield from _slack(asset, name, SliceContent(window, seen.end, window.size - seen.end))


def _slack(asset: Asset, name: str, rest: SliceContent) -> Iterator[Fact | Asset | Gap]:
    head = rest.read(0, 64)
    if rest.size <= 24 and head.startswith(b"PK\x07\x08"):
        return
    note = f"{rest.size} bytes behind the compressed stream of a member"
    yield Fact("zip.hidden-data", note, where=quote(name, 80), quote=quote(head[:48], 80), attrs={"empty": not head.strip(b"\0")})
    yield asset.child(f"{name} (behind its end)", rest)


def _read_stored(asset: Asset, name: str, view: View, window: SliceContent, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    where = quote(name, 80)
    if view.method != _STORED:
        yield Gap(_uri(asset, name), GapReason.UNSUPPORTED, f"compression method {view.method} is not read; taken as stored")
    value = None
    if window.size <= _CRC_LIMIT or view.flags & FLAG_ENCRYPTED:
        value = _crc_of(window, budget)
    if view.flags & FLAG_ENCRYPTED:
        # Encryption makes stored data longer than the plain; equal lengths are plain data whatever the bit says.
        if value != view.crc and view.packed != view.unpacked:
            raise ReadError(GapReason.ENCRYPTED, "the member is encrypted")
        yield _false_encryption(where, view)
    if value is not None and value != view.crc and not view.flags & FLAG_ENCRYPTED and view.packed == view.unpacked:
        yield _wrong_crc(where, view.crc, value)
    yield asset.child(name, window)


def _crc_of(content: Content, budget: Budget) -> int:
    value = 0
    for data in chunks(content):
        budget.check_time()
        value = zlib.crc32(data, value)
    return value


def _false_encryption(where: str, view: View) -> Fact:
    note = "the member is marked as encrypted but its data are plain: strict readers refuse it, PyTorch loads it"
    return Fact("zip.false-encryption", note, where=where, attrs={"flags": view.flags})


def _wrong_crc(where: str, stated: int, value: int) -> Fact:
    note = f"CRC {stated:08x} stated, {value:08x} found: strict readers refuse the member, PyTorch loads it"
    return Fact("zip.crc-mismatch", note, where=where)


class _Sum:
    def __init__(self) -> None:
        self.value = 0

    def of(self, stream: Iterator[bytes]) -> Iterator[bytes]:
        for data in stream:
            self.value = zlib.crc32(data, self.value)
            yield data


def _stream(view: View, window: SliceContent, seen: Consumed) -> Iterator[bytes]:
    by_method: dict[int, Callable[[], Iterator[bytes]]] = {
        _DEFLATE: lambda: inflate(window, seen, -15),
        _BZIP2: lambda: unpack(window, seen, bz2_codec()),
        _LZMA: lambda: _lzma(view, window, seen),
        _XZ: lambda: unpack(window, seen, xz_codec()),
        _ZSTD: lambda: unzstd(window, seen),
        _ZSTD_OLD: lambda: unzstd(window, seen),
    }
    return by_method[view.method]()


def _lzma(view: View, window: SliceContent, seen: Consumed) -> Iterator[bytes]:
    head = window.read(0, 9)
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        raise Malformed("not an LZMA member")
    seen.offset = 9
    codec = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[lzma1_filter(head[4:9])])
    has_end_mark = bool(view.flags & 2)
    return unpack(window, seen, codec, length=-1 if has_end_mark else view.unpacked)


def lzma1_filter(properties: bytes) -> dict[str, int]:
    """The raw filter that five bytes of LZMA properties describe. Raises Malformed."""
    dictionary = int.from_bytes(properties[1:5], "little")
    value = properties[0]
    if value >= 9 * 5 * 5:
        raise Malformed("not valid LZMA properties")
    if dictionary > _LZMA_DICTIONARY:
        raise ReadError(GapReason.TOO_LARGE, f"wants a dictionary of {dictionary >> 20} MiB")
    lc, rest = value % 9, value // 9
    lp, pb = rest % 5, rest // 5
    if lc + lp > 4:
        raise Malformed("not valid LZMA properties")
    return {"id": lzma.FILTER_LZMA1, "dict_size": max(4096, dictionary), "lc": lc, "lp": lp, "pb": pb}


def head_of(asset: Asset, member: Member, room: int, length: int) -> bytes:
    """The first bytes of a member, without reading the rest; empty when they cannot be had cheaply."""
    assert asset.content is not None
    if member.local is None:
        return b""
    for view in views_of(member, room):
        window = SliceContent(asset.content, member.local.end, view.packed)
        if view.method == _STORED:
            return window.read(0, length)
        if view.method in _KNOWN:
            try:
                return next(_stream(view, window, Consumed()), b"")[:length]
            except ReadError:
                return b""
    return b""
