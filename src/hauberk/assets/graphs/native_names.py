"""Looks through bytes of a format that is not public for what could run: native libraries, their paths, code in text."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import chunks
from hauberk.assets.graphs.graph_text import code_facts
from hauberk.assets.native.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Content, Fact

_PROGRAM = re.compile(rb"\x7fELF[\x01\x02][\x01\x02]\x01|MZ\x90\x00|\xcf\xfa\xed\xfe[\x07\x0c]\x00\x00\x01", re.DOTALL)
_SUFFIX = re.compile(rb"(?i)\.(?:so(?:\.\d+){0,3}|dll|dylib|pyd)(?![\w.])")
_PATH_BACKWARDS = re.compile(rb"[\w./\\ :+-]*")
_LONGEST = 200
_TEXT = re.compile(rb"[\x20-\x7e\t\n]{12,4096}")
_STEP = 1 << 20
_OVERLAP = 4096


def native_facts(
    content: Content, budget: Budget, prefix: str, start: int = 0, end: int | None = None, *, names_only: bool = False
) -> Iterator[Fact]:
    """Facts `<prefix>.library` (a path), `<prefix>.embedded-program` and `metadata.code`, at most a few of each."""
    stop = content.size if end is None else end
    seen: set[bytes] = set()
    carry = b""
    offset = start
    for chunk in chunks(content, start, stop - start, _STEP):
        budget.check_time()
        data = carry + chunk
        base = offset - len(carry)
        for hit in _SUFFIX.finditer(data):
            name = _path(data, hit.start(), hit.end())
            if len(name) > hit.end() - hit.start() and name not in seen and len(seen) < 64:
                seen.add(name)
                yield Fact(
                    f"{prefix}.library",
                    f"names the native library {quote(name, 80)}",
                    offset=base + hit.start(),
                    where="text",
                    quote=quote(name),
                )
        if not names_only:
            yield from _programs(data, base, stop, prefix, seen)
        for hit in _TEXT.finditer(data):
            for fact in code_facts(hit.group().decode("ascii"), "text", base + hit.start()):
                if fact.quote.encode() not in seen and len(seen) < 64:
                    seen.add(fact.quote.encode())
                    yield fact
        offset += len(chunk)
        carry = data[-_OVERLAP:]


def _path(data: bytes, dot: int, end: int) -> bytes:
    """The path that ends in the suffix `data[dot:end]`, read backwards as far as it looks like one."""
    before = _PATH_BACKWARDS.match(data[max(0, dot - _LONGEST) : dot][::-1])
    assert before is not None  # the pattern matches nothing too
    return before.group()[::-1].lstrip() + data[dot:end]


def _programs(data: bytes, base: int, end: int, prefix: str, seen: set[bytes]) -> Iterator[Fact]:
    for hit in _PROGRAM.finditer(data):
        at = base + hit.start()
        key = b"@%d" % at
        kind = payload_kind(data[hit.start() : hit.start() + 512], end - at)
        if kind and key not in seen and len(seen) < 64:
            seen.add(key)
            note = f"a native program ({kind}) lies inside"
            yield Fact(f"{prefix}.embedded-program", note, offset=at, where="bytes", quote=kind, attrs={"payload": kind})
