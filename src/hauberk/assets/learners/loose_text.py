"""Code in the readable stretches of a file whose own structure could not be followed."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import chunks
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Content, Fact

_TEXT = re.compile(rb"[\x20-\x7e\t\n\r]{6,65536}")
# A run of text without any of these holds no call, command or address.
_TELLING = re.compile(rb"[(|<;&`]|://|base64")
LUA = re.compile(
    r"\b(?:os\s*\.\s*(?:execute|remove|rename)|io\s*\.\s*popen|package\s*\.\s*loadlib|ffi\s*\.\s*(?:C\b|load)"
    r"|(?:load|loadstring|loadfile|dofile)\s*\(\s*['\"(\w])[^\n]{0,80}"
)
R = re.compile(
    r"\b(?:(?:base\s*::\s*)?system2?\s*\(|shell(?:\.exec)?\s*\(|eval\s*\(\s*parse\s*\(|source\s*\(\s*['\"]|download\.file\s*\("
    r"|socketConnection\s*\(|dyn\.load\s*\(|pipe\s*\(\s*['\"])[^\n]{0,80}"
)


def loose_facts(content: Content, budget: Budget, language: re.Pattern[str] | None = None) -> Iterator[Fact]:
    """`metadata.*` and, for calls of `language`, `learner.call` facts of every readable stretch."""
    position = 0
    for chunk in chunks(content):
        budget.check_time()
        for found in _TEXT.finditer(chunk):
            if _TELLING.search(found.group()):
                yield from _told(found.group().decode("ascii"), position + found.start(), language)
        position += len(chunk)


def _told(text: str, offset: int, language: re.Pattern[str] | None) -> Iterator[Fact]:
    yield from metadata_facts(text, "text in the file", offset)
    call = language.search(text) if language else None
    if call:
        yield Fact(
            "learner.call",
            "text in the file calls what runs, loads or fetches",
            offset=offset + call.start(),
            quote=quote(call.group()),
        )
