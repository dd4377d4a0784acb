"""The greedy coordinate gradient search for a suffix. Source: Zou et al. 2023, algorithm 1."""

import os
from functools import cache
from importlib import import_module
from typing import Any

STEPS, LENGTH, CANDIDATES, TOP = 40, 16, 48, 64
"""Steps of the search, tokens of the suffix, candidates tried a step, and tokens with the best gradient that they come from."""


class SuffixError(Exception):
    """The local model cannot be used; one line: what, where, what to do."""


@cache
def _loaded(path: str) -> tuple[Any, Any]:
    """Model and tokenizer, loaded once. Never runs code of the folder."""
    try:
        transformers: Any = import_module("transformers")
    except ImportError as error:
        raise SuffixError("GCG needs torch and transformers: pip install 'hauberk[gcg]'") from error
    folder, file = os.path.split(path) if path.endswith(".gguf") else (path, "")
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True, **({"gguf_file": file} if file else {})}
    try:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **options)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32", **options)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise SuffixError(f"{path}: transformers cannot load it: {' '.join(str(error).split())[:200]}") from error
    model.eval()
    model.requires_grad_(requires_grad=False)
    return model, tokenizer


def suffix(path: str, request: str, begin: str, seed: int, steps: int = STEPS) -> str:
    """A suffix for `request` after which the model at `path` is likelier to begin its answer with `begin`.

    The same `seed`, model and library versions give the same suffix. Raises SuffixError.
    """
    model, tokenizer = _loaded(path)
    search = _Search(model, tokenizer, request, begin, seed, import_module("torch"))
    for _ in range(steps):
        search.step()
    return search.text


class _Search:
    """One suffix being improved. Tokens: the chat's words and the request, the suffix, the rest of the chat, the aim."""

    def __init__(self, model: Any, tokenizer: Any, request: str, begin: str, seed: int, torch: Any) -> None:
        self.model, self.tokenizer, self.torch = model, tokenizer, torch
        self.choose = torch.Generator().manual_seed(seed)
        head, tail = _around(tokenizer, request)
        self.head, self.tail, self.aim = (self._ids(text) for text in (head, tail, begin))
        self.table = model.get_input_embeddings().weight
        allowed = [number for number in range(self.table.shape[0]) if _plain(tokenizer.decode([number]))]
        if len(allowed) < TOP:
            raise SuffixError("the model's vocabulary has too few plain words for a suffix")
        self.allowed = torch.tensor(allowed)
        self.suffix = self._ids(" !" * LENGTH)[:LENGTH]
        self.loss = float(self._losses(self.suffix.unsqueeze(0))[0])

    @property
    def text(self) -> str:
        return str(self.tokenizer.decode(self.suffix)).strip()

    def step(self) -> None:
        """Tries candidates that differ in one token, chosen by the gradient, and keeps the best if it is better."""
        torch = self.torch
        slope = -self._gradient()[:, self.allowed]
        best = self.allowed[slope.topk(TOP, dim=1).indices]
        tries = self.suffix.repeat(CANDIDATES, 1)
        places = torch.randint(len(self.suffix), (CANDIDATES,), generator=self.choose)
        ranks = torch.randint(TOP, (CANDIDATES,), generator=self.choose)
        tries[torch.arange(CANDIDATES), places] = best[places, ranks]
        with torch.no_grad():
            losses = self._losses(tries)
        at = int(losses.argmin())
        if float(losses[at]) < self.loss:
            self.suffix, self.loss = tries[at], float(losses[at])

    def _gradient(self) -> Any:
        """Of the loss by the one-hot choice of each suffix token (suffix x vocabulary)."""
        torch = self.torch
        choice = torch.nn.functional.one_hot(self.suffix, self.table.shape[0]).to(self.table.dtype).requires_grad_()
        parts = [self.table[self.head], choice @ self.table, self.table[self.tail], self.table[self.aim]]
        logits = self.model(inputs_embeds=torch.cat(parts).unsqueeze(0)).logits[0]
        loss = torch.nn.functional.cross_entropy(logits[-len(self.aim) - 1 : -1], self.aim)
        (slope,) = torch.autograd.grad(loss, choice)
        return slope

    def _losses(self, tries: Any) -> Any:
        """Loss of each suffix of `tries` (tries x suffix)."""
        torch = self.torch
        rows = [torch.cat([self.head, one, self.tail, self.aim]) for one in tries]
        logits = self.model(torch.stack(rows)).logits[:, -len(self.aim) - 1 : -1]
        aims = self.aim.repeat(len(rows), 1)
        return torch.nn.functional.cross_entropy(logits.transpose(1, 2), aims, reduction="none").mean(1)

    def _ids(self, text: str) -> Any:
        return self.torch.tensor(self.tokenizer.encode(text, add_special_tokens=False), dtype=self.torch.long)


def _around(tokenizer: Any, request: str) -> tuple[str, str]:
    """What stands before and after the suffix in the model's own chat form."""
    mark = "\x00"
    if getattr(tokenizer, "chat_template", None):
        messages = [{"role": "user", "content": f"{request} {mark}"}]
        whole = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        if whole.count(mark) == 1:
            head, _, tail = whole.partition(mark)
            return head, tail
    return f"User: {request} ", "\nAssistant: "


def _plain(text: str) -> bool:
    return bool(text.strip()) and text.isascii() and text.isprintable()
