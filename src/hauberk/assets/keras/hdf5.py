"""HDF5: every object reached from the root, its attributes, and every way its data leaves the file.

Keras' configuration is handed on as a member; no data is read, no link out of the file followed.
"""

from collections.abc import Iterator
from math import prod

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError, Truncated
from hauberk.assets.keras.hdf5_file import Hdf5File, Message
from hauberk.assets.keras.hdf5_group import Link, links_of
from hauberk.assets.keras.hdf5_values import (
    Attribute,
    Storage,
    attributes_of,
    datatype,
    dimensions,
    external_files,
    storage,
    virtual_sources,
)
from hauberk.assets.keras.values import path_kind
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

Item = Fact | Asset | Gap

MAX_OBJECTS = 200_000
_BOMB = 1 << 32  # bytes a dataset may claim before its claim is held against the size of the file
_BOMB_RATIO = 1_000
_CONFIGS = frozenset({"model_config", "training_config", "keras_config", "config"})
_KERAS_ATTRIBUTES = _CONFIGS - {"config"} | {"keras_version", "layer_names", "weight_names", "backend"}
_KERAS_LINKS = frozenset(
    {"_layer_checkpoint_dependencies", "model_weights", "optimizer_weights", "top_level_model_weights", "vars", "layers"}
)


def read(asset: Asset, budget: Budget) -> Iterator[Item]:
    """Facts of an HDF5 file."""
    assert asset.content is not None
    file = Hdf5File(asset.content, budget)
    if file.end != file.undefined and file.end > asset.content.size:
        note = f"the superblock says the file ends at {file.end}, it ends at {asset.content.size}"
        yield Fact("hdf5.end-of-file", note, attrs={"declared": file.end})
        yield Gap(asset.uri, GapReason.TRUNCATED, note, kind=asset.kind)
    yield from _Walk(asset, file).run()


class _Walk:
    """Visits each object once, whatever links lead to it."""

    def __init__(self, asset: Asset, file: Hdf5File) -> None:
        self.asset = asset
        self.file = file
        self.keras = False
        self.leaving: list[tuple[str, str, str, str]] = []

    def run(self) -> Iterator[Item]:
        stack, seen = [("/", self.file.root)], {self.file.root}
        while stack:
            name, address = stack.pop()
            below: list[tuple[str, int]] = []
            yield from self._object(name, address, below)
            for child, target in reversed(below):
                if target not in seen:
                    seen.add(target)
                    stack.append((f"{name.rstrip('/')}/{child}"[:300], target))
            if len(seen) > MAX_OBJECTS:
                yield Gap(self.asset.uri, GapReason.TOO_LARGE, f"more than {MAX_OBJECTS} objects", kind=self.asset.kind)
                break
        yield from self._out()

    def _object(self, name: str, address: int, below: list[tuple[str, int]]) -> Iterator[Item]:
        self.file.budget.check_time()
        found: list[Message] = []
        try:
            for message in self.file.messages(address):
                if message.kind in {0x01, 0x03, 0x07, 0x08}:
                    found.append(message)
                elif message.kind in {0x02, 0x06, 0x11}:
                    for link in links_of(self.file, message):
                        self._link(name, link, below)
                elif message.kind in {0x0C, 0x15}:
                    for attribute in attributes_of(self.file, message):
                        yield from self._attribute(name, attribute)
            yield from self._dataset(name, found)
        except ReadError as error:
            yield from self._broken(name, error)

    def _broken(self, name: str, error: ReadError) -> Iterator[Item]:
        if error.reason is GapReason.TIMEOUT:
            raise error
        if error.check or isinstance(error, Truncated):
            yield Fact(error.check or "hdf5.malformed", error.note, offset=error.offset, where=quote(name), quote=quote(error.note))
        yield Gap(self.asset.uri, error.reason, f"{quote(name, 80)}: {error.note}", kind=self.asset.kind, offset=error.offset)

    def _link(self, name: str, link: Link, below: list[tuple[str, int]]) -> None:
        self.keras |= link.name in _KERAS_LINKS and name == "/"
        where = f"{name.rstrip('/')}/{link.name}"[:300]
        if link.kind == "hard":
            below.append((link.name, link.address))
        elif link.kind == "external":
            self.leaving.append(("external link", where, link.file, link.target))
        elif link.kind != "soft":
            self.leaving.append((link.kind, where, "", ""))

    def _attribute(self, name: str, attribute: Attribute) -> Iterator[Item]:
        self.keras |= attribute.name in _KERAS_ATTRIBUTES
        text = attribute.texts[0] if attribute.texts else ""
        named = attribute.name in _CONFIGS and (attribute.name != "config" or '"class_name"' in text)
        if named and text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}:
            label = attribute.name if name == "/" else f"{name}@{attribute.name}"
            content = BytesContent(text.encode("utf-8", "replace"))
            yield self.asset.child(label, content, format="keras_config")

    def _dataset(self, name: str, found: list[Message]) -> Iterator[Item]:
        messages = {message.kind: message for message in found}
        layout = messages.get(0x08)
        if layout is None or layout.shared:
            return
        place = storage(self.file, layout)
        if 0x07 in messages:
            for source in external_files(self.file, messages[0x07]):
                self.leaving.append(("external storage", name, source, ""))
        elif place.layout == "virtual":
            for source in dict.fromkeys(virtual_sources(self.file, place)):
                if source not in {".", self.asset.name}:
                    self.leaving.append(("virtual dataset", name, source, ""))
        elif place.layout == "contiguous" and place.address != self.file.undefined:
            yield from self._contiguous(name, place)
        yield from self._extent(name, messages)

    def _contiguous(self, name: str, place: Storage) -> Iterator[Item]:
        if place.size and self.file.base + place.address + place.size > self.file.content.size:
            note = f"the data of {quote(name, 80)} reach {place.size} bytes from {place.address}, outside the file"
            yield Fact("hdf5.data-out-of-bounds", note, where=quote(name), quote=quote(name))
            yield Gap(self.asset.uri, GapReason.TRUNCATED, note, kind=self.asset.kind)

    def _extent(self, name: str, messages: dict[int, Message]) -> Iterator[Item]:
        space, kind = messages.get(0x01), messages.get(0x03)
        if space is None or kind is None or space.shared:
            return
        shape = dimensions(self.file, self.file.inner(space.data))
        claimed = prod(shape) * max(1, datatype(self.file, kind).size)
        if claimed >= _BOMB and claimed > _BOMB_RATIO * self.file.content.size:
            note = f"a dataset of {claimed} bytes in a file of {self.file.content.size}"
            yield Fact("hdf5.shape-bomb", note, where=quote(name), quote=quote(f"{name} {shape}"), attrs={"keras": self.keras})

    def _out(self) -> Iterator[Item]:
        """What leaves the file; told last, when it is known whether this is a Keras file."""
        for how, where, source, target in self.leaving:
            attrs: dict[str, Scalar] = {"how": how, "keras": self.keras, "reach": path_kind(source)}
            shown = f"{source}:{target}" if target else source
            note = f"{how} to {quote(shown, 100)}" if shown else f"{how} link"
            yield Fact("hdf5.leaves-file", note, where=quote(where), quote=quote(f"{how} {shown}"), attrs=attrs)
