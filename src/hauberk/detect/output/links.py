"""The links in an answer, Markdown and HTML alike, and which of them a page fetches without being asked."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

import msgspec

MAX_LINKS = 2_000
MAX_URL = 8_192  # characters of one address that are read
_URL = rf"[^\s<>\"'`]{{1,{MAX_URL}}}"
# Brackets may stand inside a label, and a line may end there; an image inside is a link of its own.
_LABEL = r"(?:[^\[\]]|(?<!!)\[[^\[\]]{0,100}\]){0,300}"
_INLINE = re.compile(
    rf"(?P<bang>!?)\[(?P<label>{_LABEL})\]\(\s{{0,4}}(?:<(?P<angle>[^<>\n]{{1,{MAX_URL}}})>|(?P<url>[^\s<>]{{1,{MAX_URL}}}))"
)
_LINKED_IMAGE = re.compile(rf"\[!\[{_LABEL}\]\([^()\s]{{0,{MAX_URL}}}\)\]\((?P<url>[^\s<>()]{{1,{MAX_URL}}})")
_DEFINITION = re.compile(
    rf"^(?:[ \t>]|[-*+][ ]|[0-9]{{1,3}}[.)][ ]){{0,16}}\[(?P<label>[^\[\]]{{1,200}})\]:"
    rf"[ \t]{{0,8}}(?:\n(?:[ \t>]){{0,16}})?<?(?P<url>[^\s<>]{{1,{MAX_URL}}})",
    re.MULTILINE,
)
_USED = re.compile(r"!\[(?P<label>[^\[\]]{0,200})\](?:\[(?P<name>[^\[\]]{0,200})\])?")
_AUTO = re.compile(rf"<(?P<url>[A-Za-z][A-Za-z0-9+.-]{{1,30}}:[^\s<>]{{1,{MAX_URL}}})>")
_BARE = re.compile(rf"(?<![\w@/.\"'(=])(?P<url>(?:https?|ftp)://{_URL})", re.IGNORECASE)
_TAG = re.compile(r"<(?P<tag>[A-Za-z][A-Za-z0-9]{0,20})\b(?P<attributes>[^<>]{1,16384})>?")
_ATTRIBUTE = re.compile(
    r"\b(?P<name>src|href|srcset|poster|background|data|action|formaction|content|ping|xlink:href)\s{0,4}=\s{0,4}"
    r"(?:\"(?P<double>[^\"]{0,8192})|'(?P<single>[^']{0,8192})|(?P<plain>[^\s\"'<>]{1,8192}))",
    re.IGNORECASE,
)
_CSS = re.compile(r"(?:url\(|@import\s{1,4})\s{0,4}[\"']?(?P<url>[^\s\"')<>]{1,8192})", re.IGNORECASE)
_CLICKED = frozenset({"a", "area", "form", "button"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_EDGES = "".join(map(chr, range(0x21)))
_HIDDEN = re.compile("[\x00-\x1f\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")


class Link(msgspec.Struct, frozen=True):
    """One address in an answer. `start` and `end` are the characters of the address."""

    url: str
    start: int
    end: int
    fetched: bool = False  # whether showing the answer fetches it: images, frames, styles
    label: str = ""  # what is shown for it, where that is known


class Address(msgspec.Struct, frozen=True):
    """An address taken apart, as a browser does it."""

    scheme: str
    host: str = ""
    user: str = ""  # what stands before an @
    path: str = ""
    query: str = ""
    rest: str = ""  # what follows the scheme, of those without a host


def links(text: str) -> tuple[Link, ...]:
    """The links in `text`, in order, each place once; at most `MAX_LINKS`. Linear in the text."""
    found: dict[int, Link] = {}
    for link in _all(text):
        known = found.get(link.start)
        if known is None or link.fetched > known.fetched or (link.label and not known.label):
            found[link.start] = link
        if len(found) >= MAX_LINKS:
            break
    return tuple(sorted(found.values(), key=lambda link: link.start))


def _all(text: str) -> Iterator[Link]:
    if "](" in text:
        for match in _INLINE.finditer(text):
            group = "angle" if match["angle"] is not None else "url"
            yield _link(match, group, fetched=bool(match["bang"]), label=match["label"])
        for match in _LINKED_IMAGE.finditer(text):
            yield _link(match, "url")
    if "]:" in text:
        shown = {_name(m["name"] or m["label"]) for m in _USED.finditer(text)}
        for match in _DEFINITION.finditer(text):
            yield _link(match, "url", fetched=_name(match["label"]) in shown)
    if "<" in text:
        yield from _tags(text)
    if "://" in text or ":" in text:
        for pattern in (_AUTO, _BARE):
            for match in pattern.finditer(text):
                yield _link(match, "url")
    if "url(" in text.lower() or "@import" in text.lower():
        for match in _CSS.finditer(text):
            yield _link(match, "url", fetched=True)


def _name(label: str) -> str:
    return " ".join(label.split()).casefold()


def _link(match: re.Match[str], group: str, *, fetched: bool = False, label: str = "") -> Link:
    url = match[group]
    if group == "url" and match.re in {_INLINE, _LINKED_IMAGE}:
        url = _balanced(url)
    while url.endswith((")", ".", ",", ";", "!", "?", "。", "，", "）")) and not (
        url.endswith(")") and url.count("(") >= url.count(")")
    ):
        url = url[:-1]
    return Link(url, match.start(group), match.start(group) + len(url), fetched, label)


def _balanced(url: str) -> str:
    """`url` up to the bracket that closes the link around it."""
    depth = 0
    for place, character in enumerate(url):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return url[:place]
    return url


def _tags(text: str) -> Iterator[Link]:
    for tag in _TAG.finditer(text):
        name, base = tag["tag"].lower(), tag.start("attributes")
        for found in _ATTRIBUTE.finditer(tag["attributes"]):
            group = next(g for g in ("double", "single", "plain") if found[g] is not None)
            value, attribute = unescape(found[group]).strip(), found["name"].lower()
            if attribute == "content":
                value = value.lower().partition("url=")[2] and value[value.lower().index("url=") + 4 :]
            if not value:
                continue
            fetched = name not in _CLICKED or attribute == "ping"
            yield Link(value, base + found.start(group), base + found.end(group), fetched)


def address_of(url: str) -> Address | None:
    """`url` taken apart: control and invisible characters dropped and backslashes turned, as browsers do. None if relative."""
    url = _HIDDEN.sub("", unescape(url[:MAX_URL]).strip(_EDGES))
    if url.startswith(("//", "\\\\")):
        url = "https:" + url
    found = _SCHEME.match(url)
    if found is None:
        return None
    scheme, rest = found[1].lower(), url[found.end() :]
    if scheme in {"http", "https", "ftp", "ws", "wss"}:
        rest = "//" + rest.replace("\\", "/").lstrip("/")
    if not rest.startswith("//"):
        return Address(scheme, rest=rest)
    place, _, fragment = rest[2:].partition("#")
    place, _, query = place.partition("?")
    authority, slash, path = place.partition("/")
    user, at, host = authority.rpartition("@")
    host = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return Address(scheme, unquote(host).lower(), user if at else "", slash + path, query + (f"#{fragment}" if fragment else ""))
