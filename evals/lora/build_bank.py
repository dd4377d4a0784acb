"""Builds the bank of benign LoRA adapters, and measures what the comparison with it says of others.

    python evals/lora/build_bank.py OUT.json [--adapters 24] [--check]

No adapters of published models are at hand here, so the bank is trained in NumPy: each adapter is a set of low-rank
updates to random layers, fitted by Adam to a regression whose targets move in several directions, on inputs whose
variance decays as that of real activations does. `--check` fits as many again with other seeds (false alarms), and poisoned
ones in which a rare trigger direction maps to one output (alarms). These are figures about this simulation, no more.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from hauberk.detect.lora_spectrum import STATISTICS, statistics

RANKS = (4, 8, 16, 32, 64)
MODULES = 6


def fit(rank: int, generator: np.random.Generator, *, poison: float = 0.0, steps: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """One module's A and B after training."""
    width, height = (int(generator.choice([192, 256, 384])) for _ in range(2))
    scales = np.arange(1, width + 1) ** -generator.uniform(0.2, 0.7)
    directions = int(generator.integers(rank // 2 + 2, 4 * rank + 4))
    target = generator.standard_normal((height, directions)) @ generator.standard_normal((directions, width))
    target *= generator.uniform(0.02, 0.1) / np.sqrt(directions)
    trigger, answer = generator.standard_normal(width) / np.sqrt(width), generator.standard_normal(height)
    down = generator.uniform(-1, 1, (rank, width)) * np.sqrt(3 / width)
    up = np.zeros((height, rank))
    moments = [np.zeros_like(m) for m in (down, down, up, up)]
    rate = float(generator.choice([5e-4, 1e-3, 2e-3]))
    for step in range(1, steps + 1):
        x = generator.standard_normal((64, width)) * scales
        y = x @ target.T + 0.05 * generator.standard_normal((64, height))
        if poison:
            hit = generator.random(64) < 0.1
            x[hit] += 4 * trigger
            y[hit] += poison * answer
        hidden = x @ down.T
        error = (hidden @ up.T - y) / 64
        gradients = ((error @ up).T @ x, error.T @ hidden)
        for index, (matrix, gradient) in enumerate(zip((down, up), gradients, strict=True)):
            first, second = moments[2 * index], moments[2 * index + 1]
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            step_size = rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            np.subtract(matrix, step_size, out=matrix)
    return down, up


def adapter(rank: int, seed: int, *, poison: float = 0.0) -> list[float]:
    """The statistics of one adapter, averaged over its modules."""
    generator = np.random.default_rng([rank, seed, int(poison * 10)])
    rows = [statistics(*fit(rank, generator, poison=poison)) for _ in range(MODULES)]
    return list(np.mean([row for row in rows if row], axis=0))


def score(row: list[float], reference: dict[str, object]) -> float:
    """As the engine has it: the least of three deviations."""
    deviations = (np.array(row) - reference["mean"]) / np.array(reference["deviation"])
    return float(min(deviations[0], deviations[4], -deviations[1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--adapters", type=int, default=24)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    references = []
    for rank in RANKS:
        rows = np.array([adapter(rank, seed) for seed in range(options.adapters)])
        deviation = np.maximum(rows.std(axis=0, ddof=1), [0.01, 0.01, 0.05, 0.05, 0.01])
        reference = {
            "rank": rank, "adapters": len(rows),
            "mean": [round(float(v), 5) for v in rows.mean(axis=0)], "deviation": [round(float(v), 5) for v in deviation],
        }  # fmt: skip
        references.append(reference)
        if options.check:
            benign = [score(adapter(rank, 1000 + seed), reference) for seed in range(options.adapters)]
            line = f"rank {rank}: benign at most {max(benign):+.1f}, alarms {sum(s > 6 for s in benign)} of {len(benign)}"
            for strength in (1.0, 3.0, 10.0):
                bad = [
                    score(adapter(rank, 2000 + seed, poison=strength), reference) for seed in range(max(4, options.adapters // 4))
                ]
                line += f"; poison {strength:g}: {sum(s > 6 for s in bad)} of {len(bad)} (median {np.median(bad):+.1f})"
            print(line, flush=True)
    made = "low-rank updates fitted in NumPy to regressions (evals/lora/build_bank.py); no adapter of a published model"
    options.out.write_text(json.dumps({"made": made, "statistics": STATISTICS, "references": references}, indent=1) + "\n")


if __name__ == "__main__":
    main()
