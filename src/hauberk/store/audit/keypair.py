"""The Ed25519 key that signs checkpoints: a PEM file only its owner may read, and the public half beside it."""

import os
import stat

from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.note import verifier_key

KEY_FILE = "checkpoint-key.pem"
PUBLIC_FILE = "checkpoint-key.pub"


class SigningKey:
    """An Ed25519 private key."""

    def __init__(self, raw: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""
        return self._key.sign(data)


def good_signature(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is that of `data` by the owner of `public`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_or_make(path: str, origin: str) -> SigningKey:
    """The key in `path`, made there (mode 0600) when there is none; its public half is put beside it. Raises AuditError."""
    try:
        try:
            with open(path, "rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                pem = file.read(64 << 10)
        except FileNotFoundError:
            return _made(path, origin)
        key = _loaded(path, mode, pem)
        if not os.path.exists(_public(path)):
            _publish(path, origin, key)
    except OSError as error:
        raise AuditError(f"{path}: the signing key cannot be used: {(error.strerror or str(error)).lower()}") from error
    return key


def _loaded(path: str, mode: int, pem: bytes) -> SigningKey:
    if stat.S_IMODE(mode) & 0o077:
        raise AuditError(f"{path}: others may read the signing key (mode {stat.S_IMODE(mode):o}); chmod 600 it, or make a new one")
    return SigningKey(_raw(pem, path))


def _raw(pem: bytes, path: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise AuditError(f"{path}: no PEM private key without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditError(f"{path}: not an Ed25519 key; make one with: openssl genpkey -algorithm ed25519")
    return key.private_bytes_raw()


def _made(path: str, origin: str) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Written beside and linked: of two processes that start at once, one makes the key and both use it.
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        return load_or_make(path, origin)
    finally:
        os.unlink(temporary)
    made = SigningKey(key.private_bytes_raw())
    _publish(path, origin, made)
    return made


def _public(path: str) -> str:
    return os.path.splitext(path)[0] + ".pub"


def _publish(path: str, origin: str, key: SigningKey) -> None:
    # Whole or not at all: one cut short by a crash would never be written again.
    temporary = f"{_public(path)}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(verifier_key(origin, key.public) + "\n")
    os.replace(temporary, _public(path))
