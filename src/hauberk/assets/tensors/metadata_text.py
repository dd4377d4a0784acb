"""Looks at free text in a tensor file's metadata: names, descriptions, training notes, whatever an author put there.

Loaders show this text, log it, put it into a page or a prompt. What has no business in it is code to be run.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from hauberk.assets.native.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Fact

LONGEST = 16 << 20  # characters looked at of one value; what is longer the readers report as a gap
_SHORT = 4096  # up to here Python's own expressions are quicker; RE2, whose time is linear, takes the rest

# Each says what makes the text more than prose: a call with its argument, a tag that runs, a look-up that fetches.
_MARKS: dict[str, tuple[str, ...]] = {
    "python": (
        r"\b(?:exec|eval|compile|__import__)\s*\(\s*(?:base64|zlib|bytes|codecs|__import__|open|requests|urllib|compile|['\"])",
        r"\bos\s*\.\s*(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?)\s*\(",
        r"\bsubprocess\s*\.\s*(?:call|run|Popen|check_output|check_call|getoutput)\s*\(",
        r"\b(?:pickle|marshal|dill|cloudpickle)\s*\.\s*loads\s*\(",
        r"\bbuiltins\s*\.\s*(?:exec|eval)\b",
        r"\b(?:ctypes\.CDLL|importlib\.import_module|socket\.socket|pty\.spawn)\s*\(",
    ),
    "javascript": (
        r"\beval\s*\(\s*atob\b",
        r"\brequire\s*\(\s*['\"]child_process",
        r"\bString\.fromCharCode\s*\(",
    ),
    "shell": (
        r"(?i)\b(?:curl|wget)\b[^\n|;&]{0,200}[|;&]\s*(?:sudo\s+)?(?:ba|z|da)?sh\b",
        r"(?i)\b(?:ba|z|da)?sh\s+-c\s+['\"(]",
        r"(?i)(?:^|[;&|`$(]\s*)rm\s+-[a-z]{0,12}[rf][a-z]{0,12}\s+[/~*.$]",
        r"(?i)(?:&&|;|\|)\s*(?:curl|wget|nc|ncat|bash|powershell)\s+\S",
        r"(?i)/dev/tcp/[\w.]+/\d+",
        r"(?i)\bnc\s+(?:-\w+\s+){0,8}-e\b",
        r"(?i)\bInvoke-Expression\b|\bDownloadString\s*\(|\bcertutil\b.{0,40}-urlcache|\bmshta\s+https?:",
        r"(?i)\bpowershell(?:\.exe)?\s+-(?:e|enc|encodedcommand|nop|w|c|command)\b",
        r"(?i)\$\((?:curl|wget|id|whoami|cat|bash)\b",
        r"(?i)\bchmod\s+(?:\+x|[0-7]{3,4})\s+\S+\s*(?:&&|;)",
    ),
    "markup": (
        r"(?i)<script\b[^>]{0,300}>|<iframe\b[^>]{0,300}\bsrc|<object\b[^>]{0,300}\bdata\s*=",
        r"(?i)<(?:img|svg|body|video|audio|input|details|a|div|marquee)\b[^>]{0,300}\bon[a-z]{3,20}\s*=",
        r"(?i)\b(?:javascript|vbscript)\s*:\s*[\w(]|\bdata:text/html",
    ),
    "lookup": (r"(?i)\$\{(?:jndi:|[a-z:]{0,8}\$\{[^${}]{0,40}\}[^}]{0,40}:)[^}]{0,200}",),
}
_ACTION = re.compile(r"(?i)(?:^|[._-])(?:callback|webhook|hook|beacon|exfil\w*|payload|phone_?home|c2)(?:[._-]|$)")
_URL = re.compile(r"(?i)\b(?:https?|ftp|ldaps?|rmi|tcp)://[^\s'\"<>]{3,300}")
_PROGRAM = re.compile(r"(?i)\.(?:sh|bat|cmd|ps1|exe|dll|scr|hta|vbs|msi|elf|jar|apk|pkl|pickle)(?:[?#]|$)")
_PATH = re.compile(
    r"(?:\.\.[/\\]){2,}(?:etc|root|home|proc|var|usr|tmp|dev|windows|\.ssh|bin)[/\\]|(?:\.\.[/\\]){5,}|(?:^|[\s='\"])(?:file://)?/etc/(?:passwd|shadow|cron)|~/\.(?:ssh|aws|bashrc|profile)"
)
# Escape sequences, bidirectional overrides and tag characters: what a person sees is not what is there.
_UNSEEN = re.compile("[\x1b\x9b\u202a-\u202e\u2066-\u2069\U000e0020-\U000e007f]")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|(?:[A-Za-z0-9_-]{4}){6,}={0,2}")
_MAX_BASE64 = 64  # pieces tried in one value


def metadata_facts(text: str, where: str, offset: int | None = None) -> Iterator[Fact]:
    """What one metadata value holds beside prose: `metadata.code` (attrs `language`) and `metadata.payload` (attrs `payload`)."""
    shown = text[:LONGEST]
    for language in _MARKS:
        piece = _found(language, shown)
        if piece:
            note = f"the metadata value {where!r} holds {language} code"
            yield Fact("metadata.code", note, offset=offset, where=where, quote=quote(piece), attrs={"language": language})
    url = _URL.search(shown)
    if url and (_ACTION.search(where.removeprefix("__metadata__.")) or _PROGRAM.search(url.group())):
        note = f"the metadata value {where!r} names an address to call or a program to fetch"
        yield Fact("metadata.callback", note, offset=offset, where=where, quote=quote(url.group(), 100))
    for pattern, problem in ((_PATH, "a path to a file of the reader's machine"), (_UNSEEN, "characters that hide text")):
        found = pattern.search(shown)
        if found:
            note = f"the metadata value {where!r} holds {problem}"
            yield Fact("metadata.deceptive", note, offset=offset, where=where, quote=quote(shown[found.start() :], 80))
    kind = payload_kind(shown[:512].encode("utf-8", "surrogatepass"), len(shown)) or _encoded_kind(shown)
    if kind:
        note = f"the metadata value {where!r} carries a {kind}"
        yield Fact("metadata.payload", note, offset=offset, where=where, quote=quote(shown, 80), attrs={"payload": kind})


def _found(language: str, text: str) -> str:
    """The first piece of `text` that is code in `language`, with what surrounds it; "" when there is none."""
    if len(text) <= _SHORT:
        match = _quick(language).search(text)
        return text[max(0, match.start() - 20) : match.end() + 60] if match else ""
    data = text.encode("utf-8", "replace")
    match = _linear(language).search(data)
    return data[max(0, match.start() - 20) : match.end() + 60].decode("utf-8", "replace") if match else ""


@cache
def _quick(language: str) -> re.Pattern[str]:
    flag = "(?i)"
    return re.compile("|".join(f"(?i:{part.removeprefix(flag)})" if part.startswith(flag) else part for part in _MARKS[language]))


@cache
def _linear(language: str) -> Any:
    return import_module("re2").compile("|".join(f"(?:{part})" for part in _MARKS[language]).encode())


def looks_like_template(text: str) -> bool:
    """Whether a template engine handed this text would run something in it."""
    return any(0 <= text.find(start) < text.rfind(end) for start, end in (("{{", "}}"), ("{%", "%}")))


def _encoded_kind(text: str) -> str:
    for number, piece in enumerate(_BASE64.finditer(text)):
        if number >= _MAX_BASE64:
            break
        encoded = piece.group()[:1024]
        encoded = encoded[: len(encoded) // 4 * 4].replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        kind = payload_kind(decoded, len(piece.group()))
        if kind:
            return f"base64-encoded {kind}"
    return ""
