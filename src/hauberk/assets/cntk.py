"""CNTK: version 2 models (a dictionary in protocol buffers) and the older "BCN" files.

Dictionary: 1 version, 2 data (entries: 1 key, 2 value). DictionaryValue: 1 version, 2 type, 10 string, 13 vector, 14 dictionary,
15 NDArrayView; the types past these are read as bytes.
"""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.graph_text import text_facts
from hauberk.assets.native_names import native_facts
from hauberk.assets.protobuf import LEN, Field, Wire
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_SEARCHED = 64 << 20
_MAX_VALUES = 500_000


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
    seen = 0
    stack: list[tuple[Field | None, int, str]] = [(None, 0, "")]
    while stack:
        message, depth, where = stack.pop()
        seen += 1
        if seen > _MAX_VALUES:
            raise ReadError(GapReason.TOO_LARGE, f"more than {_MAX_VALUES} values")
        for part in wire.fields() if message is None else wire.inside(message, depth):
            if part.wire != LEN or not part.size:
                continue
            if part.number == 2:
                yield from _entry(wire, part, depth + 1, where, stack)
            elif message is not None and part.number in {13, 14, 1}:
                stack.append((part, depth + 1, where))


def _entry(wire: Wire, field: Field, depth: int, where: str, stack: list[tuple[Field | None, int, str]]) -> Iterator[Fact]:
    key = ""
    for part in wire.inside(field, depth):
        if part.number == 1:
            key = wire.text(part, 256)
        elif part.number == 2 and part.wire == LEN:
            yield from _value(wire, part, depth + 1, f"{where}/{key}"[:200], key, stack)


def _value(
    wire: Wire, field: Field, depth: int, where: str, key: str, stack: list[tuple[Field | None, int, str]]
) -> Iterator[Fact]:
    for part in wire.inside(field, depth):
        if part.wire != LEN:
            continue
        if part.number in {10, 11}:
            text = wire.text(part)
            yield from text_facts(text, quote(where, 100), part.start)
            if key in {"op", "type", "module", "class", "deserialize_method"} and text:
                yield Fact(
                    "cntk.name",
                    f"{quote(key, 20)} is {quote(text, 80)}",
                    offset=part.start,
                    where=quote(where, 100),
                    quote=quote(text, 100),
                    attrs={"key": key, "name": text, "module": ""},
                )
        elif part.number in {13, 14}:
            stack.append((part, depth + 1, where))
