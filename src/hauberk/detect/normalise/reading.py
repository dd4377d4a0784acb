"""Pinyin read as characters: a Viterbi search over words and the pairs that they make, through every way to divide the letters."""

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from hauberk.detect.normalise.sounds import BORDER, STEP, sounds

_SYLLABLES = 4  # of one word
_LONGEST = 6  # letters of a syllable
_KEPT = 6  # readings that are carried on
_UNSEEN = 8  # what a pair costs that was not met often
_WRONG_TONE = 24


class Said(msgspec.Struct, frozen=True):
    """Words with the letters that they stand for, and the mean cost of a syllable in nats: language lies near 5."""

    words: tuple[tuple[int, int, str], ...]
    cost: float
    syllables: int


class _State(msgspec.Struct, gc=False):
    cost: int
    number: int
    start: int
    end: int
    word: str
    before: "_State | None"


def divides(letters: str, borders: AbstractSet[int]) -> list[list[int]]:
    """For each place of `letters`, where the syllables that begin there end; a place that leads nowhere has none.

    `borders` are places that no syllable may cross. The list is empty when the letters are no syllables throughout.
    """
    names = sounds().names
    size = len(letters)
    ends: list[list[int]] = [[] for _ in range(size + 1)]
    for start in range(size - 1, -1, -1):
        for end in range(start + 1, min(size, start + _LONGEST) + 1):
            if letters[start:end] in names and (end == size or ends[end]):
                ends[start].append(end)
            if end in borders:
                break
    return ends if size and ends[0] else []


def read(letters: str, ends: list[list[int]], tones: Mapping[int, int], before: str = "", after: str = "") -> Said:
    """The likeliest words of `letters`.

    Args:
        letters: In lower case without accents; ü is v.
        ends: As `divides` gives them; when there are none, no words are read and the cost is infinite.
        tones: 1 to 5, by the place of the letter that shows it.
        before: The characters, one or two, that stand right before, if any.
        after: Those right after.
    """
    held = sounds()
    size = len(letters) if ends else 0
    states: list[list[_State]] = [[] for _ in range(size + 1)]
    states[0] = [_State(0, held.number(before) if before else BORDER, 0, 0, "", None)]
    for place in range(size):
        if states[place]:
            kept = states[place] = _best(states[place])
            for end, sound, told in _sounds_from(letters, ends, tones, place):
                states[end].extend(_steps(kept, place, end, sound, told))
    last = _best(states[size])
    if not last or not ends:
        return Said((), math.inf, 0)
    if after:
        number = held.number(after)
        final = min(last, key=lambda state: state.cost + held.pairs.get(state.number << 16 | number, 80))
    else:
        final = last[0]
    words: list[tuple[int, int, str]] = []
    state: _State | None = final
    while state is not None and state.word:
        words.append((state.start, state.end, state.word))
        state = state.before
    syllables = sum(len(word) for _, _, word in words)
    return Said(tuple(reversed(words)), final.cost / STEP / max(syllables, 1), syllables)


def _best(states: list[_State]) -> list[_State]:
    states.sort(key=_cost)
    kept: dict[int, _State] = {}
    for state in states:
        if state.number not in kept:
            kept[state.number] = state
            if len(kept) >= _KEPT:
                break
    return list(kept.values())


def _cost(state: _State) -> int:
    return state.cost


def _sounds_from(
    letters: str, ends: list[list[int]], tones: Mapping[int, int], place: int
) -> Iterator[tuple[int, str, tuple[int, ...]]]:
    """Every sound of one to four syllables that begins at `place`: where it ends, itself, and the tones that were told."""
    names = sounds().names
    open_: list[tuple[int, str, tuple[int, ...]]] = [(place, "", ())]
    while open_:
        at, sound, told = open_.pop()
        for end in ends[at]:
            tone = next((tones[i] for i in range(at, end) if i in tones), 0) if tones else 0
            found = (end, sound + names[letters[at:end]], (*told, tone))
            yield found
            if len(found[1]) < _SYLLABLES:
                open_.append(found)


def _steps(kept: list[_State], start: int, end: int, sound: str, told: tuple[int, ...]) -> Iterator[_State]:
    """The words of a sound, each after the state that it follows best."""
    held = sounds()
    pairs = held.pairs
    for word, number, cost, tones in held.words(sound):
        unseen = cost + _UNSEEN
        wrong = sum(_WRONG_TONE for a, b in zip(told, tones, strict=False) if a and b and a not in (b, 5)) if any(told) else 0
        lowest, parent = 1 << 30, kept[0]
        for state in kept:
            total = state.cost + pairs.get(state.number << 16 | number, unseen)
            if total < lowest:
                lowest, parent = total, state
        yield _State(lowest + wrong, number, start, end, word, parent)
