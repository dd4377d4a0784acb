"""What is remembered between runs: what was said of a content, and the digests of files that were not touched since."""

import time

import msgspec

from hauberk.store.database import Database, Transaction
from hauberk.store.runs import Remembered, decode_remembered

RACY_NS = 2_000_000_000  # a file changed this recently may change again within the same time stamp

_PUT_CACHE = (
    "INSERT INTO cache (key, used, body) VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET used = excluded.used, body = excluded.body"
)
_PUT_QUICK = (
    "INSERT INTO quick (path, size, mtime_ns, ctime_ns, device, inode, digest) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns,"
    " device = excluded.device, inode = excluded.inode, digest = excluded.digest"
)


class FileStamp(msgspec.Struct, frozen=True):
    """What the file system says of a file without opening it."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: tuple[int, int]  # device and inode


class Memory:
    """Two tables of the store, written in the store's batches."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fresh: dict[str, bytes] = {}
        self._stamps: list[tuple[object, ...]] = []
        self._hits: set[str] = set()

    def remember(self, cache_key: str, body: bytes) -> None:
        """Keeps what was said of a content, from the next `write` on."""
        self._fresh[cache_key] = body

    def cached(self, cache_key: str) -> Remembered | None:
        """What an earlier run said of the same content under the same key, or None."""
        body = self._fresh.get(cache_key)
        if body is None:
            rows = self._database.rows("SELECT body FROM cache WHERE key = ?", cache_key)
            if not rows:
                return None
            body = rows[0][0]
            self._hits.add(cache_key)
        try:
            return decode_remembered(body)
        except msgspec.DecodeError:
            return None  # written by a version with other structs: looked at again

    def quick_digest(self, stamp: FileStamp) -> str:
        """The digest remembered for a file that has not been touched since, or ""."""
        query = "SELECT size, mtime_ns, ctime_ns, device, inode, digest FROM quick WHERE path = ?"
        rows = self._database.rows(query, _text(stamp.path))
        if not rows:
            return ""
        *seen, digest = rows[0]
        return digest if seen == [stamp.size, stamp.mtime_ns, stamp.ctime_ns, *map(str, stamp.inode)] else ""

    def remember_digest(self, stamp: FileStamp, digest: str) -> None:
        """Keeps the digest of a file, unless it changed so recently that it may change again unnoticed."""
        newest = max(stamp.mtime_ns, stamp.ctime_ns)
        if digest and newest < time.time_ns() - RACY_NS:
            times = (stamp.size, stamp.mtime_ns, stamp.ctime_ns)
            self._stamps.append((_text(stamp.path), *times, *map(str, stamp.inode), digest))

    @property
    def waiting(self) -> bool:
        """Whether `write` has something to write."""
        return bool(self._fresh or self._stamps or self._hits)

    def write(self, transaction: Transaction, seq: int) -> None:
        """Writes what waits, as used by the run number `seq`."""
        fresh = ((key, seq, body) for key, body in self._fresh.items())
        transaction.do_many(_PUT_CACHE, fresh)
        transaction.do_many(_PUT_QUICK, self._stamps)
        transaction.do_many("UPDATE cache SET used = ? WHERE key = ?", ((seq, key) for key in self._hits))

    def written(self) -> None:
        """Forgets what `write` has written; called once its transaction held."""
        self._fresh.clear()
        self._stamps.clear()
        self._hits.clear()


def _text(path: str) -> str:
    # Two names that differ only in undecodable bytes must not share a row.
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
