"""Addresses of APIs."""

import ipaddress
from urllib.parse import SplitResult, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from hauberk.probe.targets.target import Fault, TargetError


def checked(url: str) -> SplitResult:
    """`url` taken apart. Raises TargetError (SETUP) when it is no address of an HTTP API, or holds a password."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise TargetError(Fault.SETUP, f"target address: {error}; write for example http://127.0.0.1:8000/v1") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise TargetError(Fault.SETUP, f"target {shown(parts)!r} is no address; write for example http://127.0.0.1:8000/v1")
    if parts.username is not None or parts.password is not None:
        raise TargetError(Fault.SETUP, f"target {shown(parts)}: credentials go into an environment variable, not into the address")
    return parts


def shown(parts: SplitResult) -> str:
    """The address as it may be shown: without user, password, query and fragment."""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def joined(base: SplitResult, path: str) -> str:
    """The address of `path` under `base`; the base's query goes with it (Azure's `api-version`)."""
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + path, base.query, ""))


def based(parts: SplitResult, path: str, default: str) -> SplitResult:
    """`parts` without a `path` at its end that somebody wrote out; `default` in place of an empty path.

    A version that stands in `path` is not needed at the end of the base.
    """
    kept = parts.path.rstrip("/").removesuffix(path)
    if path.startswith("/v1/"):
        kept = kept.removesuffix("/v1")
    return parts._replace(path=kept or default)


def proxy_from_environment(parts: SplitResult) -> str:
    """The proxy that the environment names for this address; "" for none. Loopback is never reached through one."""
    host = parts.hostname or ""
    if _loopback(host) or proxy_bypass(parts.netloc):
        return ""
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all") or ""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
