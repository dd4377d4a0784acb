"""Addresses of cryptocurrencies: Bitcoin (base58check, bech32), Tron, Ethereum."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.checks import base58check, bech32
from hauberk.detect.personal.recogniser import Recogniser, label, labelled
from hauberk.detect.personal.span import Span

_OLD = re.compile(r"(?<![A-Za-z0-9])[13T][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])")
_SEGWIT = re.compile(r"(?<![A-Za-z0-9])(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71})(?![A-Za-z0-9])")
_ETHEREUM = re.compile(r"(?<![A-Za-z0-9])0x[0-9A-Fa-f]{40}(?![A-Za-z0-9])")
_VERSIONS = frozenset({0x00, 0x05, 0x41})  # pay to key hash, pay to script hash, Tron
_CODE = label(r"contract|合约|sha1?|hash|commit")


def bitcoin(text: str) -> Iterator[Span]:
    """Bitcoin and Tron addresses in `text` whose checksum holds."""
    for found in _OLD.finditer(text):
        if base58check(found[0], _VERSIONS):
            yield Span("crypto-address", found.start(), found.end(), Confidence.HIGH)
    for found in _SEGWIT.finditer(text):
        if bech32(found[0].lower()):
            yield Span("crypto-address", found.start(), found.end(), Confidence.HIGH)


def ethereum(text: str) -> Iterator[Span]:
    """Ethereum addresses in `text`; contracts look the same."""
    for found in _ETHEREUM.finditer(text):
        known = labelled(text, found.start(), _CODE) or len(set(found[0][2:])) < 6
        yield Span("crypto-address", found.start(), found.end(), Confidence.LOW if known else Confidence.MEDIUM)


RECOGNISERS = (
    Recogniser(("crypto-address",), r"[13T][1-9A-HJ-NP-Za-km-z]{25}|(?i:bc1)[0-9A-Za-z]{11}", bitcoin),
    Recogniser(("crypto-address",), r"0x[0-9A-Fa-f]{40}", ethereum),
)
