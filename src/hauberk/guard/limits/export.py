"""The same limits for what stands in front: nftables (L4), HAProxy and nginx (L7).

What a front can know is the source address, so these write what holds for each source and for connections. Limits of keys, of
tokens and of money need the request, and stay with the gateway. A front that answers for it must pass the true address on.
"""

import math
import re

import msgspec

from hauberk.guard.limits.settings import LimitSettings

IPV6_PREFIX = "^(?<prefix>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):"
"""The first four groups of an IPv6 address as nginx writes it, a subscriber's /64. Expressions are PCRE's."""
IPV6_PREFIX_OF_ZEROS = "^(?<prefix>(?:(?:[0-9a-f]+:){1,3}|:):(?:[0-9a-f]+:)*?)(?:[0-9a-f]+(?::[0-9a-f]+){0,3})?$"
"""The same where `::` stands among them: all but the last four groups."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


class Front(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Where the gateway listens, and the limits that only a front has."""

    port: int = 8_000  # that clients connect to
    upstream: str = "127.0.0.1:8001"  # where the gateway then listens: address:port, or [address]:port
    source_connections: int = 64  # at the same time
    source_rate: int = 50  # new connections a second
    ban: int = 600  # seconds that nftables drops a source for that goes on over the rate
    body: int = 10 << 20  # bytes
    header_seconds: int = 10  # to send a whole request's head and body
    idle_seconds: int = 600  # a stream may be silent for as long
    name: str = "hauberk"
    tls: bool = False  # whether the gateway speaks TLS there

    def check(self) -> None:
        """Raises ValueError with what is wrong; what goes into another program's configuration is held to its form."""
        numbers = (self.source_connections, self.source_rate, self.ban, self.body, self.header_seconds, self.idle_seconds)
        if not 0 < self.port < 65_536 or any(not 0 < n < 1 << 40 for n in numbers):
            raise ValueError("ports are 1 to 65535, and the limits of a front are over 0")
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the name {self.name[:40]!r} must be lower-case letters, digits and underscores")
        if not re.fullmatch(r"(?:[0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}", self.upstream):
            raise ValueError(f"the upstream {self.upstream[:60]!r} must be address:port")


def nftables(front: Front) -> str:
    """A table for `nft -f`: connections at the same time and new ones a second, by source; a dynamic set bans with a timeout."""
    front.check()
    families = "\n".join(_family(front, version) for version in (4, 6))
    return f"""# Written by `hauberk guard limits export`; load with: nft -f FILE; remove with: nft delete table inet {front.name}
table inet {front.name} {{
{_sets(front, 4)}
{_sets(front, 6)}
  chain guard {{
    type filter hook input priority filter - 5; policy accept;
    tcp dport != {front.port} accept
{families}
  }}
}}
"""


def _sets(front: Front, version: int) -> str:
    timed = f"type ipv{version}_addr; size 65536; flags dynamic,timeout;"
    return f"""  set banned{version} {{ {timed} timeout {front.ban}s; }}
  set rates{version} {{ {timed} timeout 60s; }}
  set open{version} {{ type ipv{version}_addr; size 65536; flags dynamic; }}"""


def _family(front: Front, version: int) -> str:
    address = "ip saddr" if version == 4 else "ip6 saddr"
    # An IPv6 subscriber owns a /64: what counts is its prefix.
    masked = address if version == 4 else "ip6 saddr & ffff:ffff:ffff:ffff::"
    rate = f"limit rate over {front.source_rate}/second burst {2 * front.source_rate} packets"
    count = front.source_connections
    return f"""    meta nfproto ipv{version} {masked} @banned{version} drop
    meta nfproto ipv{version} ct state new add @open{version} {{ {masked} ct count over {count} }} reject with tcp reset
    meta nfproto ipv{version} ct state new update @rates{version} {{ {masked} {rate} }} \\
      add @banned{version} {{ {masked} timeout {front.ban}s }} drop"""


def haproxy(front: Front, limits: LimitSettings) -> str:
    """A frontend and a backend for HAProxy 2.4 and newer."""
    front.check()
    rules = [
        f"  stick-table type ipv6 size 64k expire 2m store conn_cur,conn_rate(1s),http_req_rate({int(limits.window)}s)",
        "  http-request track-sc0 src,ipmask(32,64)",
        f"  http-request deny deny_status 429 if {{ sc0_conn_cur gt {front.source_connections} }}",
        f"  http-request deny deny_status 429 if {{ sc0_conn_rate gt {front.source_rate} }}",
    ]
    if limits.source_requests is not None:
        rules.append(f"  http-request deny deny_status 429 if {{ sc0_http_req_rate gt {limits.source_requests} }}")
    most = f" maxconn {limits.concurrency}" if limits.concurrency is not None else ""
    return "\n".join(
        [
            "# Written by `hauberk guard limits export`; guard.trusted-proxies must name the address that this connects from",
            f"frontend {front.name}",
            "  mode http",
            f"  bind :::{front.port} v4v6",
            "  option http-buffer-request",
            f"  timeout http-request {front.header_seconds}s",
            f"  timeout client {front.idle_seconds}s",
            f"  http-request deny deny_status 413 if {{ req.body_size gt {front.body} }}",
            *rules,
            "  option forwardfor",
            f"  default_backend {front.name}",
            "",
            f"backend {front.name}",
            "  mode http",
            "  timeout connect 5s",
            f"  timeout queue {math.ceil(limits.queue.wait)}s",
            f"  timeout server {front.idle_seconds}s",
            f"  server gateway {front.upstream}{most}{' ssl verify none' if front.tls else ''}",
            "",
        ]
    )


def nginx(front: Front, limits: LimitSettings) -> str:
    """What belongs into nginx's `http { }`."""
    front.check()
    zones = [f"limit_conn_zone ${front.name}_source zone={front.name}_open:10m;"]
    rules: list[str] = []
    if limits.source_requests is not None:
        # nginx's rate is a leaky bucket: lowered by its burst, no minute holds more than the limit.
        most = max(1, int(limits.source_requests * 60 / limits.window))
        burst = most // 6
        rate = max(most - burst - 1, 1)
        zones.append(f"limit_req_zone ${front.name}_source zone={front.name}_rate:10m rate={rate}r/m;")
        rules.append(f"    limit_req zone={front.name}_rate" + (f" burst={burst} nodelay;" if burst else ";"))
    return "\n".join(
        [
            "# Written by `hauberk guard limits export`; belongs into http { }",
            "# guard.trusted-proxies must name the address that this connects from",
            f"map $remote_addr ${front.name}_source {{",
            "  default $remote_addr;",
            f'  "~{IPV6_PREFIX}" $prefix;',
            f'  "~{IPV6_PREFIX_OF_ZEROS}" $prefix;',
            "}",
            *zones,
            "server {",
            f"  listen {front.port};",
            f"  listen [::]:{front.port};",
            f"  client_max_body_size {front.body};",
            f"  client_header_timeout {front.header_seconds}s;",
            f"  client_body_timeout {front.header_seconds}s;",
            "  limit_req_status 429;",
            "  limit_conn_status 429;",
            "  location / {",
            f"    limit_conn {front.name}_open {front.source_connections};",
            *rules,
            f"    proxy_pass http{'s' if front.tls else ''}://{front.upstream};",
            "    proxy_http_version 1.1;",
            "    proxy_set_header X-Forwarded-For $remote_addr;",
            "    proxy_buffering off;",
            f"    proxy_read_timeout {front.idle_seconds}s;",
            "  }",
            "}",
            "",
        ]
    )
