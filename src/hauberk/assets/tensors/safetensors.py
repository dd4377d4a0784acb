"""safetensors: a length, a JSON header, and bytes. What the header claims is held against the file."""

import json
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent, SliceContent
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import LONGEST, looks_like_template, metadata_facts
from hauberk.assets.tensors.safetensors_layout import DTYPE_BITS, layout_facts
from hauberk.assets.tensors.tensor_name import name_problem
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Asset, Content, Fact, Gap, GapReason

LONGEST_HEADER = 100_000_000  # what the reference implementation takes
_PARSED = 64 << 20
_METADATA = "__metadata__"
_OBJECTS = frozenset({"pickle", "gzip", "xz", "npy"})  # handed on to be read; a zip is found from the file's end anyway


class Header(msgspec.Struct):
    """A safetensors header: tensors whose entry makes sense, the metadata, where the data begins, and what is wrong."""

    tensors: list[TensorSpan]
    metadata: dict[str, str]
    data_start: int
    facts: list[Fact]


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """What of the header cannot be true, what the metadata carries, and what lies around and inside the tensors."""
    content = asset.content
    assert content is not None
    header = read_header(content)
    yield from header.facts
    for key, value in header.metadata.items():
        budget.tick(64)
        where = f"{_METADATA}.{quote(key, 60)}"
        yield from metadata_facts(key, where)
        yield from metadata_facts(value, where)
        if len(value) > LONGEST:
            yield Gap(asset.uri, GapReason.TOO_LARGE, f"{where} was looked at only to {LONGEST >> 20} MiB")
        if looks_like_template(value):
            yield asset.child(where, BytesContent(value.encode("utf-8", "surrogatepass")), format="jinja")
    for fact in layout_facts(content, header.tensors, header.data_start, budget):
        yield fact
        if fact.attrs.get("payload") in _OBJECTS and fact.offset is not None:
            inside = SliceContent(content, fact.offset, int(fact.attrs.get("size", content.size)))
            yield asset.child(f"{fact.where}.{fact.attrs['payload']}", inside)


def read_header(content: Content) -> Header:
    """The header of a safetensors file. Raises Malformed or Truncated, naming the check."""
    if content.size < 8:
        raise Truncated("shorter than the header's length field", offset=0, check="safetensors.header-length")
    length = int.from_bytes(content.read(0, 8), "little")
    if length > content.size - 8:
        note = f"the header claims {length} bytes, {content.size - 8} follow"
        raise Malformed(note, offset=0, check="safetensors.header-length")
    if length > LONGEST_HEADER or length < 2:
        raise Malformed(f"a header of {length} bytes", offset=0, check="safetensors.header-length")
    if length > _PARSED:
        raise ReadError(GapReason.TOO_LARGE, f"a header of {length} bytes is not parsed", offset=0)
    return _parse(content.read(8, length), content.size)


def tensor_spans(content: Content) -> list[TensorSpan]:
    """Where each tensor's bytes lie; entries that cannot be true are left out. Raises ReadError."""
    return read_header(content).tensors


def _parse(raw: bytes, size: int) -> Header:
    facts: list[Fact] = []
    if raw[:1] != b"{":
        facts.append(Fact("safetensors.header-json", "the header does not begin with a brace", offset=8, quote=quote(raw[:40])))
    padding = raw[raw.rfind(b"}") + 1 :] if b"}" in raw else b""
    if padding.strip(b" "):
        note = "the header is padded with something other than spaces"
        facts.append(Fact("safetensors.header-json", note, offset=8 + len(raw) - len(padding), quote=quote(padding[:40])))
        raw = raw[: len(raw) - len(padding)]
    repeated: list[str] = []
    decoded = _decode(raw, repeated)
    facts.extend(
        Fact("safetensors.header-duplicate", f"the key {quote(key, 80)!r} is there twice", offset=8, where=quote(key, 80))
        for key in repeated[:100]
    )
    if not isinstance(decoded, dict):
        raise Malformed("the header is no JSON object", offset=8, check="safetensors.header-json")
    entries = cast("dict[str, Any]", decoded)
    metadata = _metadata(entries.pop(_METADATA, {}), facts)
    start = 8 + len(raw) + len(padding) if padding.strip(b" ") else 8 + len(raw)
    tensors = [span for name, entry in entries.items() if (span := _entry(name, entry, start, size, facts))]
    return Header(tensors, metadata, start, facts)


def _decode(raw: bytes, repeated: list[str]) -> object:
    def keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            repeated.extend(key for key, _ in pairs if key in seen or seen.add(key))
        return made

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=keep, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise Malformed("the header is not UTF-8", offset=8 + error.start, check="safetensors.header-json") from None
    except RecursionError:
        raise Malformed("the header is nested too deeply", offset=8, check="safetensors.header-depth") from None
    except ValueError as error:
        note = f"the header is no JSON: {quote(str(error), 80)}"
        raise Malformed(note, offset=8, check="safetensors.header-json") from None


def _refuse(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _metadata(found: object, facts: list[Fact]) -> dict[str, str]:
    if not isinstance(found, dict):
        facts.append(Fact("safetensors.metadata-type", "the metadata is no object", offset=8, where=_METADATA))
        return {}
    entries = cast("dict[str, Any]", found)
    for key, value in entries.items():
        if not isinstance(value, str):
            note = f"the metadata value {quote(key, 60)!r} is no string"
            facts.append(Fact("safetensors.metadata-type", note, offset=8, where=f"{_METADATA}.{quote(key, 60)}"))
    return {key: value if isinstance(value, str) else json.dumps(value)[: 1 << 20] for key, value in entries.items()}


def _entry(name: str, entry: object, start: int, size: int, facts: list[Fact]) -> TensorSpan | None:
    """The tensor an entry describes; None, and a fact, when it cannot be one."""

    def wrong(check: str, note: str, **attrs: str) -> None:
        facts.append(Fact(f"safetensors.{check}", note, offset=8, where=quote(name, 80), attrs=dict(attrs)))

    if any("\ud800" <= c <= "\udfff" for c in name):  # half a character: no name that could be written down again
        wrong("tensor-name", "the tensor's name holds half a character", problem="control")
        return None
    problem = "empty" if not name else name_problem(name)
    if problem:
        wrong("tensor-name", f"the tensor's name {quote(name, 80)!r} is no plain name", problem=problem)
    fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), _naturals(fields.get("shape")), _naturals(fields.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        wrong("tensor-entry", "dtype, shape or data_offsets is missing, negative or of the wrong type")
        return None
    extra = sorted(fields.keys() - {"dtype", "shape", "data_offsets"})
    if extra:
        wrong("entry-extra", f"the entry holds {quote(extra[0], 40)!r}, which no reader of the format knows")
    first, last = offsets
    if last < first or start + last > size:
        wrong("tensor-bounds", f"the offsets [{first}, {last}] do not lie in the {size - start} bytes of data")
        return None
    if dtype not in DTYPE_BITS:
        wrong("dtype", f"the dtype {quote(dtype, 40)!r} was never published")
    else:
        elements = 1
        for dim in shape:
            elements *= dim
            if elements >= 1 << 64 and 0 not in shape:
                wrong("shape", f"the shape {quote(str(shape), 60)} makes more elements than 64 bits can count")
                return None
        if elements * DTYPE_BITS[dtype] != (last - first) * 8:
            wrong("tensor-size", f"{elements} elements of {dtype} do not make {last - first} bytes")
    return TensorSpan(name, dtype, tuple(shape), start + first, start + last)


def _naturals(value: object) -> list[int] | None:
    """`value` when it is a list of non-negative integers and nothing else (true and 1.0 are none)."""
    if not isinstance(value, list):
        return None
    items = cast("list[Any]", value)
    return items if all(type(n) is int and n >= 0 for n in items) else None
