"""Syslog after RFC 5424, over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425)."""

import os
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

LARGEST_DATAGRAM = 60_000
_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
_LOCAL_0_NOTICE = 16 * 8 + 5


class Syslog:
    """Sends JSON events as syslog messages. Call it with a batch; raises OSError when it could not be delivered."""

    def __init__(self, address: str, *, ca_file: str = "", timeout: float = 5.0) -> None:
        """`address`: `udp://host:514`, `tcp://host:601` or `tls://host:6514`. Raises ValueError."""
        parts = urlsplit(address)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{address!r} is no syslog address; write for example udp://127.0.0.1:514")
        self._scheme = parts.scheme
        self._to = (parts.hostname, parts.port or _PORTS[parts.scheme])
        self._timeout = timeout
        self._ca_file = ca_file
        self._socket: socket.socket | None = None
        self._host = socket.gethostname() or "-"

    def __call__(self, events: Sequence[bytes]) -> None:
        try:
            connection = self._socket or self._connected()
            for event in events:
                connection.sendall(self._framed(event))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection; the next event opens another."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _framed(self, event: bytes) -> bytes:
        head = f"<{_LOCAL_0_NOTICE}>1 - {self._host} hauberk {os.getpid()} audit - ".encode()
        message = head + event
        if self._scheme == "udp":
            return message[:LARGEST_DATAGRAM]
        return str(len(message)).encode() + b" " + message

    def _connected(self) -> socket.socket:
        if self._scheme == "udp":
            family = socket.getaddrinfo(*self._to, type=socket.SOCK_DGRAM)[0][0]
            made = socket.socket(family, socket.SOCK_DGRAM)
            made.connect(self._to)
        else:
            made = socket.create_connection(self._to, self._timeout)
            if self._scheme == "tls":
                made = ssl.create_default_context(cafile=self._ca_file or None).wrap_socket(made, server_hostname=self._to[0])
        self._socket = made
        return made
