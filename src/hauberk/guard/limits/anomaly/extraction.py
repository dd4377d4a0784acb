"""Does a key question the model as one who copies it would: systematically, not as work or talk comes along?

Windows of prompts are compared with the key's own earlier ones, as arXiv 2606.05725 does on embeddings, by the maximum mean
discrepancy (Gretton et al., JMLR 2012), here over hashed words, which cost microseconds; beside it stand plain signs of a sweep:
prompts nearly alike yet never repeated, lengths and distances too regular for people (the idea of PRADA, arXiv 1805.02628), and
mechanical parameters. The signs are weighed into one score; none is enough alone.
"""

from collections import OrderedDict, deque

import msgspec
import numpy as np

from hauberk.guard.limits.anomaly.texts import SIZE, Seen

WINDOW = 64  # prompts
MAX_KEYS = 1_000
_FRESH = 16  # prompts between two looks


class Sweep(msgspec.Struct, frozen=True):
    """What a window of prompts looks like; each sign lies in 0..1."""

    score: float
    framed: float  # share of prompts in the window's commonest frame
    novel: float  # share that was never asked before
    regular: float  # how alike their lengths are
    mechanical: float  # share asked with temperature 0, logprobs or one token of answer
    moved: float  # distance from the key's earlier prompts (MMD), 0 while there are none
    spread: float  # mean distance of a prompt to the one most like it: near 0 in a template, 1 where nothing is shared

    def evidence(self) -> dict[str, float]:
        """The signs, as an alarm shows them."""
        return {name: round(getattr(self, name), 3) for name in self.__struct_fields__}


class _Key:
    """One key's prompts: the last window, and the mean of all before it."""

    __slots__ = ("before", "count", "window")

    def __init__(self) -> None:
        self.window: deque[Seen] = deque(maxlen=WINDOW)
        self.before = np.zeros(SIZE)
        self.count = 0


class Extraction:
    """Watches prompts by key. Bounded: about 70 kB for a busy key, and keys longest silent are forgotten.

    Args:
        threshold: The score from which a window is systematic. Simulated false alarms and catches: `evals/guard/traces/README.md`.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._keys: OrderedDict[str, _Key] = OrderedDict()

    def prompt(self, key_id: str, seen: Seen) -> Sweep | None:
        """Takes a prompt in; the sweep it completes, when the window is full and its score is over the threshold."""
        key = self._keys.get(key_id)
        if key is None:
            key = self._keys[key_id] = _Key()
            if len(self._keys) > MAX_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(key_id)
        if len(key.window) == WINDOW:
            oldest = key.window[0]
            key.before += (oldest.words - key.before) * max(0.005, 1 / (key.count - WINDOW + 1))
        key.window.append(seen)
        key.count += 1
        if key.count < WINDOW or key.count % _FRESH:
            return None
        sweep = judge(list(key.window), key.before if key.count >= 2 * WINDOW else None)
        return sweep if sweep.score >= self.threshold else None


def judge(window: list[Seen], before: np.ndarray | None = None) -> Sweep:
    """How systematic a window of prompts is; `before` is the mean of the key's earlier word vectors."""
    words = np.stack([seen.words for seen in window])
    gram = words @ words.T
    size = len(window)
    frames = [seen.frame for seen in window]
    frames = [seen.frame for seen in window]
    framed = max(frames.count(frame) for frame in set(frames)) / size
    novel = len({round(float(value), 6) for value in words @ _PROBE}) / size
    regular = float(np.exp(-2.0 * np.array([seen.length for seen in window]).std()))
    spread = 1.0 - float(np.sort(gram - 2 * np.eye(size), axis=1)[:, -1].mean())
    mechanical = sum(seen.mechanical for seen in window) / size
    moved = float(np.linalg.norm(words.mean(axis=0) - before)) if before is not None else 0.0
    # Nearly the same as another prompt of the window, and yet never the same: a template that is filled in, a text perturbed.
    template = novel * min(max((_ORDINARY_SPREAD - spread) / 0.12, 0.0), 1.0)
    # All of one length and nothing in common: a list that is read out.
    walk = novel * min(max((regular - 0.8) / 0.15, 0.0), 1.0) * min(max((spread - 0.4) / 0.1, 0.0), 1.0)
    score = 0.6 * max(template, walk) + 0.25 * mechanical + 0.1 * regular + 0.05 * min(moved, 1.0)
    return Sweep(score, framed, novel, regular, mechanical, moved, spread)


_ORDINARY_SPREAD = 0.24  # of applications that put their own words around what users write
_PROBE = np.random.default_rng(20_260_605).standard_normal(SIZE)
"""A fixed direction: equal prompts fall on one point of it, others on different ones."""
