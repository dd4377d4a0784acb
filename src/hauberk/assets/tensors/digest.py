"""One read of a file for everything that needs all of its bytes: SHA-256, and a BLAKE3 leaf for each tensor under a Merkle root.

Leaves and nodes are hashed as in RFC 6962, with a zero byte before a leaf and a one before a node, so that neither can
be passed off as the other. A leaf covers the tensor's name, dtype and shape as well as its bytes. One more leaf, the
first, covers every byte that belongs to no tensor: header, padding, whatever is behind.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from queue import Queue
from threading import Thread
from typing import Protocol

import msgspec

from hauberk.assets.content import chunks
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content

CHUNK = 4 << 20
_WAITING = 4  # chunks between the reader and SHA-256
_ALONE = 16 << 20  # smaller contents are not worth a thread
_LEAF, _NODE = b"\x00", b"\x01"


class Hasher(Protocol):
    """What hashlib and blake3 have in common."""

    def update(self, data: "bytes | memoryview[int]", /) -> object:
        """Takes in more bytes."""
        ...

    def digest(self) -> bytes:
        """The hash of all bytes so far."""
        ...


class Leaf(msgspec.Struct, frozen=True):
    """A tensor's hash. The leaf without a name covers all bytes outside the tensors."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    blake3: str  # hexadecimal


class Digest(msgspec.Struct, frozen=True):
    """The hashes of one file. `root` and `leaves` are empty when it has no tensors."""

    sha256: str
    leaves: tuple[Leaf, ...]
    root: str
    size: int


class Change(msgspec.Struct, frozen=True):
    """A difference between two files' leaves: `how` is "changed", "added" or "missing"; no name means the bytes around."""

    name: str
    how: str


def digest_file(content: Content, spans: Iterable[TensorSpan] = (), progress: Callable[[int], None] | None = None) -> Digest:
    """Hashes `content` in one pass. Of spans that overlap, the first counts; `progress` is called with bytes done."""
    tree = _Tree(spans, content.size)
    sha = hashlib.sha256()
    if content.size < _ALONE:
        for chunk in _read(content, progress):
            sha.update(chunk)
            tree.update(chunk)
    else:
        _side_by_side(content, sha, tree, progress)
    return Digest(sha.hexdigest(), tree.leaves(), tree.root(), content.size)


def _read(content: Content, progress: Callable[[int], None] | None) -> Iterator[bytes]:
    done = 0
    for chunk in chunks(content, size=CHUNK):
        yield chunk
        done += len(chunk)
        if progress:
            progress(done)


def _side_by_side(content: Content, sha: Hasher, tree: "_Tree", progress: Callable[[int], None] | None) -> None:
    """SHA-256 in a thread of its own; reading and BLAKE3, together the cheaper half, in this one."""
    queue: Queue[bytes | None] = Queue(_WAITING)

    def drain() -> None:
        while (chunk := queue.get()) is not None:
            sha.update(chunk)

    worker = Thread(target=drain, name="sha256", daemon=True)
    worker.start()
    try:
        for chunk in _read(content, progress):
            queue.put(chunk)
            tree.update(chunk)
    finally:
        queue.put(None)
        worker.join()


class _Tree:
    """Feeds each stretch of the file to the leaf it belongs to."""

    def __init__(self, spans: Iterable[TensorSpan], size: int) -> None:
        self._stretches = list(_stretches(spans, size))
        self._next = 0
        self._offset = 0
        self._rest: Hasher | None = None
        self._open: Hasher | None = None
        self._leaves: list[tuple[TensorSpan, bytes]] = []
        if any(span for _, _, span in self._stretches):
            self._rest = _blake3(_LEAF + msgspec.msgpack.encode(("", "", ())))
            self._enter()

    def update(self, chunk: bytes) -> None:
        """The next bytes of the file."""
        if self._rest is None:
            return
        view, at = memoryview(chunk), 0
        while at < len(chunk) and self._next < len(self._stretches):
            _, end, span = self._stretches[self._next]
            piece = view[at : at + end - self._offset]
            hasher = self._open if span else self._rest
            assert hasher is not None
            hasher.update(piece)
            at += len(piece)
            self._offset += len(piece)
            if self._offset == end:
                self._leave()

    def _enter(self) -> None:
        while self._next < len(self._stretches):
            start, end, span = self._stretches[self._next]
            if span:
                self._open = _blake3(_LEAF + msgspec.msgpack.encode((span.name, span.dtype, span.shape)))
            if end > start:
                return
            self._leave_one()

    def _leave_one(self) -> None:
        span = self._stretches[self._next][2]
        if span and self._open:
            self._leaves.append((span, self._open.digest()))
            self._open = None
        self._next += 1

    def _leave(self) -> None:
        self._leave_one()
        self._enter()

    def leaves(self) -> tuple[Leaf, ...]:
        """The leaf of the bytes around the tensors, then the tensors in file order; nothing when there are no tensors."""
        if self._rest is None:
            return ()
        first = Leaf("", "", (), self._rest.digest().hex())
        return (first, *(Leaf(span.name, span.dtype, span.shape, digest.hex()) for span, digest in self._leaves))

    def root(self) -> str:
        """The Merkle root in hexadecimal, "" when there are no tensors."""
        return merkle_root(self.leaves())


def _stretches(spans: Iterable[TensorSpan], size: int) -> Iterator[tuple[int, int, TensorSpan | None]]:
    """The file cut into tensors and what is between them, without overlaps."""
    at = 0
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        if span.start < at or not span.start <= span.end <= size:
            continue  # hostile: its bytes are covered by the tensor before it, or by the rest
        if span.start > at:
            yield at, span.start, None
        yield span.start, span.end, span
        at = span.end
    if at < size:
        yield at, size, None


def merkle_root(leaves: Sequence[Leaf]) -> str:
    """The root over `leaves` in their order, "" when there are none."""
    level = [bytes.fromhex(leaf.blake3) for leaf in leaves]
    while len(level) > 1:
        pairs = [_blake3(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = pairs if len(level) % 2 == 0 else [*pairs, level[-1]]
    return level[0].hex() if level else ""


def compare(base: Sequence[Leaf], other: Sequence[Leaf]) -> list[Change]:
    """Which tensors of `base` changed or are missing in `other`, and which are new there."""
    before, after = {leaf.name: leaf for leaf in base}, {leaf.name: leaf for leaf in other}
    changes = [Change(name, "changed" if name in after else "missing") for name, leaf in before.items() if after.get(name) != leaf]
    return changes + [Change(name, "added") for name in after if name not in before]


def _blake3(start: bytes) -> Hasher:
    import blake3

    return blake3.blake3(start)
