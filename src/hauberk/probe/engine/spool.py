"""Spool: the seeds of a run in one file, read again as often as a plan needs them, and kept for its resumption."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import msgspec

from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.record import well
from hauberk.probe.seeds.seed import Seed

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Seed).decode


class Spool:
    """Seeds in a file, which is closed with the spool's last user. Call it for a fresh iterator."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.close = weakref.finalize(self, file.close)

    @classmethod
    def of(cls, seeds: Iterable[Seed]) -> "Spool":
        """Writes `seeds` to a file without a name. Raises EngineError when there is no room."""
        try:
            made = cls(tempfile.TemporaryFile("w+b"))  # noqa: SIM115 - closed with the spool
            for seed in seeds:
                made._file.write(_line(seed))
            made._file.flush()
        except OSError as error:
            raise EngineError(f"the seeds cannot be set aside: {(error.strerror or str(error)).lower()}") from error
        return made

    @classmethod
    def at(cls, path: str) -> "Spool":
        """The seeds that an earlier sitting saved at `path`. Raises EngineError."""
        try:
            return cls(open(path, "rb"))
        except OSError as error:
            raise EngineError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error

    def __call__(self) -> Iterator[Seed]:
        """From the first seed to the last; several iterators may be under way at once. Raises EngineError."""
        offset = 0
        while True:
            data = os.pread(self._file.fileno(), 1 << 16, offset)
            while data and b"\n" not in data:
                more = os.pread(self._file.fileno(), 1 << 20, offset + len(data))
                if not more:
                    break
                data += more
            cut = data.rfind(b"\n") + 1
            if not cut:
                return
            for line in data[:cut].splitlines():
                yield self._seed(line)
            offset += cut

    def save(self, path: str) -> None:
        """Copies all of it to `path`. Raises OSError."""
        with open(path, "wb") as copy:
            self._file.seek(0)
            shutil.copyfileobj(self._file, copy)
            copy.flush()
            os.fsync(copy.fileno())

    def _seed(self, line: bytes) -> Seed:
        try:
            return _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EngineError(f"the saved seeds are damaged: {error}") from error


def _line(seed: Seed) -> bytes:
    try:
        return _encode(seed) + b"\n"
    except UnicodeEncodeError:
        return _encode(well(msgspec.to_builtins(seed))) + b"\n"
