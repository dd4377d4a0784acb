"""A key's terms made ready for the hot path."""

from importlib import import_module
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from hauberk.guard.keys.key import MAX_NAME, Key

_re2: Any = import_module("re2")  # without type stubs


class Permit:
    """Answers what one key may do. RE2 matches the globs, so no name that a caller invents can make it slow."""

    __slots__ = ("_deny", "_models", "_networks", "_routes", "_tools", "digest", "key", "until")

    def __init__(self, key: Key, digest: bytes, until: float | None = None) -> None:
        terms = key.terms
        self.key = key
        self.digest = digest
        self.until = until  # end of a rotated token's grace, seconds since the epoch
        self._models = Globs(terms.models)
        self._routes = Globs(terms.routes)
        self._tools = Globs(terms.tools_allow)
        self._deny = Globs(terms.tools_deny)
        self._networks = tuple(ip_network(n, strict=False) for n in terms.networks)

    def live(self, now: float) -> bool:
        """Whether this token opens anything at `now`."""
        return (self.until is None or now < self.until) and self.key.live(now)

    def model(self, name: str) -> bool:
        return self._models.match(name)

    def route(self, path: str) -> bool:
        return self._routes.match(path)

    def tool(self, name: str) -> bool:
        """Whether the tool may be offered to the model; a denial wins over leave."""
        return self._tools.match(name) and not self._deny.match(name)

    def source(self, address: str) -> bool:
        """Whether a request may come from `address`. An address that cannot be read is in no network."""
        return not self._networks or within(address, self._networks)


class Globs:
    """Shell patterns over names, all at once."""

    __slots__ = ("_all", "_set")

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._all = "*" in patterns
        joined = "|".join(f"(?:{glob_expression(p)})" for p in patterns)
        self._set: Any = _re2.compile(rf"(?s:{joined})") if patterns and not self._all else None

    def match(self, name: str) -> bool:
        """Whether one of the patterns is all of `name`. Names over the length limit fit no pattern but `*`."""
        if self._all:
            return True
        return self._set is not None and len(name) <= MAX_NAME and self._set.fullmatch(name) is not None


def glob_expression(pattern: str) -> str:
    """`pattern` as RE2 syntax, for a full match."""
    kinds = {"*": ".*", "?": "."}
    return "".join(kinds.get(c) or _re2.escape(c) for c in pattern)


def within(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether `address` lies in one of `networks`; an IPv4 address written as IPv6 counts as IPv4."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip.version == network.version and ip in network for network in networks)
