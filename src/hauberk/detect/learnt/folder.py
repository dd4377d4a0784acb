"""The folder that learning writes and a guard is pointed at. Only `learnt.msgpack` in it is believed."""

import os

from hauberk.detect.learnt.file import LARGEST, LearntFileError, read
from hauberk.detect.learnt.model import Learnt

FILE = "learnt.msgpack"


def read_folder(folder: str | os.PathLike[str]) -> Learnt:
    """The model in `folder`. Raises LearntFileError: one line with the file and what to do."""
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise LearntFileError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    try:
        return read(data)
    except LearntFileError as error:
        raise LearntFileError(f"{path}: {error}") from error
