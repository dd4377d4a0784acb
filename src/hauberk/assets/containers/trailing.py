"""What lies in a tensor file where no tensor is: padding, gaps, and bytes behind the last tensor."""

from collections.abc import Iterator

from hauberk.assets.content import chunks
from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Content, Fact

_LOOKED_AT = 64 << 20  # bytes behind the tensors that are checked for being zero


def padding_fact(content: Content, start: int, end: int, check: str) -> Iterator[Fact]:
    """A fact when the padding `[start, end)` is not zero throughout."""
    if end <= start:
        return
    data = content.read(start, min(end - start, 1 << 16))
    rest = data.strip(b"\x00")
    if rest:
        yield Fact(check, f"{end - start} bytes of padding are not zero", offset=start, where="padding", quote=quote(rest, 80))


def trailing_facts(content: Content, end: int, prefix: str, *, slack: int = 0) -> Iterator[Fact]:
    """Facts on what follows the last tensor, which ends at `end`; less than `slack` zero bytes are padding."""
    length = content.size - end
    if length <= 0:
        return
    first = _first_other_than_zero(content, end)
    if first is None:
        if length >= max(slack, 1) + (1 << 16):
            yield Fact(f"{prefix}.trailing-zeros", f"{length} zero bytes follow the last tensor", offset=end, where="end")
        elif length >= max(slack, 1) and not slack:
            yield Fact(f"{prefix}.trailing-data", f"{length} zero bytes follow the last tensor", offset=end, where="end")
        return
    head = content.read(end, HEAD)
    kind = payload_kind(head, length)
    if not kind and first > end:
        head = content.read(first, HEAD)
        kind = payload_kind(head, content.size - first)
    check = f"{prefix}.trailing-payload" if kind else f"{prefix}.trailing-data"
    what = f"begin like a {kind}" if kind else "belong to no tensor"
    note = f"the {length} bytes behind the last tensor {what}"
    yield Fact(check, note, offset=end, where="end", quote=quote(head[:48], 80), attrs={"payload": kind, "size": length})


def _first_other_than_zero(content: Content, start: int) -> int | None:
    offset = start
    for chunk in chunks(content, start, _LOOKED_AT):
        rest = chunk.lstrip(b"\x00")
        if rest:
            return offset + len(chunk) - len(rest)
        offset += len(chunk)
    return None
