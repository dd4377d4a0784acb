"""Markup in an answer that runs code in the page that shows it, read by a real HTML parser.

The parser is Python's own, fed in bounded text: it keeps no tree, so nesting costs nothing. What stands in a fenced block or a
code span of Markdown is shown, not run, and does not count.
"""

from html.parser import HTMLParser

import msgspec

from hauberk.detect.output.fences import CodeMap
from hauberk.detect.output.links import address_of

MAX_TEXT = 128_000
MAX_FOUND = 20
_SCRIPTS = frozenset({"javascript", "vbscript", "livescript"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "data", "xlink:href", "srcdoc", "poster", "background"})
_PAGES = ("data:text/html", "data:application/xhtml", "data:image/svg")


class Markup(msgspec.Struct, frozen=True):
    """One place that runs: what it is, and the piece that says so."""

    what: str
    quote: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Markup] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len(self.found) >= MAX_FOUND:
            return
        self._script = tag == "script"
        for name, value in attrs[:64]:
            self._attribute(tag, name.casefold(), (value or "").strip())
        if tag == "script" and any(name == "src" and value for name, value in attrs):
            self.found.append(Markup("a script from elsewhere", str(dict(attrs).get("src"))[:200]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._script = False

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script and data.strip() and len(self.found) < MAX_FOUND:
            self.found.append(Markup("a script", data.strip()[:200]))

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") and name[2:].isalpha() and value:
            self.found.append(Markup(f"a handler, {name}", f"<{tag} {name}={value[:160]}"))
        elif name == "srcdoc" and "<" in value:
            self.found.append(Markup("a page inside", value[:200]))
        elif name in _ADDRESSES and tag != "img" and (_is_script(value) or value.casefold().startswith(_PAGES)):
            self.found.append(Markup("an address that runs", f"<{tag} {name}={value[:160]}"))


def running_markup(text: str) -> tuple[Markup, ...]:
    """What in the first MAX_TEXT characters of `text` runs when it is shown as HTML, at most MAX_FOUND places."""
    if "<" not in text:
        return ()
    reader = _Reader()
    reader.feed(_shown(text[:MAX_TEXT]))
    reader.close()
    return tuple(reader.found[:MAX_FOUND])


def _is_script(value: str) -> bool:
    address = address_of(value)
    return address is not None and address.scheme in _SCRIPTS and address.rest.strip(" ;/") not in {"", "void(0)", "void 0"}


def _shown(text: str) -> str:
    """`text` without its code blocks; a text that is nothing but one block is what an application would put on its page."""
    fences = CodeMap(text).fences
    if not fences:
        return _without_spans(text)
    outside: list[str] = []
    at = 0
    for fence in fences:
        outside.append(text[at : fence.start])
        at = fence.end
    rest = "\n".join((*outside, text[at:]))
    if not rest.strip():
        return "\n".join(text[f.start : f.end] for f in fences if f.language in {"", "html", "svg", "xml"})
    return _without_spans(rest)


def _without_spans(text: str) -> str:
    pieces = text.split("`")
    return " ".join(pieces[::2]) if len(pieces) % 2 else text
