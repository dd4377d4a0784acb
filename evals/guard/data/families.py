"""Families: rows that share a template stand on the same side of every split."""

import hashlib
from collections.abc import Sequence

import numpy as np
from evals.guard.data.near import BANDS, band_keys, normalise, signature

ALIKE = 0.45
"""Share of equal MinHash minima from which two rows are held to share a template."""
CALIBRATION_PERCENT = 12


def side(group: str) -> str:
    """The side of a family: ``calibration`` for about 12% of them, ``train`` for the rest; the same on every machine."""
    digest = hashlib.blake2b(group.encode(), digest_size=8).digest()
    return "calibration" if int.from_bytes(digest) % 100 < CALIBRATION_PERCENT else "train"


def families(texts: Sequence[str]) -> list[str]:
    """Names for clusters of alike texts (single linkage over MinHash bands): one name per text, in order."""
    plain = [normalise(text) for text in texts]
    parents = list(range(len(texts)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    if texts:
        signatures = np.stack([signature(text) for text in plain])
        keys = band_keys(signatures)
        for band in range(BANDS):
            order = np.argsort(keys[:, band], kind="stable")
            same = keys[order[1:], band] == keys[order[:-1], band]
            for left, right in zip(order[:-1][same].tolist(), order[1:][same].tolist(), strict=True):
                if root(left) != root(right) and (signatures[left] == signatures[right]).mean() >= ALIKE:
                    parents[root(left)] = root(right)
    names: dict[int, str] = {}
    for number, text in enumerate(plain):
        digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        at = root(number)
        names[at] = min(names.get(at, "~"), digest)
    return [names[root(number)] for number in range(len(texts))]
