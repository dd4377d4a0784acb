"""Watches one answer for the instructions it was given, whole or as it streams."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from hauberk.detect.output.canaries import CanaryWatch, Leak
from hauberk.detect.output.overlap import OverlapWatch, Prompt, tokens

_LONGEST_WORD = 64  # characters: an unfinished word is held back no longer


class Limits(msgspec.Struct, frozen=True):
    """When a copy counts. Words; a Chinese character counts 0.6 of one."""

    run: float = 14.0  # words in one piece
    copied: float = 6.0  # words together, when at least `share` of the prompt is copied
    share: float = 0.5
    much: float = 40.0  # words together, whatever the share


class LeakWatch:
    """Fed an answer in pieces, says when it holds a canary or repeats a prompt. Each leak is told once.

    The cost of `feed` is that of the new text; memory is that of the prompts. Paraphrase and translation are out of scope.
    """

    def __init__(
        self,
        system: Iterable[str] = (),
        canaries: Iterable[str] = (),
        known: Iterable[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """`system`: the prompts; `canaries`: tokens planted in them; `known`: what the user wrote, which does not count."""
        self._limits = limits or Limits()
        self._canaries = CanaryWatch(tuple(canaries))
        said = tuple(text for text in known if text)
        self._watches = [OverlapWatch(_prompt(text, said)) for text in system if text.strip()]
        self._told: set[tuple[int, str]] = set()
        self._word = ""  # unfinished, at the end of what was fed
        self._read = 0

    @property
    def cut(self) -> bool:
        """Whether a prompt was too long to be compared to its end."""
        return any(watch.prompt.cut for watch in self._watches)

    def feed(self, text: str) -> tuple[Leak, ...]:
        """The leaks that `text` completes."""
        found = list(self._canaries.feed(text))
        text, start = self._word + text, self._read - len(self._word)
        self._read = start + len(text)
        ends = len(text)
        while ends and len(text) - ends < _LONGEST_WORD and text[ends - 1].isalnum() and text[ends - 1] < "\u3040":
            ends -= 1
        self._word = text[ends:]
        found.extend(self._compare(text[:ends], start))
        return tuple(found)

    def end(self) -> tuple[Leak, ...]:
        """The leaks that the last word completes."""
        word, self._word = self._word, ""
        return (*self._canaries.end(), *self._compare(word, self._read - len(word)))

    def _compare(self, text: str, start: int) -> Iterator[Leak]:
        if not self._watches:
            return
        for token in tokens(text, start):
            for watch in self._watches:
                watch.feed(token)
        for number, watch in enumerate(self._watches):
            kind = self._kind(watch)
            if kind and (number, kind) not in self._told:
                self._told.add((number, kind))
                begin = watch.first if kind == "overlap" else watch.longest.start
                yield Leak(kind, "verbatim", begin, watch.end, round(max(watch.longest.words, watch.copied), 1), watch.share)

    def _kind(self, watch: OverlapWatch) -> str:
        """`overlap` when much of a prompt is out, `quote` when one long piece is, else nothing."""
        limits = self._limits
        if watch.copied >= limits.much or (watch.copied >= limits.copied and watch.share >= limits.share):
            return "overlap"
        return "quote" if watch.longest.words >= limits.run else ""


@lru_cache(maxsize=64)
def _prompt(text: str, known: tuple[str, ...]) -> Prompt:
    return Prompt(text, known)
