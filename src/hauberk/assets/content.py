"""Where bytes come from: a file, memory, a slice of another content, a spool of decompressed bytes."""

import io
import os
import tempfile
from collections.abc import Iterator
from typing import Self

from hauberk.assets.budget import Budget
from hauberk.core import Content

CHUNK = 1 << 20
SPOOL_IN_MEMORY = 16 << 20


class BytesContent:
    """Bytes already in memory."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        if offset == 0 and (length < 0 or length >= len(self.data)):
            return self.data
        return self.data[offset:] if length < 0 else self.data[offset : offset + length]


class FileContent:
    """A regular file, read with pread; nothing is mapped, so a file cut short while it is read cannot kill us."""

    __slots__ = ("_fd", "path", "size")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Opens `path` for reading. Raises OSError."""
        self.path = os.fspath(path)
        self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.size: int = os.fstat(self._fd).st_size

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        want = self.size - offset if length < 0 else min(length, self.size - offset)
        if want <= 0:
            return b""
        data = os.pread(self._fd, want, offset)
        if len(data) == want or not data:
            return data
        parts = [data]  # the kernel returns at most 2 GiB a call
        got = len(data)
        while got < want:
            data = os.pread(self._fd, want - got, offset + got)
            if not data:
                break
            parts.append(data)
            got += len(data)
        return b"".join(parts)

    def close(self) -> None:
        """Closes the file; later reads raise OSError."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class PathContent:
    """A regular file that is opened for each read: for trees of thousands of files of which few are looked at."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def size(self) -> int:
        """Length in bytes, 0 when it has gone."""
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        with FileContent(self.path) as opened:
            return opened.read(offset, length)


class SliceContent:
    """A window `[start, start+size)` of another content; never longer than what is there."""

    __slots__ = ("size", "source", "start")

    def __init__(self, source: Content, start: int, size: int) -> None:
        self.source = source
        self.start = max(0, start)
        self.size: int = max(0, min(size, source.size - self.start))

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        left = self.size - offset
        want = left if length < 0 else min(length, left)
        return self.source.read(self.start + offset, want) if want > 0 else b""


class SpoolContent:
    """Decompressed bytes, in memory up to 16 MiB and in an unnamed temporary file beyond."""

    __slots__ = ("_file", "size")

    def __init__(self, chunks: Iterator[bytes], budget: Budget, *, compressed_size: int = 0) -> None:
        """Drains `chunks`. Raises ReadError when `budget` is spent."""
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_IN_MEMORY)  # noqa: SIM115 - lives as long as we do
        self.size: int = 0
        for chunk in chunks:
            self.size += len(chunk)
            budget.spend_expanded(len(chunk), total_in=compressed_size, total_out=self.size)
            budget.check_time()
            self._file.write(chunk)

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def __del__(self) -> None:
        self._file.close()


class ContentIO(io.RawIOBase):
    """A content as a seekable binary file, for library parsers that want one. Wrap in io.BufferedReader."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._content.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        data = self._content.read(self._position, len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def chunks(content: Content, start: int = 0, length: int = -1, size: int = CHUNK) -> Iterator[bytes]:
    """The bytes of `content` from `start`, at most `size` at a time."""
    end = content.size if length < 0 else min(content.size, start + length)
    while start < end:
        data = content.read(start, min(size, end - start))
        if not data:
            return
        yield data
        start += len(data)
