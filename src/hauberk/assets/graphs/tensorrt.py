"""TensorRT engines. The format is not public: the header is checked and the bytes are searched for native programs."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.native_names import native_facts
from hauberk.core import Asset, Fact, Gap, GapReason

_SEARCHED = 256 << 20


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on an engine, and a Gap: its layers and kernels are compiled code for a GPU that nobody outside reads."""
    assert asset.content is not None
    content = asset.content
    if content.size < 24:
        raise Malformed(f"an engine of {content.size} bytes, less than its header", check="tensorrt.malformed")
    yield from native_facts(content, budget, "tensorrt", 0, min(content.size, _SEARCHED))
    note = (
        "a TensorRT engine is compiled GPU code in a format that is not public; it was searched for native libraries and code only"
    )
    yield Gap(asset.uri, GapReason.UNSUPPORTED, note)
    if content.size > _SEARCHED:
        yield Gap(asset.uri, GapReason.UNSUPPORTED, f"searched in the first {_SEARCHED >> 20} MiB only", offset=_SEARCHED)
