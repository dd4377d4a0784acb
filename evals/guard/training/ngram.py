"""Teaching the first stage: a row's score is that of its highest window (multiple-instance learning)."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from evals.guard.training.encoder import loss_of, weights_with
from evals.guard.training.rows import Lesson, altered
from torch import nn
from torch.nn import functional

from hauberk.detect.prompt import ngram_model
from hauberk.detect.prompt.grams import BITS, buckets
from hauberk.detect.prompt.labels import OUTPUTS, Voice
from hauberk.detect.prompt.windows import spans

WIDTH = 16
HIDDEN = 64
MOST_WINDOWS = 12  # of one row in training
SEEN = 3  # rows that must hold a bucket for it to be taught
DROPPED = 0.15  # share of n-grams left out each time, so that no single one decides
BATCH = 256


class Bags(msgspec.Struct):
    """Rows as windows of buckets."""

    windows: list[list[np.ndarray]]  # by row
    counts: list[list[int]]  # n-grams of each window before the rare ones were left out


def bags(texts: list[str], seed: int) -> Bags:
    """The buckets of each window of each text."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    made = Bags([], [])
    for text in texts:
        places = spans(text)
        if len(places) > MOST_WINDOWS:
            places = [places[0], *choose.sample(places[1:-1], MOST_WINDOWS - 2), places[-1]]
        made.windows.append([buckets(text[start:end])[0] for start, end in places])
        made.counts.append([len(window) for window in made.windows[-1]])
    return made


def without_rare(made: Bags) -> None:
    """Leaves out the buckets that fewer than `SEEN` rows hold."""
    seen = np.zeros(1 << BITS, np.int32)
    for windows in made.windows:
        seen[np.unique(np.concatenate(windows))] += 1
    frequent = seen >= SEEN
    made.windows = [[window[frequent[window]] for window in windows] for windows in made.windows]


class NgramNet(nn.Module):
    """The model as it is taught; `ngram_model.NgramModel` is the same in numpy."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(1 << BITS, WIDTH, mode="sum", sparse=True)
        nn.init.zeros_(self.table.weight)
        with torch.no_grad():
            self.table.weight.normal_(0, 0.02)
        self.inner = nn.Linear(WIDTH + len(Voice), HIDDEN)
        self.outer = nn.Linear(HIDDEN, OUTPUTS)

    def forward(self, numbers: torch.Tensor, offsets: torch.Tensor, counts: torch.Tensor, voices: torch.Tensor) -> torch.Tensor:
        """Logits by window."""
        summed = self.table(numbers, offsets) / counts.clamp(min=1).sqrt()[:, None]
        hidden = self.inner(torch.cat([summed, functional.one_hot(voices, len(Voice)).float()], 1))
        return self.outer(functional.relu(hidden))


def _of_batch(made: Bags, chosen: list[int], rows: list[Lesson], generator: np.random.Generator) -> tuple[Any, ...]:
    windows = [window for number in chosen for window in made.windows[number]]
    windows = [window[generator.random(len(window)) > DROPPED] for window in windows]
    counts = torch.tensor([count * (1 - DROPPED) for number in chosen for count in made.counts[number]], dtype=torch.float32)
    owner = torch.tensor([place for place, number in enumerate(chosen) for _ in made.windows[number]])
    voices = torch.tensor([int(rows[number].voice) for number in chosen])[owner]
    offsets = torch.tensor(np.cumsum([0, *[len(window) for window in windows[:-1]]]))
    return torch.from_numpy(np.concatenate(windows).astype(np.int64)), offsets, counts, voices, owner


def highest(logits: torch.Tensor, owner: torch.Tensor, number: int) -> torch.Tensor:
    """For each row the highest of each output over its windows."""
    lowest = logits.new_full((number, logits.shape[1]), -1e4)
    return lowest.scatter_reduce(0, owner[:, None].expand_as(logits), logits, "amax", include_self=False)


def train(rows: list[Lesson], mixed: list[Lesson], epochs: int, seed: int, say: Callable[[str], None]) -> NgramNet:
    """A taught model; rows and their mixtures are drawn by their shares, `epochs` times as many as there are."""
    torch.manual_seed(seed)
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    generator = np.random.default_rng(seed)
    weights = weights_with(rows, mixed)
    rows = [*rows, *mixed]
    made = bags([altered(row.text, choose) for row in rows], seed)
    without_rare(made)
    say(f"n-grams of {len(rows)} rows")
    net = NgramNet()
    sparse = torch.optim.SparseAdam([net.table.weight], lr=0.004)
    dense = torch.optim.AdamW([*net.inner.parameters(), *net.outer.parameters()], lr=0.003, weight_decay=0.01)
    steps = epochs * len(rows) // BATCH
    for step in range(steps):
        chosen = choose.choices(range(len(rows)), weights=weights, k=BATCH)
        *inputs, owner = _of_batch(made, chosen, rows, generator)
        loss = loss_of(highest(net(*inputs), owner, BATCH), [rows[number] for number in chosen])
        for optimiser, rate in ((sparse, 0.004), (dense, 0.003)):
            optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        loss.backward()
        sparse.step()
        dense.step()
        sparse.zero_grad()
        dense.zero_grad()
        if step % 50 == 0:
            say(f"n-gram step {step} of {steps} loss {float(loss.detach()):.4f}")
    untaught = np.ones(1 << BITS, np.bool_)
    for windows in made.windows:
        untaught[np.concatenate(windows)] = False
    with torch.no_grad():
        net.table.weight[torch.from_numpy(untaught)] = 0
    return net


def export(net: NgramNet, folder: Path) -> None:
    """Writes the model as the runtime reads it, the table in int8."""
    table = net.table.weight.detach().numpy()
    bound = float(np.quantile(np.abs(table[np.abs(table).sum(1) > 0]), 0.9995))
    scale = bound / 127
    whole = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    layers = {
        "scale": np.array(scale, np.float32),
        "w1": net.inner.weight.detach().numpy(),
        "b1": net.inner.bias.detach().numpy(),
        "w2": net.outer.weight.detach().numpy(),
        "b2": net.outer.bias.detach().numpy(),
    }
    ngram_model.save(folder, whole, layers)
