"""Git LFS pointers: a few lines that stand where the weights should be."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed
from hauberk.core import Asset, Fact, Gap, GapReason

_OID = re.compile(rb"^oid (?:sha256:([0-9a-f]{64})|[a-z0-9]+:[0-9a-f]+)\s*$", re.MULTILINE)
_SIZE = re.compile(rb"^size (\d{1,19})\s*$", re.MULTILINE)
LIMIT = 1024  # the specification's own bound


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Says that the weights are not here; bytes after the pointer are a fact."""
    del budget
    assert asset.content is not None
    head = asset.content.read(0, LIMIT + 1)
    oid, size = _OID.search(head), _SIZE.search(head)
    if oid is None or size is None:
        raise Malformed("begins like a Git LFS pointer and is none")
    named = f"sha256:{oid[1].decode()}" if oid[1] else "another hash"
    yield Gap(asset.uri, GapReason.ABSENT, f"a Git LFS pointer: the {int(size[1])} bytes it stands for are not here ({named})")
    if asset.content.size > LIMIT:
        note = f"{asset.content.size} bytes in what begins like a Git LFS pointer"
        yield Fact("lfs.oversized", note, quote=note)
