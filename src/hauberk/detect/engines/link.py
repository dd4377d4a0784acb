"""Engine `link`: the addresses in an answer.

    match:
      check: carries               # carries, scheme, lookalike, user, address, deceptive, host
      hosts: [webhook.site]        # `host`: these and what is below them
      how: [conversation]          # `carries`: of `hauberk.detect.output.carried.Carried.how`; all when empty
      fetched: true                # optional: only what is fetched without a click (true), or only the rest (false)
      allow: [example.com]         # optional: hosts that are fine whatever they carry
      code: drop                   # in code of the answer: drop (default) or keep

Addresses in code are shown, not followed. Quiet on ordinary links: what the conversation itself held carries nothing new.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from hauberk.assets.chat import Direction, MessageContent, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, GapReason, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.output.carried import MAX_CONTEXT, Around, carried
from hauberk.detect.output.fences import CodeMap
from hauberk.detect.output.hosts import is_inside, is_lookalike, is_metadata, literal, within
from hauberk.detect.output.links import MAX_LINKS, Address, Link, address_of, links

MAX_FINDINGS = 20  # of one rule in one answer
_RUNS = frozenset({"javascript", "vbscript", "livescript", "mocha"})
# fmt: off
_HANDLERS = frozenset(
    {
        "file", "smb", "ms-msdt", "search-ms", "ms-officecmd", "ms-word", "ms-excel", "ms-powerpoint", "jar", "gopher",
        "ldap", "ldaps", "dict", "phar", "netdoc", "view-source", "chrome", "intent", "shell", "telnet", "tftp", "jdbc",
        "rmi", "php", "expect",
    }
)
# fmt: on


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    check: str
    hosts: tuple[str, ...] = ()
    how: tuple[str, ...] = ()
    fetched: bool | None = None
    allow: tuple[str, ...] = ()
    code: str = "drop"


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or check in `match`."""
    matches = [(rule, match_of(rule, _Match)) for rule in rules]
    for rule, match in matches:
        if match.check not in _CHECKS:
            raise RuleError(f"{rule.id}: there is no check {match.check!r}")

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None or message.direction is not Direction.OUTPUT or message.call is not None:
            return
        if ":" not in message.text and "//" not in message.text and "&" not in message.text:
            return
        found = message.once("links", lambda: links(message.text))
        code = message.once("code-map", lambda: CodeMap(message.text))
        for rule, match in matches:
            yield from _findings(rule, match, asset, message, [x for x in found if match.code == "keep" or not code.holds(x.start)])
        if found and _around(message).cut:
            note = f"links were held against the first {MAX_CONTEXT} characters of the conversation"
            yield Gap(asset.uri, GapReason.TOO_LARGE, note, asset.kind, "link")
        if len(found) >= MAX_LINKS:
            yield Gap(asset.uri, GapReason.TOO_LARGE, f"only the first {MAX_LINKS} links were looked at", asset.kind, "link")

    return detect


def _findings(rule: Rule, match: _Match, asset: Asset, message: MessageContent, found: list[Link]) -> Iterator[Finding]:
    pieces: dict[str, list[Evidence]] = {}
    for link in found:
        if match.fetched is not None and link.fetched is not match.fetched:
            continue
        address = address_of(link.url)
        if address is None or (match.allow and within(address.host, match.allow)):
            continue
        note = _CHECKS[match.check](link, address, match, message)
        if note:
            offset, length = message.byte_span(link.start, link.end)
            shown = quote(link.url, 80)
            pieces.setdefault(shown, []).append(Evidence(offset=offset, length=length, quote=shown, note=note))
    for evidence in list(pieces.values())[:MAX_FINDINGS]:
        yield finding_of(rule, asset, evidence, note=evidence[0].note)


def _carries(link: Link, address: Address, match: _Match, message: MessageContent) -> str:
    if not address.host:
        return ""
    seen = carried(address, link.url, _around(message))
    return seen.note if seen is not None and (not match.how or seen.how in match.how) else ""


def _around(message: MessageContent) -> Around:
    return message.once("around", lambda: Around(message.context))


def _scheme(link: Link, address: Address, _match: _Match, _message: MessageContent) -> str:
    if address.scheme in _RUNS and address.rest.strip(" ;/") not in {"", "void(0)", "void 0"}:
        return "the address is a script"
    if address.scheme == "data":
        kind = address.rest.partition(",")[0].partition(";")[0].strip().lower()
        runs = kind in {"text/html", "application/xhtml+xml", "text/javascript", "application/javascript"}
        return "the address is a page of its own" if runs or (kind == "image/svg+xml" and not link.fetched) else ""
    return f"the address opens {address.scheme}:" if address.scheme in _HANDLERS else ""


def _lookalike(_link: Link, address: Address, _match: _Match, _message: MessageContent) -> str:
    return "the host is spelt with letters that pass for others" if is_lookalike(address.host) else ""


def _user(_link: Link, address: Address, _match: _Match, _message: MessageContent) -> str:
    if not address.user or not address.host or address.scheme not in {"http", "https"}:
        return ""
    return "what looks like the host is a user name" if "." in address.user.partition(":")[0] else "the address holds a user name"


def _address(_link: Link, address: Address, _match: _Match, message: MessageContent) -> str:
    number, disguised = literal(address.host) if address.host else ("", False)
    if is_metadata(address.host):
        return "the address is that of cloud credentials"
    if disguised:
        return f"the host is the number {number} in disguise"
    known = any(address.host in text for text in (*message.context.user, *message.context.system))
    return f"the host is a number, {number}" if number and not is_inside(address.host) and not known else ""


def _deceptive(link: Link, address: Address, _match: _Match, _message: MessageContent) -> str:
    label = link.label.strip().strip("*_`")
    shown = address_of(label if "://" in label else f"https://{label}") if "." in label and " " not in label else None
    if shown is None or not address.host or "." not in shown.host or not shown.host.rpartition(".")[2].isalpha():
        return ""
    # A file name is no host: the label must say an address, or begin as host names do.
    if "://" not in label and not label.lower().startswith("www.") and shown.host.rpartition(".")[2] not in _COMMON:
        return ""
    same = within(address.host, (_site(shown.host),)) or within(shown.host, (_site(address.host),))
    return "" if same else f"the text says {quote(shown.host, 60)}, the link goes elsewhere"


_COMMON = frozenset({"com", "org", "net", "cn", "gov", "edu", "bank"})


def _site(host: str) -> str:
    """The name under which a host is registered, near enough: two labels, three where the second is a generic one."""
    parts = host.split(".")
    generic = len(parts) > 2 and parts[-2] in {"com", "co", "org", "net", "gov", "edu", "ac"} and len(parts[-1]) == 2
    return ".".join(parts[-3:] if generic else parts[-2:])


def _host(link: Link, address: Address, match: _Match, message: MessageContent) -> str:
    if not within(address.host, match.hosts) or any(address.host in text for text in message.context.user):
        return ""
    bare = address.path.strip("/") == "" and not address.query and address.host.removeprefix("www.") in match.hosts
    return "" if bare and not link.fetched else "the host records whatever is sent to it"


_CHECKS: dict[str, Callable[[Link, Address, _Match, MessageContent], str]] = {
    "carries": _carries,
    "scheme": _scheme,
    "lookalike": _lookalike,
    "user": _user,
    "address": _address,
    "deceptive": _deceptive,
    "host": _host,
}
