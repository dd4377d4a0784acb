"""Proves that an entry is in a log, to somebody who has only a checkpoint."""

import msgspec

from hauberk.store.audit.entry import decoded
from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.keypair import good_signature
from hauberk.store.audit.merkle import inclusion_proof, root_of
from hauberk.store.audit.note import opened
from hauberk.store.audit.segments import all_lines, checkpoint_notes
from hauberk.store.audit.verify import public_key

MOST = 20_000_000  # leaves, 32 bytes each, are held to build the path


class Proof(msgspec.Struct, frozen=True):
    """`entry` as it stands in the log, the path to `root`, and the checkpoint that signs it."""

    entry: str
    size: int
    root: bytes
    path: tuple[bytes, ...]
    checkpoint: str


def proof_of(folder: str, seq: int, key: str = "") -> Proof:
    """The inclusion proof of entry `seq` under the newest checkpoint. Raises AuditError."""
    notes = checkpoint_notes(folder)
    if not notes:
        raise AuditError(f"{folder}: holds no checkpoint yet")
    checkpoint = opened(notes[-1], *public_key(folder, key), good_signature)
    if seq >= checkpoint.size or checkpoint.size > MOST:
        raise AuditError(f"entry {seq} is not under the newest checkpoint, which covers {checkpoint.size} entries")
    leaves: list[bytes] = []
    text = ""
    for line in all_lines(folder):
        if len(leaves) == checkpoint.size:
            break
        try:
            leaf = decoded(line.data)[1]
        except ValueError as error:
            raise AuditError(f"{folder}/{line.segment}, byte {line.offset}: {error}") from error
        if len(leaves) == seq:
            text = line.data[65:].decode("utf-8", "replace")
        leaves.append(leaf)
    if len(leaves) < checkpoint.size or root_of(leaves) != checkpoint.root:
        raise AuditError(f"{folder}: the entries are not those that the checkpoint signs; run: hauberk audit verify {folder}")
    return Proof(text, checkpoint.size, checkpoint.root, tuple(inclusion_proof(leaves, seq)), notes[-1].decode())
