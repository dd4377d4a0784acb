"""Text inside a graph (documentation, metadata, string tensors, extensions): is there code in it, plain or encoded?"""

import base64
import binascii
import re
from collections.abc import Iterator

from hauberk.assets.native.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Fact

_CALL = re.compile(
    r"""(?ix)
    (?<![\w.])(?:__import__|eval|exec|execfile|system|popen|passthru|shell_exec|import_module)\(\s*(?:['"]|\w+\s*\()
    | \bos\.(?:system|popen|exec[lv]p?e?|spawn\w{1,4})\b\s*\(
    | \bsubprocess\.(?:run|call|check_call|check_output|Popen|getoutput)\s*\(
    | \b__import__\s*\(\s*['"]
    | \bimportlib\.import_module\s*\(
    | \bRuntime\.getRuntime\(\)\.exec\b | \bjava\.lang\.(?:Runtime|ProcessBuilder)\b
    | \bActiveXObject\s*\( | \bchild_process\b"""
)
_IMPORT = re.compile(
    r"(?m)^\s*(?:import|from)\s+(?:os|sys|subprocess|socket|ctypes|pty|shutil|importlib|pickle)\b(?:\s+import\b|\s*;|\s*$)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_CHECKS = frozenset({"metadata.code", "metadata.payload", "metadata.callback"})  # a graph's strings may be paths and numbers
_MAX_PIECES = 32
_MAX_DECODED = 1 << 16


def text_facts(text: str, where: str, offset: int | None = None) -> Iterator[Fact]:
    """Facts on one piece of text: `metadata.*` of plain code and payloads, `graph.encoded-code` of base64 that hides code."""
    if len(text) < 8:
        return
    found = [fact for fact in metadata_facts(text, where, offset) if fact.check in _CHECKS]
    yield from found
    if not any(fact.check == "metadata.code" for fact in found):
        yield from code_facts(text, where, offset)
    yield from _encoded(text, where, offset)


def code_facts(text: str, where: str, offset: int | None = None) -> Iterator[Fact]:
    """A `metadata.code` fact when `text` holds a call that runs commands or code, or imports what does."""
    hit = _CALL.search(text) or _IMPORT.search(text)
    if hit:
        piece = text[max(0, hit.start() - 20) : hit.end() + 60]
        note = f"{where!r} holds a call that runs code"
        yield Fact("metadata.code", note, offset=offset, where=where, quote=quote(piece), attrs={"language": "call"})


def _encoded(text: str, where: str, offset: int | None) -> Iterator[Fact]:
    for number, piece in enumerate(_BASE64.finditer(text)):
        if number >= _MAX_PIECES:
            return
        encoded = piece.group().rstrip("=")[:_MAX_DECODED]
        encoded = encoded[: len(encoded) // 4 * 4] if len(encoded) % 4 == 1 else encoded + "=" * (-len(encoded) % 4)
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        shown = decoded.decode("utf-8", "replace")
        if "\ufffd" in shown[:200]:
            continue  # numbers or compressed bytes, as a serialised configuration holds them
        hidden = next((fact for fact in metadata_facts(shown, where) if fact.check == "metadata.code"), None) or next(
            code_facts(shown, where), None
        )
        if hidden:
            note = f"{where!r} hides code in base64"
            yield Fact(
                "graph.encoded-code", note, offset=offset, where=where, quote=quote(shown.strip()), attrs={"language": "base64"}
            )
            return


def bytes_facts(head: bytes, size: int, where: str, offset: int) -> Iterator[Fact]:
    """A `graph.payload` fact when bytes that should be numbers begin like a program, a script, an archive or a pickle."""
    kind = payload_kind(head, size)
    if kind:
        note = f"{where}: {size} bytes begin like a {kind}"
        yield Fact("graph.payload", note, offset=offset, where=where, quote=quote(head[:48], 80), attrs={"payload": kind})
