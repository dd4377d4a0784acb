"""RKNN models: a header, the model's data, and a description in JSON behind it.

Header: "RKNN", 4 zero bytes, u64 version, u64 length of the data; then the data, u64 length of the JSON, the JSON.
"""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.errors import Truncated
from hauberk.assets.graphs.native_names import native_facts
from hauberk.core import Asset, Fact, Gap, GapReason

_SEARCHED = 64 << 20
# Bytes between the header and the data, by version.
_SKIP = {1: 0, 2: 40, 3: 40, 4: 40, 5: 40, 6: 40}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on the bytes, the JSON description as a member, and a Gap for the compiled data."""
    assert asset.content is not None
    content = asset.content
    if content.size < 24:
        raise Truncated(f"{content.size} bytes, less than the header")
    description = _description(asset)
    if description is not None:
        yield description
    yield from native_facts(content, budget, "rknn", 0, min(content.size, _SEARCHED))
    known = "its description was read, " if description is not None else "its layout is not one that is known, "
    yield Gap(
        asset.uri, GapReason.UNSUPPORTED, f"compiled code for an NPU: {known}the rest was searched for libraries and code only"
    )


def _description(asset: Asset) -> Asset | None:
    """The JSON behind the data, if the lengths lead there."""
    assert asset.content is not None
    content = asset.content
    header = content.read(0, 24)
    version, length = int.from_bytes(header[8:16], "little") & 0xFF, int.from_bytes(header[16:24], "little")
    if header[4:8] != b"\x00" * 4:
        return None
    for skip in (_SKIP.get(version, 0), 0):
        at = 24 + skip + length
        if at + 8 >= content.size:
            continue
        size = int.from_bytes(content.read(at, 8), "little")
        if 2 <= size <= content.size - at - 8 and content.read(at + 8, 1) == b"{":
            return asset.child("description.json", SliceContent(content, at + 8, size))
    return None
