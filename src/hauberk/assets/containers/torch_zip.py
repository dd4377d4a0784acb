"""What a zip is to PyTorch: a checkpoint, a TorchScript program, a torch.package, an exported program."""

import re
from collections.abc import Iterator, Mapping

from hauberk.assets.budget import Budget
from hauberk.assets.containers.torch_persistent import StorageUse, read_uses
from hauberk.assets.containers.zip_facts import name_of
from hauberk.assets.containers.zip_layout import Member
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap

_STORAGE = re.compile(
    r"(?:data|constants|xl_model_weights|\.data/[\w.]+)/(?:\d+|weights/weight_\d+|constants/(?:tensor|custom_obj)_\d+)"
)
_PACKAGE_STORAGE = re.compile(r"\.data/\d+\.storage")
_MAX_PICKLE = 64 << 20
_MAX_EXTERN = 1 << 20


class TorchZip:
    """The torch roots of a zip: the folders that hold a `data.pkl`, an `archive_format` or a package's `.data`."""

    def __init__(self, names: Mapping[str, Member], roots: tuple[str, ...]) -> None:
        self._names = names
        self.roots = roots
        self._pickles = {f"{root}data.pkl" for root in roots}
        self._kept: list[tuple[str, Content]] = []

    def is_storage(self, name: str) -> bool:
        """Whether this member holds a tensor's raw numbers."""
        for root in self.roots:
            if name.startswith(root):
                rest = name[len(root) :]
                return bool(_STORAGE.fullmatch(rest) or _PACKAGE_STORAGE.fullmatch(rest))
        return False

    def format_of(self, name: str) -> str:
        """The format of a member that its place tells better than its content: TorchScript source."""
        for root in self.roots:
            if name.startswith(f"{root}code/") and name.endswith(".py"):
                return "torchscript" if f"{root}constants.pkl" in self._names or f"{root}data.pkl" in self._names else ""
        return ""

    def through(self, items: Iterator[Fact | Asset | Gap]) -> Iterator[Fact | Asset | Gap]:
        """The items as they come; those that say something of the whole are kept for `storage_facts`."""
        for item in items:
            if isinstance(item, Asset) and item.content is not None and item.content.size <= _MAX_PICKLE:
                if item.name.endswith(".data/extern_modules"):
                    yield from _extern_facts(item.name, item.content)
                elif item.name in self._pickles:
                    self._kept.append((item.name, item.content))
            yield item

    def facts(self) -> Iterator[Fact]:
        """Facts on the profile as a whole."""
        loadable = [root for root in self.roots if f"{root}data.pkl" in self._names]
        if len({root.lower() for root in loadable}) < len(loadable):
            names = quote(", ".join(loadable), 120)
            yield Fact("torch.case-roots", f"two checkpoints whose folders differ by case only: {names}", quote=names)

    def storage_facts(self, members: list[Member], budget: Budget) -> Iterator[Fact]:
        """Holds what every `data.pkl` that came by claims of its tensors against the storages that are there."""
        sizes = {name_of(m.head): m.head.unpacked for m in members}
        for name, content in self._kept:
            uses = read_uses(content, budget)
            if uses.misused:
                note = f"{uses.misused} tensors are rebuilt from arguments that are no storage, offset, size and stride"
                yield Fact("torch.rebuild-arguments", note, where=quote(name, 80))
            for use in uses.storages:
                yield from _use_facts(use, name.removesuffix("data.pkl"), sizes)


def profile(names: Mapping[str, Member]) -> TorchZip:
    """Finds the torch roots among the names of a zip's members."""
    roots: dict[str, None] = {}
    for name in names:
        for tail in ("data.pkl", "archive_format", ".data/extern_modules", "version"):
            if name.endswith(tail) and (len(name) == len(tail) or name[-len(tail) - 1] == "/"):
                roots[name[: -len(tail)]] = None
    with_data = [root for root in roots if any(f"{root}{tail}" in names for tail in ("data.pkl", "archive_format"))]
    packages = [root for root in roots if f"{root}.data/extern_modules" in names]
    return TorchZip(names, tuple(sorted({*with_data, *packages}, key=len, reverse=True)))


def _extern_facts(name: str, content: Content) -> Iterator[Fact]:
    """Facts on a package's list of modules that it takes from the machine it is loaded on."""
    for line in content.read(0, _MAX_EXTERN).decode("utf-8", "replace").splitlines():
        module = line.strip()
        if module:
            note = f"the package imports {quote(module, 60)} from the machine it is loaded on"
            attrs: dict[str, str | int | float | bool] = {"module": module, "top": module.split(".")[0]}
            yield Fact("torch.package-extern", note, where=quote(name, 80), quote=quote(module), attrs=attrs)


def _use_facts(use: StorageUse, root: str, sizes: Mapping[str, int]) -> Iterator[Fact]:
    name = f"{root}data/{use.key}"
    held = sizes.get(name)
    where = quote(name, 80)
    if held is None:
        if sizes.keys() & {f"{root}data/0", f"{root}version"} and use.numbers:
            yield Fact("torch.storage-absent", "data.pkl names a storage that is not in the zip", where=where, quote=where)
        return
    if use.width and use.numbers * use.width > held:
        note = f"{use.numbers} numbers of {use.width} bytes are declared, {held} bytes are there"
        yield Fact("torch.storage-size", note, where=where, quote=where, attrs={"declared": use.numbers * use.width, "held": held})
    for view in use.views:
        problem = view.problem(use.numbers)
        if problem:
            yield Fact("torch.tensor-bounds", problem, where=where, quote=quote(str(view.stride), 60))
