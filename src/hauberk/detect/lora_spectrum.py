"""Spectral statistics of LoRA adapters against a bank of benign ones.

A backdoor needs little: published poisoned adapters put more of their energy into one direction than benign ones of the
same rank do. Five statistics of each product B A are taken from the r x r Gram matrices, never from the product itself,
averaged over the adapter, and compared with the bank. It ranks adapters; it clears none and convicts none.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from hauberk.assets.quoting import quote
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content, Fact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

STATISTICS = ("leading_share", "entropy", "kurtosis", "norm", "concentration")
_A = re.compile(r"^(.*)[._](?:lora_A|lora_a|lora_down)(?:\.default)?\.weight$")
_B = re.compile(r"^(.*)[._](?:lora_B|lora_b|lora_up)(?:\.default)?\.weight$")
_MOST_BYTES = 64 << 20  # of the pairs of one adapter
_MOST_RANK = 256
_FEWEST_PAIRS = 4
_FAR = 6.0  # standard deviations of the bank


class Reference(msgspec.Struct, frozen=True):
    """What benign adapters of one rank look like: mean and deviation of each statistic, and how many there were."""

    rank: int
    adapters: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


def lora_facts(content: Content, tensors: Sequence[TensorSpan]) -> Iterator[Fact]:
    """`weights.lora-spectrum` when an adapter's energy lies in one direction as that of no adapter in the bank."""
    pairs = _pairs(tensors)
    if len(pairs) < _FEWEST_PAIRS:
        return
    rows: list[tuple[float, ...]] = []
    ranks: list[int] = []
    left = _MOST_BYTES
    for a, b in pairs:
        left -= a.size + b.size
        if left < 0:
            break
        made = _statistics_of(content, a, b)
        if made:
            rows.append(made)
            ranks.append(a.shape[0])
    reference = _nearest(sorted(ranks)[len(ranks) // 2]) if len(rows) >= _FEWEST_PAIRS else None
    if reference is None:
        return
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    scores = [(m - r) / d for m, r, d in zip(mean, reference.mean, reference.deviation, strict=True)]
    share, entropy, _, _, concentration = scores
    if min(share, concentration, -entropy) > _FAR:
        shown = ", ".join(f"{name} {score:+.0f}" for name, score in zip(STATISTICS, scores, strict=True))
        note = (
            f"{mean[0]:.0%} of each update lies in one direction; deviations from {reference.adapters} benign adapters "
            f"of rank {reference.rank}: {shown} ({len(rows)} of {len(pairs)} pairs)"
        )
        yield Fact("weights.lora-spectrum", note, where=quote(pairs[0][0].name, 80), quote=quote(shown))


def _pairs(tensors: Sequence[TensorSpan]) -> list[tuple[TensorSpan, TensorSpan]]:
    ups = {match.group(1): span for span in tensors if (match := _B.match(span.name))}
    found: list[tuple[TensorSpan, TensorSpan]] = []
    for span in tensors:
        match = _A.match(span.name)
        up = ups.get(match.group(1)) if match else None
        if up and len(span.shape) == len(up.shape) == 2 and span.shape[0] == up.shape[1] and 1 < span.shape[0] <= _MOST_RANK:
            found.append((span, up))
    return found


def _statistics_of(content: Content, a: TensorSpan, b: TensorSpan) -> tuple[float, ...] | None:
    down, up = _matrix(content, a), _matrix(content, b)
    return statistics(down, up) if down is not None and up is not None else None


def _matrix(content: Content, span: TensorSpan) -> "Matrix | None":
    import numpy as np

    kind = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}.get(span.dtype)
    if kind is None:
        return None
    raw = np.frombuffer(content.read(span.start, span.size), kind)
    if span.dtype == "BF16":
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    if raw.size != span.shape[0] * span.shape[1] or not np.isfinite(raw).all():
        return None
    return raw.astype(np.float64).reshape(span.shape)


def statistics(down: "Matrix", up: "Matrix") -> tuple[float, ...] | None:
    """The five statistics of `up @ down`; None when the product is zero. Costs O((in + out) r^2)."""
    import numpy as np

    # Brought to unit size first, so that no product overflows; the norm gets its size back below.
    sizes = float(np.abs(down).max(initial=0.0)), float(np.abs(up).max(initial=0.0))
    if min(sizes) < 1e-30 or max(sizes) > 1e30:
        return None
    down, up = down / sizes[0], up / sizes[1]
    # The squared singular values of B A are the eigenvalues of (A A^T)^1/2 (B^T B) (A A^T)^1/2.
    values, vectors = np.linalg.eigh(down @ down.T)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    squares = np.maximum(np.linalg.eigvalsh(root @ (up.T @ up) @ root), 0)
    energy = float(squares.sum())
    if not energy > 0:
        return None
    parts = squares / energy
    positive = parts[parts > 1e-12]
    entropy = float(-(positive * np.log(positive)).sum() / np.log(len(parts)))
    weights = up.ravel() - up.mean()
    kurtosis = float((weights**4).mean() / max((weights**2).mean() ** 2, 1e-300))
    norm = float(np.log10(energy / (down.shape[1] * up.shape[0]))) / 2 + float(np.log10(sizes[0] * sizes[1]))
    return float(parts.max()), entropy, kurtosis, norm, float((parts**2).sum())


@cache
def bank() -> tuple[Reference, ...]:
    """The benign adapters this installation compares with; `evals/lora/build_bank.py` made them."""
    data = json.loads((files("hauberk.rules") / "data" / "lora_bank.json").read_text("utf-8"))
    return msgspec.convert(data["references"], tuple[Reference, ...])


def _nearest(rank: int) -> Reference | None:
    """The reference of this rank or, within a factor of 1.5, of the nearest; None when the bank has none like it."""
    best = min(bank(), key=lambda r: abs(r.rank - rank), default=None)
    return best if best and max(best.rank, rank) <= 1.5 * min(best.rank, rank) else None
