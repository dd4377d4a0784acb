"""Addresses of machines: IPv4, IPv6 and MAC. Private, reserved and well-known ones say little about a person."""

import ipaddress
import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser, label, labelled
from hauberk.detect.personal.span import Span

_LABEL = label(r"\bip\b|ip ?(?:地址|addr)|地址|address|client|source|host|login|登录|from|visitor")
_VERSION = re.compile(r"(?i)(?:(?:version|版本|release|固件|firmware|section|chapter|章|节)[^0-9\n]{0,14}|\bv\.? ?)\Z")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?<![0-9A-Za-z_.-])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z_])(?!\.[0-9])(?!-[0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z_.])(?<![0-9A-Za-z:]:)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z_:])")
_MAC = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9A-Za-z:-][:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}"
    r"(?![0-9A-Za-z_]|[:-][0-9A-Fa-f])"
)
_EVERYONES = frozenset({"8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "114.114.114.114", "223.5.5.5", "1.2.3.4"})


def version4(text: str) -> Iterator[Span]:
    """IPv4 addresses in `text`."""
    for found in _V4.finditer(text):
        start = found.start()
        if labelled(text, start, _VERSION):
            continue
        small = all(int(part) < 32 for part in found[0].split("."))  # as numbers of versions and sections are
        public = ipaddress.ip_address(found[0]).is_global and found[0] not in _EVERYONES
        sure = public and (not small or labelled(text, start, _LABEL))
        yield Span("ip-address", start, found.end(), Confidence.MEDIUM if sure else Confidence.LOW)


def version6(text: str) -> Iterator[Span]:
    """IPv6 addresses in `text`."""
    for found in _V6.finditer(text):
        try:
            address = ipaddress.IPv6Address(found[0])
        except ValueError:
            continue
        if len([part for part in found[0].split(":") if part]) >= 3:
            yield Span("ip-address", found.start(), found.end(), Confidence.MEDIUM if address.is_global else Confidence.LOW)


def mac(text: str) -> Iterator[Span]:
    """Hardware addresses in `text` (IEEE 802)."""
    for found in _MAC.finditer(text):
        plain = len(set(found[0]) - {":", "-"}) > 2  # 00:00:00:00:00:00, ff:ff:ff:ff:ff:ff
        yield Span("mac-address", found.start(), found.end(), Confidence.MEDIUM if plain else Confidence.LOW)


RECOGNISERS = (
    Recogniser(("ip-address",), r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", version4),
    Recogniser(("ip-address",), r"(?i)[0-9a-f]{1,4}:(?::|[0-9a-f]{1,4}:[0-9a-f]{0,4}:)[0-9a-f]{0,4}", version6),
    Recogniser(("mac-address",), r"(?i)(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", mac),
)
