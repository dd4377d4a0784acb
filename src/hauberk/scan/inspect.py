"""Inspects one asset and everything inside it: identify, read, detect, recurse."""

from collections.abc import Iterable, Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.formats import FORMATS
from hauberk.assets.identify import identify
from hauberk.assets.native import mismatch
from hauberk.assets.reading import reader_of
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Finding, Gap, GapReason, Kind
from hauberk.detect import Bench

Item = Finding | Gap


class Inspection:
    """The inspection of one top-level asset. Iterate `run`; afterwards `format` and `kind` say what it was."""

    def __init__(self, bench: Bench, budget: Budget, formats: tuple[str, ...] = ()) -> None:
        """`formats` are those of the top-level asset when they are already known."""
        self.bench = bench
        self.budget = budget
        self._known = formats
        self.format = ""
        self.kind = ""

    def run(self, asset: Asset) -> Iterator[Item]:
        """Every finding and gap of `asset` and its members, each with its `root` set.

        What a directory says of one of its files counts against that file.
        """
        for item in self._inspect(asset, 0):
            yield msgspec.structs.replace(item, root=_root_of(item, asset))

    def _inspect(self, asset: Asset, depth: int) -> Iterator[Item]:
        known = self._known if depth == 0 else ()
        formats = (asset.format,) if asset.format else known or self._identify(asset)
        for number, name in enumerate(formats):
            seen = msgspec.structs.replace(asset, format=name, kind=FORMATS[name].kind)
            if depth == 0 and number == 0:
                self.format, self.kind = name, seen.kind
            promised = mismatch.check(seen, formats) if number == 0 else ()
            yield from self._read(seen, depth, promised)

    def _identify(self, asset: Asset) -> tuple[str, ...]:
        assert asset.content is not None
        return identify(asset.content, asset.name)

    def _read(self, asset: Asset, depth: int, promised: Iterable[Fact]) -> Iterator[Item]:
        facts: list[Fact] = list(promised)
        try:
            for item in reader_of(asset.format)(asset, self.budget):
                if isinstance(item, Asset):
                    yield from self._member(item, depth + 1)
                elif isinstance(item, Gap):
                    yield _placed(item, asset)
                elif len(facts) < self.budget.limits.facts:
                    facts.append(item)
                else:
                    raise ReadError(GapReason.TOO_LARGE, f"more than {self.budget.limits.facts} facts")
        except ReadError as error:
            if error.check:
                facts.append(Fact(error.check, error.note, offset=error.offset))
            yield Gap(asset.uri, error.reason, error.note, kind=asset.kind, offset=error.offset)
        except (RecursionError, MemoryError, OSError) as error:
            reason = GapReason.UNREADABLE if isinstance(error, OSError) else GapReason.TOO_DEEP
            yield Gap(asset.uri, reason, f"reading stopped: {type(error).__name__}", kind=asset.kind)
        for seen in _attributed(asset, facts):
            yield from (_placed(item, seen) for item in self.bench.inspect(seen))

    def _member(self, member: Asset, depth: int) -> Iterator[Item]:
        if depth > self.budget.limits.depth:
            yield Gap(member.uri, GapReason.TOO_DEEP, f"more than {self.budget.limits.depth} containers deep")
            return
        self.budget.spend_member()
        self.budget.check_time()
        yield from self._inspect(member, depth)


def _root_of(item: Item, asset: Asset) -> str:
    tree = asset.content
    about = item.asset.removeprefix(f"{asset.uri}/")
    return item.asset if isinstance(tree, Tree) and about in tree.files else asset.uri


def _attributed(asset: Asset, facts: list[Fact]) -> Iterator[Asset]:
    """`asset` with its facts; a directory's facts about one of its files (attribute `path`) go to that file."""
    if asset.kind != Kind.REPOSITORY:
        yield msgspec.structs.replace(asset, facts=tuple(facts))
        return
    by_path: dict[str, list[Fact]] = {"": []}
    for fact in facts:
        by_path.setdefault(str(fact.attrs.get("path", "")), []).append(fact)
    for path, group in by_path.items():
        uri = f"{asset.uri}/{path}" if path else asset.uri
        yield msgspec.structs.replace(asset, uri=uri, facts=tuple(group))


def _placed(item: Item, asset: Asset) -> Item:
    return item if item.kind else msgspec.structs.replace(item, kind=asset.kind)
