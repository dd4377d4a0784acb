"""What went wrong on the way, as one line and a fault."""

import ssl

import aiohttp

from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.target import Fault, TargetError


def fault_of(error: Exception, where: str, options: TargetOptions) -> TargetError:
    """`error`, raised while talking to `where`, as a TargetError."""
    if isinstance(error, ssl.SSLError):
        return _tls_fault(error, where)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _proxy_fault(error, where)
    if isinstance(error, aiohttp.ClientConnectorError):
        return TargetError(Fault.CONNECT, f"{where}: {_unreachable(error)}")
    if isinstance(error, TimeoutError):
        return TargetError(Fault.TIMEOUT, f"{where}: {_late(error, options)}")
    for kind, fault, words in _OTHERS:
        if isinstance(error, kind):
            return TargetError(fault, f"{where}: {words}")
    if isinstance(error, aiohttp.ClientResponseError):
        return TargetError(Fault.GARBAGE, f"{where}: the answer is no proper HTTP ({one_line(error.message, 80)})")
    return TargetError(Fault.GARBAGE, f"{where}: {one_line(str(error))}")


_OTHERS: tuple[tuple[type[Exception], Fault, str], ...] = (
    (aiohttp.InvalidURL, Fault.SETUP, "the address cannot be used"),
    (aiohttp.ClientPayloadError, Fault.CONNECT, "the connection broke in the middle of the answer"),
    (aiohttp.ClientConnectionError, Fault.CONNECT, "the connection was closed before an answer came"),
    (OSError, Fault.CONNECT, "the connection broke"),
)


def _unreachable(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host's name cannot be resolved; check the address"
    reason = one_line(error.os_error.strerror or str(error.os_error) or "refused", 80)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} cannot be reached ({reason})"
    return f"cannot connect ({reason}); is it running?"


def _late(error: TimeoutError, options: TargetOptions) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection within {options.connect_timeout:g} s"
    return f"no whole answer within {options.timeout:g} s; raise the timeout or lower the concurrency"


def _tls_fault(error: ssl.SSLError, where: str) -> TargetError:
    inner: Exception = getattr(error, "os_error", getattr(error, "certificate_error", error))
    if isinstance(inner, ssl.SSLCertVerificationError):
        why = one_line(inner.verify_message or str(inner), 100)
        return TargetError(Fault.SETUP, f"{where}: its certificate is not trusted ({why}); name a private CA's file with `ca`")
    return TargetError(
        Fault.SETUP,
        f"{where}: no TLS connection ({one_line(getattr(inner, 'reason', '') or 'handshake failed', 80)}); is it https?",
    )


def _proxy_fault(error: aiohttp.ClientHttpProxyError, where: str) -> TargetError:
    if error.status in {401, 403, 407}:
        return TargetError(Fault.AUTH, f"{where}: the proxy refuses us (status {error.status}); check its user and password")
    return TargetError(Fault.CONNECT, f"{where}: the proxy gives no connection (status {error.status})")
