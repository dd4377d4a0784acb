"""Looks for readable payloads in the bits of weights that training does not need: low bytes, low bits, whole elements.

Text and programs are found by what they are. Compressed or encrypted bytes look like the noise they replace: nothing
here claims to see those.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.detect.weight_sampling import FLOATS, NO_WEIGHT, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

# A run of 32 printable bytes comes up in random bytes once in 2 * 10^13.
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e]{32,4096}")
_PRINTABLE = bytes(int(c in b"\t\n\r" or 0x20 <= c < 0x7F) for c in range(256))
_RUN = b"\x01" * 32
_WORDS = re.compile(rb"[A-Za-z0-9+/=_.\-]{3}")
_MAGICS = (b"\x7fELF", b"MZ\x90\x00", b"PK\x03\x04", b"#!/bin/", b"#!/usr/", b"#! /bin/", b"\x80\x04\x95", b"\x80\x05\x95")
_MOST_TRIES = 16  # places of one magic number that are looked at
_FEWEST_LETTERS = 10  # different ones in a run: a row of equal weights has one
_UNEVEN = 255 + 40 * 510**0.5  # chi-square of 256 values: 40 deviations above its mean
_WIDE = 32 << 10  # bytes of a window that are searched in the wider streams


class Hidden(msgspec.Struct, frozen=True):
    """A readable payload: in which plane, what it is, and a piece of it."""

    plane: str
    kind: str  # "text", "elf", "pe", ...
    at: int  # of the plane's bytes
    piece: bytes


def hidden_in(window: Window) -> Iterator[Hidden]:
    """The first readable payload of each plane of `window`."""
    for plane, data in _planes(window):
        found = _search(plane, data)
        if found:
            yield found


def _planes(window: Window) -> Iterator[tuple[str, bytes]]:
    import numpy as np

    size = FLOATS[window.span.dtype][1]
    elements: Bytes = np.frombuffer(window.data, np.uint8).reshape(-1, size)
    low = np.ascontiguousarray(elements[:, 0])
    yield "low mantissa byte", low.tobytes()
    bits = low & 1
    if bits.any():
        yield "lowest mantissa bit", np.packbits(bits).tobytes()
        yield "lowest mantissa bit, reversed", np.packbits(bits, bitorder="little").tobytes()
    wide = elements[: _WIDE // size]
    for count in range(2, max(2, size)):
        yield f"low {count} bytes", np.ascontiguousarray(wide[:, :count]).tobytes()
    yield "whole elements", wide.tobytes()
    nibbles = low[:_WIDE] & 0x0F
    if size > 2 and nibbles.any():
        pairs = nibbles[: len(nibbles) // 2 * 2].reshape(-1, 2)
        yield "low nibble", (pairs[:, 0] << 4 | pairs[:, 1]).tobytes()
        yield "low nibble, reversed", (pairs[:, 1] << 4 | pairs[:, 0]).tobytes()


def _search(plane: str, data: bytes) -> Hidden | None:
    for magic in _MAGICS:
        at = data.find(magic)
        for _ in range(_MOST_TRIES):
            if at < 0:
                break
            kind = payload_kind(data[at : at + HEAD], len(data) - at)
            if kind and not (kind == "pickle" and data[at + 6 : at + 11] != bytes(5)):
                return Hidden(plane, kind, at, data[at : at + 64])
            at = data.find(magic, at + 1)
    marks = data.translate(_PRINTABLE)
    at = marks.find(_RUN)
    while at >= 0:
        run = _TEXT.match(data, at)
        piece = run.group() if run else data[at : at + len(_RUN)]
        if len(set(piece)) >= _FEWEST_LETTERS and len(_WORDS.findall(piece)) * 9 >= len(piece):
            return Hidden(plane, "text", at, piece[:160])
        at = marks.find(_RUN, at + len(piece))
    return None


def uneven_share(window: Window) -> float | None:
    """The share of 4 KiB pieces of the low mantissa byte whose values are far from evenly spread (chi-square).

    None for what cannot be judged: values that were widened from a shorter type have low bytes of zero. Noise multiplied
    by a round number, as weights are before training, reaches a chi-square of 800; text begins at several thousand.
    """
    import numpy as np

    if window.span.dtype != "F32" or len(window.span.shape) < 2 or NO_WEIGHT.search(window.span.name):
        return None
    low: Bytes = np.frombuffer(window.data, np.uint8)[::4]
    pieces = len(low) // 4096
    if not pieces or np.count_nonzero(low) < 0.9 * len(low):
        return None
    low = low[: pieces * 4096].reshape(pieces, 4096)
    keys = low.astype(np.intp) + np.arange(pieces, dtype=np.intp)[:, None] * 256
    counts = np.bincount(keys.ravel(), minlength=pieces * 256).reshape(pieces, 256)
    chi = ((counts - 16.0) ** 2).sum(axis=1) / 16.0
    return float((chi > _UNEVEN).mean())
