"""An archive's members read as one directory: a model repository in a zip or tar is still a model repository."""

from collections.abc import Iterator

from hauberk.assets.content import BytesContent, SliceContent
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Content, Fact, Gap, GapReason, Kind

# A file of one of these names means that the folder around it is read as a whole by somebody.
_TELLING = {
    "requirements.txt", "setup.py", "pyproject.toml", "tokenizer_config.json", "modules.json", "model_index.json",
    "adapter_config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json", "MANIFEST.json",
}  # fmt: skip
_MAX_KEPT = 32 << 20  # bytes of decompressed members kept for it
_MAX_FILES = 5_000


class Gathering:
    """Passes a reader's items on, keeps the members, and ends with the directory they make."""

    def __init__(self, asset: Asset) -> None:
        self._asset = asset
        self._files: dict[str, Content] = {}
        self._kept = 0
        self._whole = True
        self._telling = False

    def through(self, items: Iterator[Fact | Asset | Gap]) -> Iterator[Fact | Asset | Gap]:
        """The items as they come, then the directory as one more member when its names say that it is one."""
        for item in items:
            if isinstance(item, Asset) and item.content is not None:
                self._keep(item.name, item.content)
            yield item
        names = {name.rsplit("/", 1)[-1] for name in self._files}
        telling = self._telling or ("config.json" in names and "metadata.json" not in names)
        if not telling:
            return
        if self._whole:
            yield self._asset.child("(as a directory)", Tree(_without_root(self._files)), kind=Kind.REPOSITORY, format="repository")
        else:
            yield Gap(self._asset.uri, GapReason.UNSUPPORTED, "too large to be read as one model repository as well")

    def _keep(self, name: str, content: Content) -> None:
        self._telling = self._telling or name.rsplit("/", 1)[-1] in _TELLING
        self._kept += 0 if isinstance(content, SliceContent) else content.size
        self._whole = self._whole and self._kept <= _MAX_KEPT and len(self._files) < _MAX_FILES
        if self._whole and isinstance(content, SliceContent | BytesContent):
            self._files.setdefault(name.lstrip("./"), content)


def _without_root(files: dict[str, Content]) -> dict[str, Content]:
    """`files` without the one folder that all of them lie in."""
    roots = {name.partition("/")[0] for name in files}
    if len(roots) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: content for name, content in files.items()}
