"""CNTK: version 2 models (a dictionary in protocol buffers) and the older "BCN" files.

Dictionary: 1 version, 2 data (entries: 1 key, 2 value). DictionaryValue: 1 version, 2 type, 10 string, 13 vector, 14 dictionary,
15 NDArrayView; the types past these are read as bytes.
"""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.graphs.graph_text import text_facts
from hauberk.assets.graphs.native_names import native_facts
from hauberk.assets.graphs.protobuf import LEN, Field, Wire
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_SEARCHED = 64 << 20


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a CNTK model. What does not follow the dictionary's layout is searched for libraries and code only."""
    assert asset.content is not None
    content = asset.content
    wire = Wire(content, budget)
    if content.read(0, 6) != b"B\x00C\x00N\x00":
        try:
            yield from _dictionary(wire)
        except ReadError as error:
            note = f"the rest does not follow the dictionary's layout ({error.note}); it was searched for libraries and code only"
            yield Gap(asset.uri, GapReason.UNSUPPORTED, note, offset=error.offset)
    else:
        yield Gap(asset.uri, GapReason.UNSUPPORTED, "a model of CNTK version 1: searched for libraries and code only")
    yield from native_facts(content, budget, "cntk", 0, min(content.size, _SEARCHED), names_only=True)
    if content.size > _SEARCHED:
        yield Gap(asset.uri, GapReason.UNSUPPORTED, f"searched in the first {_SEARCHED >> 20} MiB only", offset=_SEARCHED)


def _dictionary(wire: Wire) -> Iterator[Fact]:
    """Entries of the dictionary and of those inside it, to any depth that the walker allows."""
    stack: list[tuple[Iterator[Field], str]] = [(wire.fields(), "")]
    key = ""
    while stack:
        fields, where = stack[-1]
        part = next(fields, None)
        if part is None:
            stack.pop()
        elif part.wire == LEN and part.size:
            if part.number == 1 and part.size <= 256 and len(stack) > 1:
                key = wire.text(part, 256)  # an entry's key stands before its value
            elif part.number in {10, 11}:
                yield from _text(wire, part, where, key)
            elif part.number in {2, 13, 14}:
                stack.append((wire.inside(part, len(stack)), f"{where}/{key}"[-200:]))


def _text(wire: Wire, field: Field, where: str, key: str) -> Iterator[Fact]:
    text = wire.text(field)
    place = quote(f"{where}/{key}", 100)
    yield from text_facts(text, place, field.start)
    if key in {"op", "type", "module", "class", "deserialize_method"} and text:
        attrs: dict[str, str | int | float | bool] = {"key": key, "name": text, "module": ""}
        yield Fact("cntk.name", f"{key} is {quote(text, 80)}", offset=field.start, where=place, quote=quote(text, 100), attrs=attrs)
