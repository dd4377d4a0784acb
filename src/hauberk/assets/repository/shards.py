"""An index of shards against the shards: named and absent, present and not named, and what they hold."""

import json
import posixpath
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import Mapping, listing, mapping
from hauberk.assets.quoting import quote
from hauberk.assets.repository.json import beside, leaves, load_mapping
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_INDEX = re.compile(r"\.(?:safetensors|bin|msgpack|pt|h5)\.index(?:\.[\w-]+)?\.json$|(?:^|/)[\w.-]*index\.json$")
_SHARD = re.compile(r"^(?P<stem>.+)-(?P<number>\d{4,6})-of-(?P<total>\d{4,6})\.(?P<ending>[\w.]+)$")
MAX_HEADER = 100 << 20
MAX_TOLD = 20


def shards(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact | Gap]:
    """Every index of the directory held against its shards."""
    named: set[str] = set()
    indexed: set[str] = set()
    for name in tree.files:
        if not _INDEX.search(name):
            continue
        index = load_mapping(tree, name, budget)
        weights = mapping(index.get("weight_map")) if index else None
        if index is None or weights is None:
            continue
        yield from _entries(asset, tree, name, weights)
        files = {beside(name, one) for one in weights.values() if isinstance(one, str) and not leaves(one)}
        named |= files
        indexed.add(_stem_of_index(name))
        if name.endswith("safetensors.index.json"):
            yield from _headers(tree, name, index, weights, budget)
    yield from _strays(tree, named, indexed)
    yield from _missing_numbers(asset, tree)


def _stem_of_index(name: str) -> str:
    base = posixpath.basename(name)
    return posixpath.join(posixpath.dirname(name), base.split(".", 1)[0])


def _entries(asset: Asset, tree: Tree, name: str, weights: Mapping) -> Iterator[Fact | Gap]:
    for shard in dict.fromkeys(weights.values()) if all(isinstance(one, str) for one in weights.values()) else ():
        assert isinstance(shard, str)
        if leaves(shard):
            continue  # the index's own reader says so
        if beside(name, shard) not in tree.files and beside(name, shard) not in tree.links:
            yield Gap(f"{asset.uri}/{name}", GapReason.ABSENT, f"the index names {quote(shard, 80)}, which is not here")
    if not all(isinstance(one, str) for one in weights.values()):
        yield Fact("repository.index-odd", "the index names something that is no file", where=name, attrs={"path": name})


def _strays(tree: Tree, named: set[str], indexed: set[str]) -> Iterator[Fact]:
    """Shards by their name that no index lists, where there is an index for their kind."""
    if not named:
        return
    told = 0
    for name in tree.files:
        match = _SHARD.match(posixpath.basename(name))
        stem = posixpath.join(posixpath.dirname(name), match["stem"]) if match else ""
        if match and name not in named and stem in indexed and told < MAX_TOLD:
            told += 1
            note = f"{quote(name, 80)} looks like a shard and no index names it"
            yield Fact("repository.shard-not-indexed", note, where=name, quote=quote(name), attrs={"path": name})


def _missing_numbers(asset: Asset, tree: Tree) -> Iterator[Gap]:
    """Numbered shards of which some are absent, index or not."""
    series: dict[tuple[str, int, str], set[int]] = {}
    for name in tree.files:
        match = _SHARD.match(name)
        if match:
            key = match["stem"], int(match["total"]), match["ending"]
            series.setdefault(key, set()).add(int(match["number"]))
    for (stem, total, ending), numbers in list(series.items())[:MAX_TOLD]:
        if ending in {"safetensors", "bin", "gguf"} and len(numbers) < total and max(numbers) <= total and len(numbers) < 100_000:
            note = f"{len(numbers)} of {total} shards of {quote(stem, 60)} are here"
            yield Gap(asset.uri, GapReason.ABSENT, note)


def _headers(tree: Tree, name: str, index: Mapping, weights: Mapping, budget: Budget) -> Iterator[Fact]:
    """What the index says of tensors against the shards' own headers."""
    by_shard: dict[str, set[str]] = {}
    for tensor, shard in weights.items():
        if isinstance(shard, str):
            by_shard.setdefault(shard, set()).add(tensor)
    total = 0
    complete = True
    for shard, wanted in by_shard.items():
        content = tree.files.get(beside(name, shard)) if not leaves(shard) else None
        held = _tensors(content) if content is not None else None
        budget.check_time()
        if held is None:
            complete = False
            continue
        total += sum(held.values())
        yield from _compared(name, shard, wanted, set(held), weights)
    said = (mapping(index.get("metadata")) or {}).get("total_size")
    if complete and type(said) is int and said != total and (said > 2 * total or said < 0 or total > 2 * said):
        note = f"the index says {said} bytes, the shards hold {total}"
        yield Fact("repository.index-size", note, where=name, quote=quote(str(said)), attrs={"path": name})


def _compared(name: str, shard: str, wanted: set[str], names: set[str], weights: Mapping) -> Iterator[Fact]:
    path = beside(name, shard)
    for tensor in sorted(names - wanted)[:MAX_TOLD]:
        elsewhere = tensor in weights
        which = "which the index takes elsewhere" if elsewhere else "which no index names"
        note = f"{quote(shard, 60)} holds {quote(tensor, 60)}, {which}"
        check = "repository.tensor-elsewhere" if elsewhere else "repository.tensor-not-indexed"
        yield Fact(check, note, where=tensor, quote=quote(tensor), attrs={"path": path})
    for tensor in sorted(wanted - names)[:MAX_TOLD]:
        note = f"the index looks for {quote(tensor, 60)} in {quote(shard, 60)}, which does not hold it"
        yield Fact("repository.tensor-absent", note, where=tensor, quote=quote(tensor), attrs={"path": name})


def _tensors(content: Content) -> dict[str, int] | None:
    """Tensor names and sizes of a safetensors file; None when its header does not parse, which its own reader reports."""
    length = int.from_bytes(content.read(0, 8), "little")
    if not 2 <= length <= min(MAX_HEADER, content.size - 8):
        return None
    try:
        header = mapping(json.loads(content.read(8, length)))
    except (ValueError, RecursionError):
        return None
    sizes: dict[str, int] = {}
    for tensor, row in (header or {}).items():
        offsets = listing((mapping(row) or {}).get("data_offsets")) or []
        if tensor != "__metadata__" and len(offsets) == 2:
            first, last = offsets
            sizes[tensor] = last - first if isinstance(first, int) and isinstance(last, int) else 0
    return sizes
