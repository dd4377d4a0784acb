"""Recognisers for the smaller learners and for marshalled Python, none of which starts with a magic number of its own."""

import re

from hauberk.assets.probe import Probe
from hauberk.assets.source.marshalled import pyc_layout

_XGBOOST_UBJ = re.compile(rb"\{(?:L\x00{7}|l\x00{3}|I\x00|[iU])(?:\x07learner|\x07version)", re.DOTALL)
_XGBOOST_JSON = re.compile(rb'\{\s*(?:"version"\s*:\s*\[[^\]]{0,40}\]\s*,\s*)?"learner"\s*:\s*\{')
_TORCH7 = re.compile(
    rb"\x04\x00{3}.{4}\x03\x00{3}V \d|\x03\x00{3}\x01\x00{3}.{2}\x00\x00[\x01-\x05]\x00{3}"
    rb"|4[\n ]\d+[\n ]3[\n ]V \d|3\n1\n\d+\n[1-5]\n",
    re.DOTALL,
)
_RDS = re.compile(rb"RD[XAB][23]\n|X\n\x00{3}[\x02\x03]\x00[\x00-\x0a]|A\n[23]\n\d{5,7}\n|B\n[\x02\x03]\x00{3}", re.DOTALL)
_MSGPACK_KEY = re.compile(rb"(?:[\x81-\x8f]|\xde..|\xdf....)(?:[\xa1-\xbf]|\xd9.)[A-Za-z0-9_./]{1,31}", re.DOTALL)
_BARE_CODE = re.compile(rb"[\x63\xe3](?:.[\x00\x01]\x00\x00){2}", re.DOTALL)


def is_marshal(probe: Probe, found: list[str]) -> bool:
    """A .pyc header, or a bare code object: its counters are small and its bytecode is a byte string."""
    head = probe.head
    if pyc_layout(head)[0]:
        return True
    if _BARE_CODE.match(head):
        for counters in (4, 5, 6):
            at = 1 + 4 * counters
            small = all(head[i + 2 : i + 4] == b"\x00\x00" for i in range(1, at - 4, 4))
            if small and head[at : at + 1] in {b"s", b"\xf3"} and int.from_bytes(head[at + 1 : at + 5], "little") <= probe.size:
                return True
    return not found and probe.suffix in {".pyc", ".pyo", ".marshal"}


def is_msgpack(probe: Probe, found: list[str]) -> bool:
    """By suffix, or a map whose first key is a plain name."""
    if found:
        return False
    return probe.suffix in {".msgpack", ".mpk"} or (not probe.is_text and _MSGPACK_KEY.match(probe.head) is not None)


def is_xgboost(probe: Probe, found: list[str]) -> bool:
    """By its first key in JSON and UBJSON, by the magic of the old binary."""
    if found:
        return False
    head = probe.head
    return (
        head[:4] == b"binf"
        or (head[:1] == b"{" and (_XGBOOST_JSON.match(head) is not None or _XGBOOST_UBJ.match(head) is not None))
        or (probe.suffix in {".xgb", ".ubj"} and head[:1] == b"{")
    )


def is_torch7(probe: Probe, found: list[str]) -> bool:
    """By the version string of its first object, else by suffix."""
    return not found and (_TORCH7.match(probe.head) is not None or probe.suffix in {".t7", ".th"})


def is_rds(probe: Probe, found: list[str]) -> bool:
    """By the magic of a saved workspace or the header of a serialised object, else by suffix."""
    return not found and (_RDS.match(probe.head) is not None or probe.suffix in {".rds", ".rda", ".rdata"})


def is_skops(probe: Probe, found: list[str]) -> bool:
    """By the loader its first node names."""
    if found or not probe.stripped.startswith(b"{"):
        return False
    return b'"__loader__"' in probe.head or probe.name.rsplit("/", 1)[-1] == "schema.json"
