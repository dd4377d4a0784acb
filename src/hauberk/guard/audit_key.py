"""The key under which texts are hashed in the audit log: without it a short prompt could be guessed from its hash."""

import os
import secrets

NAME = "text-key"


def text_key(folder: str) -> bytes:
    """The key beside the log, made (mode 0600) when there is none. Raises OSError."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, NAME)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        with open(path, "rb") as file:
            return file.read(64)
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
