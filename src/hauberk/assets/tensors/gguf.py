"""GGUF, versions 1 to 3 in both byte orders: every field a loader trusts, held against the file it is in.

Templates and other files kept inside the metadata are handed on as members.
"""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_header import Header, TensorRecord, Value, open_header, steps
from hauberk.assets.tensors.gguf_params import params_facts
from hauberk.assets.tensors.gguf_projector import projector_facts
from hauberk.assets.tensors.gguf_tensors import place, tensor_facts
from hauberk.assets.tensors.gguf_types import ARRAY, BYTES, STRING
from hauberk.assets.tensors.gguf_vocab import vocab_facts
from hauberk.assets.tensors.metadata_text import LONGEST, metadata_facts
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_TEMPLATE_KEYS = ("tokenizer.chat_template", "tokenizer.ggml.chat_template")
_TEMPLATE_NAMES = "tokenizer.chat_templates"  # an array of the other templates' names


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """What the header says and what of it cannot be true; chat templates and embedded files as members."""
    content = asset.content
    assert content is not None
    cursor = Cursor(content)
    header = open_header(cursor)
    for item in steps(header, cursor, budget):
        if isinstance(item, Value):
            yield from _pair(asset, content, header, item)
    yield from _alignment(header)
    yield from params_facts(content, header)
    yield from projector_facts(content, header)
    yield from vocab_facts(asset.uri, content, header, budget)
    yield from tensor_facts(content, header, budget)


def tensor_spans(content: Content, budget: Budget) -> list[TensorSpan]:
    """Where each tensor's bytes lie; tensors whose place cannot be true are left out. Raises ReadError."""
    cursor = Cursor(content)
    header = open_header(cursor)
    for _ in steps(header, cursor, budget):
        pass
    spans = (place(header, record) for record in header.tensors)
    return [span for span in spans if span and span.end <= content.size]


def _pair(asset: Asset, content: Content, header: Header, value: Value) -> Iterator[Fact | Asset | Gap]:
    first = header.values[value.key]
    if first is not value:
        note = f"the key {quote(value.key)!r} is there twice; loaders differ in which one they take"
        yield Fact("gguf.key-duplicate", note, offset=value.at, where=quote(value.key), attrs={"template": _is_template(value.key)})
    if any(ord(c) < 32 or ord(c) == 127 for c in value.key):
        yield Fact("gguf.key", "a key with control characters", offset=value.at, where=quote(value.key), quote=quote(value.key))
    if value.type == STRING:
        yield from _string(asset, content, value)
    elif _is_template(value.key) and value.key != _TEMPLATE_NAMES:
        yield Fact("gguf.vocab-type", f"{value.key} is no string", offset=value.at, where=quote(value.key))
    elif value.type == ARRAY and value.element in BYTES and value.count >= 16:
        kind = payload_kind(content.read(value.start, HEAD), value.count)
        if kind:
            note = f"the byte array {value.key!r} begins like a file of its own: {kind}"
            yield Fact("gguf.metadata-payload", note, offset=value.start, where=quote(value.key), attrs={"payload": kind})


def _string(asset: Asset, content: Content, value: Value) -> Iterator[Fact | Asset | Gap]:
    whole = SliceContent(content, value.start, value.end - value.start)
    if _is_template(value.key):
        yield asset.child(value.key, whole, format="jinja")
    elif value.key == "tokenizer.huggingface.json" and whole.size:
        yield asset.child("tokenizer.json", whole)
    else:
        text = content.read(value.start, min(whole.size, LONGEST)).decode("utf-8", "replace")
        yield from metadata_facts(text, quote(value.key), value.start)
        if whole.size > LONGEST:
            yield Gap(asset.uri, GapReason.TOO_LARGE, f"the value of {value.key!r} was looked at only to {LONGEST >> 20} MiB")


def _is_template(key: str) -> bool:
    return key.startswith(_TEMPLATE_KEYS) or key.endswith(".chat_template")


def _alignment(header: Header) -> Iterator[Fact]:
    value = header.values.get("general.alignment")
    if value is None or (value.type == 4 and value.integer == header.alignment):
        return
    note = f"general.alignment is {value.scalar!r} of the type {value.type}; a power of two up to 65,536 as u32 is wanted"
    yield Fact("gguf.alignment", note, offset=value.at, where="general.alignment", quote=quote(str(value.scalar)))


__all__ = ["TensorRecord", "read", "tensor_spans"]
