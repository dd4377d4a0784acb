"""How the tensors of a safetensors file lie in it: neighbours, holes, and what is behind the last."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.trailing import trailing_facts
from hauberk.assets.native.payload_magic import HEAD, PROGRAMS, payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content, Fact

DTYPE_BITS: dict[str, int] = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


def layout_facts(content: Content, tensors: list[TensorSpan], start: int, budget: Budget) -> Iterator[Fact]:
    """Overlaps, holes, payloads at the start of tensors, and bytes behind the last one."""
    expected = start
    for span in sorted(tensors, key=lambda t: (t.start, t.end)):
        budget.tick(256)
        if span.start < expected and span.size:
            yield _fact("tensor-overlap", f"begins {expected - span.start} bytes before its neighbour ends", span)
        elif span.start > expected:
            note = f"{span.start - expected} bytes before this tensor belong to no tensor"
            yield _fact("tensor-hole", note, span)
            kind = payload_kind(content.read(expected, HEAD), span.start - expected)
            if kind:
                yield _fact("hole-payload", f"the bytes between two tensors begin like a {kind}", span, payload=kind)
        kind = payload_kind(content.read(span.start, min(span.size, HEAD)), span.size)
        if kind:
            check = "tensor-payload" if kind in PROGRAMS else "tensor-object"
            yield _fact(check, f"the tensor's bytes begin like a {kind}", span, payload=kind, size=span.size)
        expected = max(expected, span.end)
    yield from trailing_facts(content, expected, "safetensors")


def _fact(check: str, note: str, span: TensorSpan, **attrs: str | int) -> Fact:
    return Fact(f"safetensors.{check}", note, offset=span.start, where=quote(span.name, 80), attrs=dict(attrs))
