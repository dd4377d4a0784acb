"""Looks at free text in a tensor file's metadata: names, descriptions, training notes, whatever an author put there.

Loaders show this text, log it, put it into a page or a prompt. What has no business in it is code to be run.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from hauberk.assets.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Fact

LONGEST = 1 << 20  # characters looked at of one value

# Each says what makes the text more than prose: a call with its argument, a tag that runs, a look-up that fetches.
_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "python",
        re.compile(
            r"""(?x)
            \b(?:exec|eval|compile|__import__)\s*\(\s*(?:base64|zlib|bytes|codecs|__import__|open|requests|urllib|compile|['"])
            | \bos\s*\.\s*(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?)\s*\(
            | \bsubprocess\s*\.\s*(?:call|run|Popen|check_output|check_call|getoutput)\s*\(
            | \b(?:pickle|marshal|dill|cloudpickle)\s*\.\s*loads\s*\(
            | \bbuiltins\s*\.\s*(?:exec|eval)\b
            | \beval\s*\(\s*atob\b | \brequire\s*\(\s*['"]child_process | \bString\.fromCharCode\s*\(
            | \b(?:ctypes\.CDLL|importlib\.import_module|socket\.socket|pty\.spawn)\s*\("""
        ),
    ),
    (
        "shell",
        re.compile(
            r"""(?ix)
            \b(?:curl|wget)\b[^\n|;&]{0,200}[|;&]+\s*(?:sudo\s+)?(?:ba|z|da)?sh\b
            | \b(?:ba|z|da)?sh\s+-c\s+['"(]
            | (?:^|[;&|`$(]\s*|&&\s*)rm\s+-[a-z]*[rf][a-z]*\s+[/~*.$]
            | (?:&&|;|\|)\s*(?:curl|wget|nc|ncat|bash|powershell)\s+\S
            | /dev/tcp/[\w.]+/\d+
            | \bnc\s+(?:-\w+\s+)*-e\b
            | \bInvoke-Expression\b | \bDownloadString\s*\( | \bcertutil\b.{0,40}-urlcache | \bmshta\s+https?:
            | \bpowershell(?:\.exe)?\s+-(?:e|enc|encodedcommand|nop|w|c|command)\b
            | \$\((?:curl|wget|id|whoami|cat|bash)\b
            | \bchmod\s+(?:\+x|[0-7]{3,4})\s+\S+\s*(?:&&|;)"""
        ),
    ),
    (
        "markup",
        re.compile(
            r"""(?ix)
            <script\b[^>]*> | <iframe\b[^>]*\bsrc | <svg\b[^>]*\bonload\s*= | <object\b[^>]*\bdata\s*=
            | <(?:img|body|video|audio|input|details|a|div|marquee)\b[^>]*\bon[a-z]{3,20}\s*=
            | \b(?:javascript|vbscript)\s*:\s*[\w(] | \bdata:text/html"""
        ),
    ),
    ("lookup", re.compile(r"(?i)\$\{(?:jndi|[^}]{0,40}\$\{[^}]{0,40}\}[^}]{0,40}:)(?:[^}]{0,200})")),
)
_ACTION = re.compile(r"(?i)(?:^|[._-])(?:callback|webhook|hook|beacon|exfil\w*|payload|phone_?home|c2)(?:[._-]|$)")
_URL = re.compile(r"(?i)\b(?:https?|ftp|ldaps?|rmi|tcp)://[^\s'\"<>]{3,300}")
_PROGRAM = re.compile(r"(?i)\.(?:sh|bat|cmd|ps1|exe|dll|scr|hta|vbs|msi|elf|jar|apk|pkl|pickle)(?:[?#]|$)")
_PATH = re.compile(
    r"(?:\.\.[/\\]){2,}(?:etc|root|home|proc|var|usr|tmp|dev|windows|\.ssh|bin)[/\\]|(?:\.\.[/\\]){5,}|(?:^|[\s='\"])(?:file://)?/etc/(?:passwd|shadow|cron)|~/\.(?:ssh|aws|bashrc|profile)"
)
# Escape sequences, bidirectional overrides and tag characters: what a person sees is not what is there.
_UNSEEN = re.compile("[\x1b\x9b\u202a-\u202e\u2066-\u2069\U000e0020-\U000e007f]")
_TEMPLATE = re.compile(r"\{\{.+?\}\}|\{%.+?%\}", re.DOTALL)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){6,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?|(?:[A-Za-z0-9_-]{4}){6,}={0,2}")
_MAX_BASE64 = 64  # pieces tried in one value


def metadata_facts(text: str, where: str, offset: int | None = None) -> Iterator[Fact]:
    """What one metadata value holds beside prose: `metadata.code` (attrs `language`) and `metadata.payload` (attrs `payload`)."""
    shown = text[:LONGEST]
    for language, pattern in _MARKS:
        found = pattern.search(shown)
        if found:
            piece = shown[max(0, found.start() - 20) : found.end() + 60]
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


def looks_like_template(text: str) -> bool:
    """Whether a template engine handed this text would run something in it."""
    return bool(_TEMPLATE.search(text[:LONGEST]))


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
