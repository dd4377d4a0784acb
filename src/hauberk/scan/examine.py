"""Examines one file or one unit to the end: identify, read, detect, hash. Runs in the caller's process or in a worker."""

import hashlib
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent, FileContent, PathContent
from hauberk.assets.errors import ReadError
from hauberk.assets.formats import FORMATS
from hauberk.assets.tree import Tree
from hauberk.core import Admission, Asset, AssetRecord, Content, Finding, Gap, GapReason, Kind
from hauberk.detect import Bench
from hauberk.scan.inspect import Inspection
from hauberk.scan.options import ScanOptions
from hauberk.scan.walk import Entry, Unit

SMALL = 1 << 20  # read at once, hashed and inspected from memory
SPARSE = 1 << 30  # a file larger than this, with holes, is not hashed: there is nothing in them


class Examined(msgspec.Struct, frozen=True):
    """What was seen of one top-level asset. The record's verdict is filled in by the policy."""

    record: AssetRecord
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def examine_file(entry: Entry, bench: Bench, options: ScanOptions) -> Examined:
    """Looks at one file. Never raises on what the file holds; a file that cannot be opened is a Gap."""
    try:
        with FileContent(entry.path) as opened:
            content: Content = BytesContent(opened.read()) if opened.size <= SMALL else opened
            return _examine(entry, content, bench, options)
    except OSError as error:
        gap = Gap(entry.uri, GapReason.UNREADABLE, (error.strerror or "cannot be read").lower(), kind="file", root=entry.uri)
        record = AssetRecord(uri=entry.uri, kind=Kind.BINARY, verdict=Admission.HOLD, size=entry.size, parent=entry.unit)
        return Examined(record, (), (gap,))


def _examine(entry: Entry, content: Content, bench: Bench, options: ScanOptions) -> Examined:
    budget = Budget(options.limits)
    inspection = Inspection(bench, budget)
    asset = Asset(uri=entry.uri, name=entry.name, content=content)
    items = _within_time(inspection, asset, options)
    digest = merkle = ""
    if not options.hashing:
        items += _unhashed(entry, inspection)
    elif entry.size > SPARSE and entry.allocated < entry.size // 2:
        note = f"a sparse file: {entry.size - entry.allocated} of {entry.size} bytes are holes; it was not hashed"
        items.append(Gap(entry.uri, GapReason.TOO_LARGE, note, kind=inspection.kind, root=entry.uri))
    elif isinstance(content, BytesContent) and inspection.kind != Kind.TENSORS:
        digest = f"sha256:{hashlib.sha256(content.data).hexdigest()}"
    else:
        digest, merkle = _digest(content, inspection.format)
    findings = tuple(i for i in items if isinstance(i, Finding))
    gaps = tuple(i for i in items if isinstance(i, Gap))
    record = AssetRecord(
        uri=entry.uri,
        kind=inspection.kind,
        verdict=Admission.ADMIT,
        format=inspection.format,
        digest=digest,
        size=entry.size,
        members=budget.members,
        merkle=merkle,
        parent=entry.unit,
    )
    return Examined(record, findings, gaps)


def _unhashed(entry: Entry, inspection: Inspection) -> list[Finding | Gap]:
    if inspection.kind not in {Kind.TENSORS, Kind.MODEL, Kind.ARCHIVE} or entry.size <= SMALL:
        return []
    note = "hashing is switched off: headers and programs were read, the tensor bytes were not"
    return [Gap(entry.uri, GapReason.NOT_REQUESTED, note, kind=inspection.kind, root=entry.uri)]


def _digest(content: Content, name: str) -> tuple[str, str]:
    from hauberk.assets.digest import digest_file
    from hauberk.assets.tensor_map import spans

    digest = digest_file(content, spans(content, name))
    return f"sha256:{digest.sha256}", f"blake3:{digest.root}" if digest.leaves else ""


def _within_time(inspection: Inspection, asset: Asset, options: ScanOptions) -> list[Finding | Gap]:
    """Everything found in `asset`; what a reader overlooks of its deadline, an alarm ends."""
    items: list[Finding | Gap] = []
    try:
        with _alarm(options.limits.seconds + 2):
            for item in inspection.run(asset):
                items.append(item)  # noqa: PERF402 - what was found before an alarm must be kept
    except ReadError as error:
        items.append(Gap(asset.uri, error.reason, error.note, kind=asset.kind, root=asset.uri))
    return items


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise ReadError(GapReason.TIMEOUT, f"not finished in {seconds:g} s")

    try:
        before = signal.signal(signal.SIGALRM, ring)
    except ValueError:  # not the main thread: the cooperative deadline is all there is
        yield
        return
    # Rings again each second: the first alarm may end only the member that was being read.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def examine_unit(unit: Unit, bench: Bench, options: ScanOptions) -> Examined:
    """Looks at a directory as one thing: what its files say of each other."""
    files = {name: PathContent(path) for name, path in unit.files.items()}
    tree = Tree(files, unit.links)
    budget = Budget(options.limits)
    inspection = Inspection(bench, budget)
    asset = Asset(uri=unit.uri, kind=FORMATS["repository"].kind, format="repository", name=os.path.basename(unit.uri), content=tree)
    items = _within_time(inspection, asset, options)
    record = AssetRecord(uri=unit.uri, kind=Kind.REPOSITORY, verdict=Admission.ADMIT, format="repository", members=len(unit.files))
    return Examined(record, tuple(i for i in items if isinstance(i, Finding)), tuple(i for i in items if isinstance(i, Gap)))
