"""The second stage: MiniLM's lower layers with a bilingual vocabulary, taught all targets at once."""

import json
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evals.guard.training import mixtures, vocabulary
from evals.guard.training.rows import UNKNOWN, Lesson, altered, shares
from torch import nn
from torch.nn import functional

from hauberk.detect.prompt.encoder_model import tokenizer_of
from hauberk.detect.prompt.labels import CATEGORY_AT, KIND_AT, OUTPUTS
from hauberk.detect.prompt.windows import spans

LONGEST = 160  # tokens of a training text
BUDGET = 3072  # tokens of a batch
LAYERS = 4
SMOOTH = 0.02


class Encoder(nn.Module):
    """BERT layers, then first token, mean and maximum over tokens, then one linear layer to all outputs."""

    def __init__(self, base: Path, tokens: list[str], rows: list[int], vectors: dict[str, Any], layers: int = LAYERS) -> None:
        super().__init__()
        from transformers import BertModel

        bert = BertModel.from_pretrained(base, attn_implementation="sdpa", add_pooling_layer=False)
        bert.encoder.layer = bert.encoder.layer[:layers]
        old = bert.embeddings.word_embeddings.weight.detach()
        table = old.mean(0).repeat(len(tokens), 1) + 0.02 * torch.randn(len(tokens), old.shape[1])
        kept = torch.tensor([number for number, row in enumerate(rows) if row >= 0])
        table[kept] = old[torch.tensor([row for row in rows if row >= 0])]
        for number, token in enumerate(tokens):
            if rows[number] < 0 and token in vectors:
                table[number] = torch.from_numpy(vectors[token])
        bert.embeddings.word_embeddings = nn.Embedding(len(tokens), old.shape[1], sparse=True, _weight=table)
        self.bert = bert
        self.head = nn.Linear(3 * old.shape[1], OUTPUTS)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits (batch x OUTPUTS) of token ids and their mask (batch x tokens)."""
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        wide = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * wide).sum(1) / wide.sum(1)
        highest = (hidden - (1 - wide) * 1e4).max(1).values
        return self.head(torch.cat([hidden[:, 0], mean, highest], 1))


def loss_of(logits: torch.Tensor, rows: list[Lesson]) -> torch.Tensor:
    """Weighted sum of the binary losses of attack and harm and the softmax losses of kind and category."""
    weight = torch.tensor([row.weight for row in rows])
    total = logits.new_zeros(())
    for place, scale in ((0, 1.0), (1, 0.7)):
        aim = torch.tensor([(row.attack, row.harm)[place] for row in rows], dtype=torch.float32)
        known = (aim != UNKNOWN).float() * weight
        # A harmful request is no attack, but nearly: it counts little as an ordinary row of the attack task.
        if place == 0:
            known = known * torch.tensor([0.3 if row.harm == 1 and row.attack == 0 else 1.0 for row in rows])
        smooth = aim.clamp(0, 1) * (1 - 2 * SMOOTH) + SMOOTH
        losses = functional.binary_cross_entropy_with_logits(logits[:, place], smooth, reduction="none")
        total = total + scale * (losses * known).sum() / len(rows)
    for name, at, end in (("kind", KIND_AT, CATEGORY_AT), ("category", CATEGORY_AT, OUTPUTS)):
        aim = torch.tensor([getattr(row, name) for row in rows])
        if (aim != UNKNOWN).any():
            total = total + 0.15 * functional.cross_entropy(logits[:, at:end], aim, ignore_index=UNKNOWN)
    return total


def piece(row: Lesson, choose: random.Random) -> str:
    """The row's text, or a window of it when it is long: mostly the first, as long attacks open with their persona."""
    places = spans(row.text)
    if len(places) == 1:
        return altered(row.text, choose)
    turn = choose.random()
    start, end = places[0] if turn < 0.5 else places[-1] if turn < 0.7 else choose.choice(places)
    return row.text[start:end]


class Tokens:
    """Texts as token ids with their voice: `[CLS] [voice] ... [SEP]`."""

    def __init__(self, tokens: list[str]) -> None:
        self.names = tokens
        self.made = tokenizer_of(tokens)
        place = {token: number for number, token in enumerate(tokens)}
        self.first, self.last = place["[CLS]"], place["[SEP]"]
        self.voices = [place[token] for token in vocabulary.ROLE_TOKENS]

    def ids(self, texts: list[str], voices: list[int], longest: int = LONGEST) -> list[list[int]]:
        encoded = self.made.encode_batch(texts, add_special_tokens=False)
        return [
            [self.first, self.voices[voice], *item.ids[: longest - 3], self.last]
            for item, voice in zip(encoded, voices, strict=True)
        ]


def padded(batch: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of one batch."""
    width = max(map(len, batch))
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask = torch.zeros(len(batch), width, dtype=torch.long)
    for number, row in enumerate(batch):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def weights_with(rows: list[Lesson], mixed: list[Lesson]) -> list[float]:
    """How often each row is drawn when mixtures are taught beside the rows they were made of."""
    base = shares(rows)
    return base if not mixed else [*base, *[sum(base) * mixtures.SHARE / len(mixed)] * len(mixed)]


def batches(
    rows: list[Lesson], tokens: Tokens, choose: random.Random, mixed: list[Lesson] | None = None
) -> Iterator[tuple[list[Lesson], list[list[int]]]]:
    """Endless batches of about `BUDGET` tokens, rows drawn by their shares, those of like length together."""
    weights = np.array(weights_with(rows, mixed or []))
    rows = [*rows, *(mixed or [])]
    while True:
        drawn = choose.choices(range(len(rows)), weights=weights.tolist(), k=2048)
        ids = tokens.ids([piece(rows[number], choose) for number in drawn], [int(rows[number].voice) for number in drawn])
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        made: list[list[int]] = []
        current: list[int] = []
        for number in order:
            if current and len(ids[number]) * (len(current) + 1) > BUDGET:
                made.append(current)
                current = []
            current.append(number)
        choose.shuffle(made)
        for batch in made:
            yield [rows[drawn[number]] for number in batch], [ids[number] for number in batch]


def train(
    model: Encoder,
    tokens: Tokens,
    rows: list[Lesson],
    folder: Path,
    minutes: float,
    seed: int,
    say: Callable[[str], None],
    mixed: list[Lesson] | None = None,
) -> None:
    """Teaches for `minutes` in all, going on from the checkpoint in `folder` if there is one.

    `mixed`: mixtures taught beside the rows. No dropout: hardly a row is seen thrice, and on a processor dropout in the attention
    makes a step five times as long.
    """
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    table = [model.bert.embeddings.word_embeddings.weight]
    rest = [item for name, item in model.named_parameters() if "word_embeddings" not in name and not name.startswith("head")]
    dense = torch.optim.AdamW(
        [
            {"params": rest, "lr": 1.5e-4, "initial_lr": 1.5e-4},
            {"params": model.head.parameters(), "lr": 1e-3, "initial_lr": 1e-3},
        ],
        weight_decay=0.01,
    )
    sparse = torch.optim.SparseAdam(table, lr=4e-4)
    spent, step = 0.0, 0
    mark = folder / "encoder.pt"
    if mark.exists():
        saved = torch.load(mark)
        model.load_state_dict(saved["model"])
        dense.load_state_dict(saved["dense"])
        sparse.load_state_dict(saved["sparse"])
        spent, step = saved["spent"], saved["step"]
        choose = random.Random(seed + step)  # noqa: S311 - reproducible, not secret
    _note_part(folder, step, len(rows))
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    base = [group["initial_lr"] for group in dense.param_groups]
    begun, kept, running = time.monotonic() - spent, spent, 0.0
    for lessons, ids in batches(rows, tokens, choose, mixed):
        spent = time.monotonic() - begun
        part = spent / (60 * minutes)
        if part >= 1:
            break
        rate = min(1.0, (step + 1) / 100) * max(0.02, math.cos(math.pi / 2 * part))
        for group, lr in zip(dense.param_groups, base, strict=True):
            group["lr"] = lr * rate
        sparse.param_groups[0]["lr"] = 4e-4 * rate
        loss = loss_of(model(*padded(ids)), lessons)
        loss.backward()
        nn.utils.clip_grad_norm_(rest, 1.0)
        dense.step()
        sparse.step()
        dense.zero_grad()
        sparse.zero_grad()
        running = 0.98 * running + 0.02 * float(loss.detach())
        step += 1
        if step % 25 == 0:
            say(f"step {step} {spent / 60:.1f} min loss {running / (1 - 0.98 ** min(step, 400)):.4f} rows {len(lessons)}")
        if spent - kept > 300:
            _keep(mark, model, dense, sparse, spent, step)
            kept = spent
    _keep(mark, model, dense, sparse, spent, step)


def _note_part(folder: Path, step: int, rows: int) -> None:
    """Notes that training goes on from `step` with so many rows: the model card tells of it."""
    path = folder / "parts.json"
    parts = json.loads(path.read_text("utf-8")) if path.exists() else []
    path.write_text(json.dumps([*parts, [step, rows]]), "utf-8")


def history(folder: Path, earlier: Path | None = None, share: float = 1.0) -> str:
    """In how many steps and minutes the encoder was taught, whether in one piece and on the same rows, and what it is a mean of."""
    saved = torch.load(folder / "encoder.pt")
    parts = json.loads((folder / "parts.json").read_text("utf-8"))
    changed = [part for number, part in enumerate(parts) if not number or part[1] != parts[number - 1][1]]
    begun = ", ".join(f"from step {step} on {rows} rows" for step, rows in changed)
    mean = (
        f"; the weights are the mean with those at step {torch.load(earlier)['step']}, the last counting {share:.0%}"
        if earlier
        else ""
    )
    whole = f"{saved['step']} steps of about {BUDGET} tokens, {saved['spent'] / 60:.0f} minutes on two cores"
    return f"{whole}, stopped and gone on with {len(parts) - 1} times: {begun}{mean}"


def restore(model: Encoder, folder: Path, earlier: Path | None = None, share: float = 1.0) -> None:
    """Gives `model` the weights of the last checkpoint, or their mean with those of an `earlier` one, the last counting `share`.

    The mean of two points of one training is more robust on foreign text than its end (Wortsman et al. 2022, WiSE-FT).
    """
    last = torch.load(folder / "encoder.pt")["model"]
    if earlier is not None:
        before = torch.load(earlier)["model"]
        last = {
            name: torch.lerp(before[name], value, share) if value.is_floating_point() else value for name, value in last.items()
        }
    model.load_state_dict(last)


def _keep(mark: Path, model: Encoder, dense: Any, sparse: Any, spent: float, step: int) -> None:
    part = mark.with_suffix(".part")
    state = {"model": model.state_dict(), "dense": dense.state_dict(), "sparse": sparse.state_dict(), "spent": spent, "step": step}
    torch.save(state, part)
    part.replace(mark)


def made(base: Path, gguf: Path, texts: list[str], folder: Path, seed: int) -> tuple[Encoder, Tokens]:
    """A model ready to be taught. Its vocabulary is kept in `folder`, so that a later run goes on with the same."""
    torch.manual_seed(seed)
    names = folder / "tokens.json"
    if names.exists():
        tokens = json.loads(names.read_text("utf-8"))
        return Encoder(base, tokens, vocabulary.base_rows(base, tokens), {}), Tokens(tokens)
    tokens, vectors = vocabulary.build(base, gguf, texts)
    vocabulary.save(tokens, names)
    return Encoder(base, tokens, vocabulary.base_rows(base, tokens), vectors), Tokens(tokens)
