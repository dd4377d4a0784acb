"""Signed checkpoints in the form of C2SP signed-note and tlog-checkpoint, so that others' tools verify them too.

hauberk.example/audit        origin
1042                         entries
qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=
edge <base64> ...            our extension line: the right edge of the tree, to go on from without reading it all

— hauberk.example/audit <base64 of key id and Ed25519 signature>
"""

import base64
import hashlib
from typing import Protocol

import msgspec

from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.merkle import GrowingTree

LONGEST = 16 << 10
_ED25519 = b"\x01"
_DASH = "— "


class Signer(Protocol):
    """Signs with Ed25519."""

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        ...

    def sign(self, data: bytes) -> bytes: ...


class Verifier(Protocol):
    """Verifies with Ed25519."""

    def __call__(self, public: bytes, signature: bytes, data: bytes) -> bool: ...


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed statement: the log of this origin had `size` entries and this root."""

    origin: str
    size: int
    root: bytes
    edge: tuple[bytes, ...] = ()

    @property
    def text(self) -> bytes:
        """What is signed."""
        lines = [self.origin, str(self.size), _b64(self.root)]
        if self.edge:
            lines.append(" ".join(("edge", *map(_b64, self.edge))))
        return "".join(f"{line}\n" for line in lines).encode()

    def tree(self) -> GrowingTree:
        """The tree to go on from. Raises AuditError when the edge is not that of the root."""
        try:
            tree = GrowingTree(self.size, self.edge)
        except ValueError as error:
            raise AuditError(f"checkpoint at {self.size}: {error}") from error
        if tree.root() != self.root:
            raise AuditError(f"checkpoint at {self.size}: its edge does not hash to its root")
        return tree


def key_id(origin: str, public: bytes) -> bytes:
    """First four bytes of SHA-256 over name, newline, algorithm and key."""
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:4]


def verifier_key(origin: str, public: bytes) -> str:
    """The public key as C2SP tools write it: `name+id+base64`."""
    return f"{origin}+{key_id(origin, public).hex()}+{_b64(_ED25519 + public)}"


def parsed_verifier_key(text: str) -> tuple[str, bytes]:
    """Origin and raw public key of `verifier_key`. Raises AuditError."""
    try:
        origin, identity, encoded = text.strip().split("+", 2)
        raw = _raw(encoded)
    except ValueError as error:
        raise AuditError("the public key is not of the form name+id+base64") from error
    if raw[:1] != _ED25519 or len(raw) != 33 or key_id(origin, raw[1:]).hex() != identity:
        raise AuditError("the public key is damaged, or not an Ed25519 key: its id does not match")
    return origin, raw[1:]


def signed(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The note: text, empty line, signature line."""
    signature = key_id(checkpoint.origin, signer.public) + signer.sign(checkpoint.text)
    return checkpoint.text + f"\n{_DASH}{checkpoint.origin} {_b64(signature)}\n".encode()


def opened(note: bytes, origin: str, public: bytes, verify: Verifier) -> Checkpoint:
    """The checkpoint in `note`, its signature verified. Raises AuditError."""
    if len(note) > LONGEST:
        raise AuditError(f"a checkpoint of {len(note)} bytes is none of ours")
    head, separator, tail = note.partition(b"\n\n")
    text = head + b"\n"
    if not separator or not _good_signature(text, tail, origin, public, verify):
        raise AuditError("the checkpoint's signature is not good for this key")
    try:
        lines = text.decode().split("\n")[:-1]
        edge = tuple(_raw(part) for part in lines[3].split(" ")[1:]) if len(lines) > 3 else ()
        made = Checkpoint(lines[0], int(lines[1]), _raw(lines[2]), edge)
    except (ValueError, IndexError) as error:
        raise AuditError(f"the checkpoint cannot be read: {error}") from error
    if made.origin != origin or made.size < 0:
        raise AuditError(f"the checkpoint is of the log {made.origin!r}, not {origin!r}")
    return made


def _good_signature(text: bytes, tail: bytes, origin: str, public: bytes, verify: Verifier) -> bool:
    for line in tail.split(b"\n"):
        prefix = f"{_DASH}{origin} ".encode()
        if not line.startswith(prefix):
            continue
        try:
            raw = _raw(line[len(prefix) :].decode("ascii"))
        except ValueError:
            continue
        if raw[:4] == key_id(origin, public) and verify(public, raw[4:], text):
            return True
    return False


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _raw(text: str) -> bytes:
    """The bytes of `text` in base64. Raises ValueError also where another text would stand for the same bytes."""
    raw = base64.b64decode(text, validate=True)
    if _b64(raw) != text:
        raise ValueError("base64 with spare bits set")
    return raw
