"""Python source: parsed, never compiled or run, and followed within its file."""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.quoting import quote
from hauberk.assets.source.python_ast_judge import Judge
from hauberk.assets.source.python_ast_walk import Walker
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_SOURCE = 4 << 20  # a syntax tree takes a hundred times its source
NEWLINE = b"\n"
MAX_NESTED = 3  # code in a text in code
MAX_NESTED_TEXTS = 50
# Encodings in which ASCII stays ASCII, so that an editor that guesses another one still shows what runs.
_ENCODINGS = re.compile(
    r"utf-8(?:-sig)?$|(?:us-?)?ascii$|latin|iso-?8859|l1$|cp\d|windows-|koi8|gbk|gb2312|gb18030|big5|euc|shift|sjis|mac|tis|viscii|johab"
)
_RISKY = re.compile(
    rb"\b(?:os\s*\.\s*(?:system|popen|exec[lv]\w*|spawn\w*)|subprocess|__import__|exec\s*\(|eval\s*\(|socket|b64decode|marshal|ctypes|pty)"
)
_HOSTILE = re.compile(
    rb"^\s*(?:exec|eval)\b[^\n]{0,200}(?:b64decode|\.decode\s*\(\s*['\"](?:base64|hex|rot13|zlib)|zlib\.decompress|marshal\.loads|urlopen|fromhex)"
    rb"|^(?:import os; ?)?os\.(?:system|popen)\s*\(|^subprocess\.\w+\s*\(|__import__\(\s*['\"](?:os|subprocess|pty)['\"]\s*\)\s*\.",
    re.MULTILINE,
)
_PYTHON_2 = re.compile(
    rb"^\s*print\s+[^\s(=]|^\s*exec\s+[^\s(=]|^\s*except\s+\w[\w.]*\s*,\s*\w+\s*:|^\s*raise\s+\w+\s*,", re.MULTILINE
)


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of the program in `asset`."""
    assert asset.content is not None
    if asset.content.size > MAX_SOURCE:
        yield Gap(asset.uri, GapReason.TOO_LARGE, f"a program of {asset.content.size} bytes was searched and not followed")
        return
    source = asset.content.read()
    yield from _encoding(source)
    tree = parsed(source)
    if isinstance(tree, str):
        yield from _unparsed(asset, source, tree)
        return
    walker = Walker(tree, budget)
    try:
        yield from _judged(walker, source, "", "", 0, budget)
    except RecursionError:
        walker.too_deep += 1
    if walker.too_deep:
        yield Gap(asset.uri, GapReason.TOO_DEEP, f"{walker.too_deep} statements are nested too deeply to be followed")


def parsed(source: bytes | str) -> ast.Module | str:
    """The syntax tree of `source`, or why there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its author's invalid escapes are not our user's concern
            return ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno or 0}: {error.msg}"
    except (ValueError, RecursionError, MemoryError, LookupError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"


def _judged(walker: Walker, source: bytes, outer: str, prefix: str, depth: int, budget: Budget) -> Iterator[Fact]:
    judge = Judge(walker, source, outer, prefix)
    yield from judge.facts()
    if depth >= MAX_NESTED:
        return
    for text, phase, place in judge.nested[:MAX_NESTED_TEXTS]:
        tree = parsed(text)
        if isinstance(tree, ast.Module):
            inner = text.encode("utf-8", "surrogatepass")
            yield from _judged(Walker(tree, budget), inner, phase, f"{prefix}{place}", depth + 1, budget)


def _encoding(source: bytes) -> Iterator[Fact]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:
        return  # the parser says so too
    if not _ENCODINGS.match(encoding.lower().replace("_", "-")):
        note = f"the source is in the encoding {quote(encoding, 40)}: what an editor shows is not what runs"
        yield Fact("code.encoding", note, offset=0, quote=quote(encoding))


def _unparsed(asset: Asset, source: bytes, why: str) -> Iterator[Fact | Gap]:
    for found in _HOSTILE.finditer(source):
        where = f"line {source.count(NEWLINE, 0, found.start()) + 1}"
        note = "runs a command, or code that it decodes, in a program that cannot be parsed"
        yield Fact("code.hostile-text", note, offset=found.start(), where=where, quote=quote(found[0].strip()))
    risky = _RISKY.search(source)
    if risky is None or _PYTHON_2.search(source):
        yield Gap(asset.uri, GapReason.UNSUPPORTED, f"not Python 3 ({quote(why, 100)}): searched as text only")
        return
    note = f"cannot be parsed ({quote(why, 100)}) and mentions {quote(risky[0], 30)}: searched as text only"
    yield Gap(asset.uri, GapReason.MALFORMED, note)
