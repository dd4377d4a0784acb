"""Words of Chinese by their sounds, and how likely one follows another: what `evals/guard/tables/sounds.py` makes."""

from functools import cache
from importlib.resources import files
from io import BytesIO

import numpy as np

BASE = 0xE000  # a syllable is one character of the private use area
BORDER = 0xFFFF  # the number of what stands before a sentence
STEP = 8  # costs are in eighths of a nat
_MOST = (14, 8, 6, 4)  # readings of one sound that are tried, by its syllables

Reading = tuple[str, int, int, tuple[int, ...]]
"""A word, its number, what it costs, and its tones, 0 for none."""


class Sounds:
    """The tables, read once; each sound's words are put together when they are first asked for."""

    def __init__(self, data: bytes) -> None:
        with np.load(BytesIO(data)) as held:
            self._words = held["words"].tobytes().decode().split(" ")
            names = held["names"].tobytes().decode().split(" ")
            sounds = held["sounds"].tobytes().decode().split("\n")
            self._ends = np.cumsum(held["sizes"], dtype=np.int64).tolist()
            self._word, self._cost, self._tones = held["word"], held["cost"], held["tones"]
            self.pairs: dict[int, int] = dict(zip(held["pairs"].tolist(), held["pair_cost"].tolist(), strict=True))
        self.names = {name: chr(BASE + number) for number, name in enumerate(names)}
        self.names |= {name.replace("ve", "ue"): mark for name, mark in self.names.items() if name.endswith("ve")}
        self.numbers = {word: number for number, word in enumerate(self._words)}
        self._at = {sound: number for number, sound in enumerate(sounds)}
        self._made: dict[str, list[Reading]] = {}

    def words(self, sound: str) -> list[Reading]:
        """The likeliest words of a sound, the commonest first; empty when there is none."""
        made = self._made.get(sound)
        if made is None:
            at = self._at.get(sound)
            if at is None:
                return []
            start = self._ends[at - 1] if at else 0
            stop = min(self._ends[at], start + _MOST[len(sound) - 1])
            made = [
                (self._words[self._word[i]], int(self._word[i]), int(self._cost[i]), tuple(self._tones[i].tolist())[: len(sound)])
                for i in range(start, stop)
            ]
            self._made[sound] = made
        return made

    def number(self, text: str) -> int:
        """The number of the word that `text`, of one or two characters, is or ends in; BORDER when there is none."""
        return self.numbers.get(text, self.numbers.get(text[-1:], BORDER))


@cache
def sounds() -> Sounds:
    """The shipped tables."""
    return Sounds((files("hauberk.rules") / "data" / "normalise" / "sounds.npz").read_bytes())
