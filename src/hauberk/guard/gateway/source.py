"""Where a request comes from."""

import ipaddress
from collections.abc import Iterable, Mapping

from hauberk.guard.gateway.generation import Network

MOST_HOPS = 32


def source_of(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """The client's address: the peer, or behind trusted proxies the last address that none of them is.

    What stands further left in X-Forwarded-For was written by the client and proves nothing.
    """
    if not proxies or not forwarded or not within(peer, proxies):
        return peer
    for hop in reversed(forwarded.rsplit(",", MOST_HOPS)):
        address = hop.strip()
        if not _is_address(address):
            return peer
        peer = address
        if not within(peer, proxies):
            break
    return peer


def within(address: str, known: Iterable[Network]) -> bool:
    """Whether `address` lies in one of the networks."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in known if network.version == ip.version)


def credential_of(headers: Mapping[bytes, bytes]) -> str:
    """The key that a client sent, "" for none: `Authorization: Bearer`, `x-api-key` or `api-key`."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and token.strip():
        return token.strip().decode("latin-1")
    return (headers.get(b"x-api-key") or headers.get(b"api-key") or b"").strip().decode("latin-1")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
