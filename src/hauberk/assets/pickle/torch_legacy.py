"""PyTorch's legacy format: five pickles one behind the other, then the raw storages that the fifth names, in its order."""

from collections.abc import Iterator
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.assets.pickle.opcodes import Machine
from hauberk.assets.pickle.stream import follow
from hauberk.assets.pickle.values import Items, Ref, Value
from hauberk.core import Asset, Fact, Gap, GapReason

STREAMS: Final = ("magic number", "protocol version", "system information", "object", "storage keys")
_ITEM: Final = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1,
    "ComplexFloat": 8, "ComplexDouble": 16, "QInt8": 1, "QUInt8": 1, "QInt32": 4, "QUInt4x2": 1, "QUInt2x4": 1, "Untyped": 1,
}  # fmt: skip


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Follows the five streams, then checks the storages against the bytes that are there."""
    machine = Machine(asset, budget)
    start = 0
    storages: list[tuple[Value, ...]] = []
    for name in STREAMS:
        machine.begin(start)
        end = yield from follow(machine)
        if end is None:
            yield Gap(
                asset.uri, GapReason.MALFORMED, f"the stream of the {name} breaks; what follows it was not read", offset=start
            )
            return
        storages = storages or machine.storages
        start = end
    yield from _storages(asset, storages, machine.result, start)


def _storages(asset: Asset, storages: list[tuple[Value, ...]], keys: Value, start: int) -> Iterator[Fact | Asset | Gap]:
    """Each storage is its count of items (8 bytes) and the items."""
    assert asset.content is not None
    sizes = {storage[2]: _ITEM.get(_type_name(storage[1]), 0) for storage in storages if isinstance(storage[2], str)}
    if isinstance(keys, Items) and len(keys.items) != len(sizes):
        note = f"{len(sizes)} storages are used, the list of keys names {len(keys.items)}"
        if len(keys.items) < 64:  # longer lists are not kept whole
            yield Fact("torch.storage-keys", note, offset=start)
    cursor = Cursor(asset.content, start)
    for key in keys.items if isinstance(keys, Items) else []:
        if cursor.remaining == 0:
            break
        count = cursor.uint(8)
        size = sizes.get(key, 0) if isinstance(key, str) else 0
        if size == 0:
            yield Gap(
                asset.uri, GapReason.UNDECIDED, "a storage of a type that is not known: the rest was not read", offset=cursor.offset
            )
            return
        if count * size > cursor.remaining:
            note = f"storage {key} claims {count} items of {size} bytes, {cursor.remaining} bytes are left"
            raise Malformed(note, offset=cursor.offset, check="torch.storage-bounds")
        cursor.skip(count * size)
    if cursor.remaining and isinstance(keys, Items) and len(keys.items) < 64:
        yield Fact("pickle.trailing-data", f"{cursor.remaining} bytes follow the last storage", offset=cursor.offset)
        yield asset.child(f"behind@{cursor.offset}", SliceContent(asset.content, cursor.offset, cursor.remaining))


def _type_name(value: Value) -> str:
    return value.name.removesuffix("Storage") if isinstance(value, Ref) else ""
