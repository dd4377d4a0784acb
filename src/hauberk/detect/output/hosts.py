"""What a host of an address is: a name, a number in disguise, a machine of the inside, a lookalike."""

import ipaddress
import re
import unicodedata

_METADATA = frozenset(
    {"169.254.169.254", "100.100.100.200", "192.0.0.192", "169.254.170.2", "fd00:ec2::254", "metadata.google.internal", "metadata"}
)
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "host.docker.internal"})
_INSIDE = (".local", ".internal", ".localhost", ".lan", ".intranet", ".corp", ".home.arpa", ".svc", ".cluster.local")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|0[0-7]{0,22}|[1-9][0-9]{0,19}")
# Letters of other scripts that pass for Latin ones.
_LOOKALIKE = frozenset("аеорсухіјѕԁԛԝһӏвкмнтгɡαορνυικτχγηωßıĸ")


def literal(host: str) -> tuple[str, bool]:
    """The IP address that `host` is, "" when it is a name, and whether it is written in a disguise (decimal, octal, short)."""
    bare = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return _disguised(bare)
    mapped = getattr(address, "ipv4_mapped", None)
    return (str(mapped), True) if mapped else (str(address), False)


def _disguised(bare: str) -> tuple[str, bool]:
    """As `inet_aton` and browsers read it: one to four numbers, the last filling what is left."""
    parts = bare.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return "", False
    values = [int(p, 16) if p[:2].lower() == "0x" else int(p, 8) if p[0] == "0" and len(p) > 1 else int(p) for p in parts]
    if any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
        return "", False
    number = sum(value << (24 - 8 * place) for place, value in enumerate(values[:-1])) + values[-1]
    return str(ipaddress.IPv4Address(number)), True


def is_metadata(host: str) -> bool:
    """Whether `host` answers with a cloud machine's credentials."""
    return (literal(host)[0] or host.rstrip(".").lower()) in _METADATA


def is_inside(host: str) -> bool:
    """Whether `host` is the machine itself or one of a private network."""
    address = literal(host)[0]
    if address:
        parsed = ipaddress.ip_address(address)
        return not parsed.is_global and address not in _METADATA
    name = host.rstrip(".").lower()
    return name in _LOCAL_NAMES or name.endswith(_INSIDE)


def is_lookalike(host: str) -> bool:
    """Whether a label of `host` mixes Latin with another alphabet, or is written in letters that all pass for Latin ones."""
    return any(_mixed(_unicode(label)) for label in host.lower().split(".")[:32])


def _unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return label


def _mixed(label: str) -> bool:
    if label.isascii():
        return False
    alphabets = {unicodedata.name(c, "").partition(" ")[0] for c in label[:63] if c.isalpha()}
    if "LATIN" in alphabets and alphabets & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}:
        return True
    letters = [c for c in label if c.isalpha()]
    return bool(letters) and all(c in _LOOKALIKE for c in letters)


def within(host: str, domains: tuple[str, ...] | frozenset[str]) -> bool:
    """Whether `host` is one of `domains` or below it."""
    parts = host.rstrip(".").lower().split(".")[-8:]
    return any(".".join(parts[at:]) in domains for at in range(len(parts)))
