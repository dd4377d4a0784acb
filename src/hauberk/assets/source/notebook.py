"""Jupyter notebooks: each cell and each output is handed on as what it is: Python, shell, JavaScript, HTML or text."""

import re
from collections.abc import Iterator
from typing import Any, cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_text import read  # a notebook is JSON; the JSON reader calls `facts` below
from hauberk.assets.content import BytesContent
from hauberk.core import Asset, Fact, Gap, GapReason

__all__ = ["facts", "is_notebook", "read", "split_magics"]
Item = Fact | Asset | Gap

MAX_CELLS = 20_000
_SHELL_MAGICS = frozenset({"bash", "sh", "script", "zsh", "system", "sx", "cmd", "powershell", "pwsh"})
_OTHER_LANGUAGES = {"javascript": "script", "js": "script", "ruby": "script", "perl": "script", "html": "html", "svg": "html"}
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "pypy", "debug"})
_LINE_SHELL = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?(?:!!?|%(?:sx|system|sc|bash|sh)\b)(.*)$")
_LINE_PIP = re.compile(r"^(\s*)%((?:pip|conda|mamba|uv)\b.*)$")
_LINE_TIMED = re.compile(r"^(\s*)%(?:time|timeit|prun|memit)\b(?:\s+-\S+)*\s*(.*)$")
_LINE_MAGIC = re.compile(r"^(\s*)(?:%\S*.*|\?.*|[\w.]+\?{1,2}\s*)$")
_OUTPUTS = {"text/html": "html", "image/svg+xml": "html", "application/javascript": "script", "text/plain": "text",
            "text/markdown": "text"}  # fmt: skip


def is_notebook(obj: object) -> bool:
    """Whether a parsed JSON value has a notebook's shape, of format 4 or of format 3."""
    if not isinstance(obj, dict):
        return False
    book = cast("dict[str, Any]", obj)
    if isinstance(book.get("cells"), list):
        return "nbformat" in book or any(isinstance(c, dict) and "cell_type" in c for c in book["cells"][:5])
    return isinstance(book.get("worksheets"), list) and "nbformat" in book


def facts(asset: Asset, obj: object, budget: Budget) -> Iterator[Item]:
    """Every cell and output as an asset of its own."""
    book = cast("dict[str, Any]", obj)
    language = _language(book)
    for number, cell in enumerate(_cells(book)):
        budget.tick(64)
        if number >= MAX_CELLS:
            yield Gap(asset.uri, GapReason.TOO_LARGE, f"more than {MAX_CELLS} cells")
            return
        if isinstance(cell, dict):
            yield from _cell(asset, cast("dict[str, Any]", cell), number + 1, language)


def _language(book: dict[str, Any]) -> str:
    metadata = book.get("metadata")
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        entry = cast("dict[str, Any]", metadata).get(key) if isinstance(metadata, dict) else None
        if isinstance(entry, dict) and isinstance(found := cast("dict[str, Any]", entry).get(name), str):
            return found.lower()
    return "python"


def _cells(book: dict[str, Any]) -> Iterator[object]:
    if isinstance(book.get("cells"), list):
        yield from book["cells"]
    sheets = book.get("worksheets")
    for sheet in cast("list[Any]", sheets) if isinstance(sheets, list) else []:
        cells = cast("dict[str, Any]", sheet).get("cells") if isinstance(sheet, dict) else None
        yield from cast("list[object]", cells) if isinstance(cells, list) else ()


def _cell(asset: Asset, cell: dict[str, Any], number: int, language: str) -> Iterator[Item]:
    source = _joined(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "code" and source.strip():
        yield from _code(asset, source, f"cell {number}", language)
    elif source.strip():
        yield _member(asset, f"cell {number}", source, "text")
    outputs = cell.get("outputs")
    for order, output in enumerate(cast("list[object]", outputs) if isinstance(outputs, list) else []):
        if isinstance(output, dict):
            yield from _output(asset, cast("dict[str, Any]", output), f"cell {number} output {order + 1}")


def _joined(source: object) -> str:
    if isinstance(source, str):
        return source
    return "".join(p for p in cast("list[object]", source) if isinstance(p, str)) if isinstance(source, list) else ""


def _member(asset: Asset, name: str, text: str, form: str) -> Asset:
    return asset.child(name, BytesContent(text.encode("utf-8", "surrogatepass")), format=form)


def _code(asset: Asset, source: str, name: str, language: str) -> Iterator[Item]:
    first, _, rest = source.lstrip().partition("\n")
    if first.startswith("%%"):
        magic = first[2:].split(maxsplit=1)[0].lower() if first[2:].strip() else ""
        if magic in _SHELL_MAGICS:
            yield _member(asset, f"{name} {magic}", rest, "script")
            return
        if magic in _OTHER_LANGUAGES:
            yield _member(asset, f"{name} {magic}", rest, _OTHER_LANGUAGES[magic])
            return
        if magic not in _PYTHON_MAGICS:
            yield _member(asset, f"{name} {magic}"[:80], rest, "text")
            return
        source = rest
    if language.startswith(("python", "ipython")):
        python, shell = split_magics(source)
        if shell:
            yield _member(asset, f"{name} shell", shell, "script")
        yield _member(asset, name, python, "python")
    else:
        yield _member(asset, name, source, "script")


def split_magics(source: str) -> tuple[str, str]:
    """A cell as Python with its magics blanked out, line for line, and the shell lines among them."""
    python: list[str] = []
    shell: list[str] = []
    for line in source.split("\n"):
        if found := _LINE_SHELL.match(line) or _LINE_PIP.match(line):
            shell.append(found[2].strip())
            python.append(f"{found[1]}pass")
        elif found := _LINE_TIMED.match(line):
            python.append(found[1] + (found[2] or "pass"))
        elif found := _LINE_MAGIC.match(line):
            python.append(f"{found[1]}pass")
        else:
            python.append(line)
    return "\n".join(python), "\n".join(shell)


def _output(asset: Asset, output: dict[str, Any], name: str) -> Iterator[Item]:
    text = _joined(output.get("text"))
    if text.strip():
        yield _member(asset, name, text, "text")
    data = output.get("data")
    bundle = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    for mime, form in _OUTPUTS.items():
        piece = _joined(bundle.get(mime))
        if piece.strip():
            yield _member(asset, f"{name} {mime}", piece, form)
