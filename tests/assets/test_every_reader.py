"""Every reader against hostile bytes: nothing but ReadError escapes, memory and time stay within bounds.

Seeds are the rules' own samples, which are small real files; hypothesis cuts, flips, splices and repeats them.
"""

import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.formats import FORMATS
from hauberk.assets.identify import identify
from hauberk.assets.reading import reader_of
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap
from hauberk.rules import load_pack
from hauberk.scan.sample import sample_bytes

LIMITS = Limits(members=200, expanded=8 << 20, text=1 << 20, facts=1000, seconds=5)
MEMORY = 48 << 20  # bytes; what reading a few kilobytes may cost at the most, library tables included
FILES = sorted(name for name in FORMATS if name != "repository")


def _seeds() -> dict[str, list[bytes]]:
    seeds: dict[str, list[bytes]] = {name: [] for name in FORMATS}
    for rule in load_pack().rules:
        for sample in rule.samples:
            if not sample.files:
                data = sample_bytes(sample)
                for name in identify(BytesContent(data), sample.path):
                    if len(data) < 1 << 16 and len(seeds[name]) < 6:
                        seeds[name].append(data)
    return seeds


SEEDS = _seeds()


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds)) if seeds else b"")
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(("flip", "cut", "insert", "huge", "repeat"))):
            case "flip" if data:
                data[min(at, len(data) - 1)] = draw(st.integers(0, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 64))]
            case "insert":
                data[at:at] = draw(st.binary(max_size=16))
            case "huge":
                data[at : at + 8] = draw(st.sampled_from((b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\0" * 7 + b"\x80", b"\0" * 8)))
            case _:
                data[at:at] = data[at : at + 32] * draw(st.integers(1, 8))
    return bytes(data)


def read_all(name: str, data: bytes) -> int:
    """Drains the reader of format `name`; the number of things it yielded."""
    count = 0
    asset = Asset(uri="fuzz", name="fuzz", format=name, kind=FORMATS[name].kind, content=BytesContent(data))
    try:
        for item in reader_of(name)(asset, Budget(LIMITS)):
            assert isinstance(item, Fact | Asset | Gap)
            if isinstance(item, Asset):
                assert item.content is not None
                item.content.read(0, 64)
            count += 1
            if count > 20_000:
                break
    except ReadError:
        count += 1
    return count


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_only_its_own_error_escapes(name: str, data: st.DataObject) -> None:
    material = data.draw(st.one_of(mutated(SEEDS[name]), st.binary(max_size=512)))
    started = time.monotonic()
    read_all(name, material)
    assert time.monotonic() - started < LIMITS.seconds * 4  # the budget's deadline, with room for a busy machine


@pytest.mark.parametrize("name", FILES)
def test_memory_is_bounded(name: str) -> None:
    """Length fields of all ones in every place must not make a reader allocate what they promise."""
    for seed in SEEDS[name][:2] or [b""]:
        read_all(name, seed)  # imports and tables are paid for here
        positions = range(0, min(len(seed), 400), max(1, len(seed) // 40))
        tracemalloc.start()
        for at in positions:
            read_all(name, seed[:at] + b"\xff" * 8 + seed[at + 8 :])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.text(min_size=1, max_size=24), st.binary(max_size=200), max_size=8),
    st.dictionaries(st.text(max_size=20), st.text(max_size=20)),
)
def test_repository_reader(files: dict[str, bytes], links: dict[str, str]) -> None:
    tree = Tree({name: BytesContent(data) for name, data in files.items()}, links)
    asset = Asset(uri="fuzz", name="fuzz", format="repository", kind=FORMATS["repository"].kind, content=tree)
    try:
        for item in reader_of("repository")(asset, Budget(LIMITS)):
            assert isinstance(item, Fact | Asset | Gap)
    except ReadError:
        return


@given(st.binary(max_size=400), st.text(max_size=12))
def test_identify_never_raises(data: bytes, name: str) -> None:
    formats = identify(BytesContent(data), name)
    assert formats
    assert set(formats) <= set(FORMATS)
