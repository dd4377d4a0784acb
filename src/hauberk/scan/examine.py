"""Examines one file or one unit to the end: identify, read, detect, hash. Runs in the caller's process or in a worker."""

import hashlib
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent, FileContent, PathContent
from hauberk.assets.errors import ReadError
from hauberk.assets.formats import FORMATS
from hauberk.assets.identify import identify
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


Lookup = Callable[[str, str], "Examined | None"]
"""Asks the store for what it remembers of a digest under a file name."""


def examine_file(entry: Entry, bench: Bench, options: ScanOptions, lookup: Lookup | None = None) -> Examined:
    """Looks at one file. Never raises on what the file holds; a file that cannot be opened is a Gap."""
    try:
        with FileContent(entry.path) as opened:
            content: Content = BytesContent(opened.read()) if opened.size <= SMALL else opened
            return _examine(entry, content, bench, options, lookup)
    except OSError as error:
        gap = Gap(entry.uri, GapReason.UNREADABLE, (error.strerror or "cannot be read").lower(), kind="file", root=entry.uri)
        record = AssetRecord(uri=entry.uri, kind=Kind.BINARY, verdict=Admission.HOLD, size=entry.size, parent=entry.unit)
        return Examined(record, (), (gap,))


def _examine(entry: Entry, content: Content, bench: Bench, options: ScanOptions, lookup: Lookup | None) -> Examined:
    budget = Budget(options.limits)
    formats = identify(content, entry.name)
    inspection = Inspection(bench, budget, formats)
    digest, merkle, unhashed = _hashed(entry, content, formats[0], options)
    if digest and lookup and (known := lookup(digest, entry.name)):
        return moved(known, entry)
    items = _within_time(inspection, Asset(uri=entry.uri, name=entry.name, content=content, digest=digest), options)
    if unhashed and (unhashed.reason != GapReason.NOT_REQUESTED or _has_tensor_bytes(entry, inspection)):
        items.append(msgspec.structs.replace(unhashed, kind=inspection.kind))
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
    return Examined(record, tuple(i for i in items if isinstance(i, Finding)), tuple(i for i in items if isinstance(i, Gap)))


def _hashed(entry: Entry, content: Content, form: str, options: ScanOptions) -> tuple[str, str, Gap | None]:
    """SHA-256 and Merkle root of `content`, or the Gap that says why there is none."""
    if not options.hashing:
        note = "hashing is switched off: headers and programs were read, the tensor bytes were not"
        return "", "", Gap(entry.uri, GapReason.NOT_REQUESTED, note, root=entry.uri)
    if entry.size > SPARSE and entry.allocated < entry.size // 2:
        note = f"a sparse file: {entry.size - entry.allocated} of {entry.size} bytes are holes; it was not hashed"
        return "", "", Gap(entry.uri, GapReason.TOO_LARGE, note, root=entry.uri)
    if isinstance(content, BytesContent) and FORMATS[form].kind not in {Kind.TENSORS, Kind.ARCHIVE}:
        return f"sha256:{hashlib.sha256(content.data).hexdigest()}", "", None
    from hauberk.assets.tensors.digest import digest_file
    from hauberk.assets.tensors.tensor_map import spans

    digest = digest_file(content, spans(content, form))
    return f"sha256:{digest.sha256}", f"blake3:{digest.root}" if digest.leaves else "", None


def _has_tensor_bytes(entry: Entry, inspection: Inspection) -> bool:
    return entry.size > SMALL and inspection.kind in {Kind.TENSORS, Kind.MODEL, Kind.ARCHIVE}


def moved(known: Examined, entry: Entry) -> Examined:
    """What is known of the same bytes under another uri, said of `entry`."""
    old, new = known.record.uri, entry.uri

    def here(uri: str) -> str:
        return new + uri[len(old) :] if uri.startswith(old) else uri

    replace = msgspec.structs.replace
    return Examined(
        replace(known.record, uri=new, parent=entry.unit, size=entry.size),
        tuple(replace(f, asset=here(f.asset), root=here(f.root)) for f in known.findings),
        tuple(replace(g, asset=here(g.asset), root=here(g.root)) for g in known.gaps),
    )


def _within_time(inspection: Inspection, asset: Asset, options: ScanOptions) -> list[Finding | Gap]:
    """Everything found in `asset`; what a reader overlooks of its deadline, an alarm ends."""
    items: list[Finding | Gap] = []
    try:
        with _alarm(options.limits.seconds + 2):
            for item in inspection.run(asset):
                items.append(item)  # noqa: PERF402 - what was found before an alarm must be kept
    except ReadError as error:
        items.append(Gap(asset.uri, error.reason, error.note, kind=asset.kind, root=asset.uri))
    except Exception as error:  # noqa: BLE001 - a defect in a reader must cost this file a Gap, not the scan its end
        note = f"a reader failed: {type(error).__name__}: {error}"[:300]
        items.append(Gap(asset.uri, GapReason.DETECTOR_ERROR, note, kind=asset.kind, root=asset.uri))
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


def _within(unit: Unit, name: str, target: str) -> str:
    """A link's target as written; an absolute one into the tree itself is said relatively, as it leads nowhere else."""
    if not os.path.isabs(target):
        return target
    root, real = os.path.realpath(unit.path), os.path.realpath(os.path.join(unit.path, name))
    inside = real == root or real.startswith(root + os.sep)
    return os.path.relpath(real, os.path.join(root, os.path.dirname(name))) if inside else target


def examine_unit(unit: Unit, bench: Bench, options: ScanOptions) -> Examined:
    """Looks at a directory as one thing: what its files say of each other."""
    files = {name: PathContent(path) for name, path in unit.files.items()}
    tree = Tree(files, {name: _within(unit, name, target) for name, target in unit.links.items()})
    budget = Budget(options.limits)
    inspection = Inspection(bench, budget)
    asset = Asset(uri=unit.uri, kind=FORMATS["repository"].kind, format="repository", name=os.path.basename(unit.uri), content=tree)
    items = _within_time(inspection, asset, options)
    record = AssetRecord(uri=unit.uri, kind=Kind.REPOSITORY, verdict=Admission.ADMIT, format="repository", members=len(unit.files))
    return Examined(record, tuple(i for i in items if isinstance(i, Finding)), tuple(i for i in items if isinstance(i, Gap)))
