"""Chinese written in pinyin, spaced or not, with tones or without, alone or among characters, read as the likeliest characters."""

import re
import unicodedata
from functools import cache, lru_cache

import msgspec

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.reading import Said, divides, read
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_ACCENTED = "āáǎàēéěèīíǐìōóǒòūúǔùüǖǘǚǜńňǹḿ"
_LETTER = f"[A-Za-z{_ACCENTED}{_ACCENTED.upper()}]"
_TOKEN = re.compile(rf"(?<!{_LETTER}){_LETTER}++(?:[1-5]{_LETTER}++)*+(?:[1-5](?![0-9]))?+")
_SOFT = re.compile(r"[ '’\-]{0,2}")
_HAN = "\u4e00-\u9fff"
_BEFORE = re.compile(rf"[{_HAN}]{{1,2}} ?$")
_AFTER = re.compile(rf" ?([{_HAN}]{{1,2}})")
_LEAST = 5  # syllables of a run that stands alone
_LEAST_LETTERS = 8  # of such a run
_LEAST_MIXED = 4  # syllables among characters, all runs together
_LIKELY = 6.6  # nats a syllable: language lies near 5, names and chance above 7
_MOST_ENGLISH = 0.9  # of the letters of a run beside others that are pinyin: many short syllables are English words, too
_CACHED = 16  # letters of a word that is looked up before it is divided
_MOST = 6000  # letters that are read in one text


class _Run(msgspec.Struct):
    """Words that divide into syllables, with nothing but spaces between them."""

    text: str
    tokens: list[tuple[int, int]]
    letters: str = ""
    places: list[int] = []
    borders: set[int] = set()
    tones: dict[int, int] = {}
    said: Said | None = None

    @property
    def mixed(self) -> bool:
        """Whether it stands right beside characters."""
        return bool(self.before or self.after)

    @property
    def before(self) -> str:
        found = _BEFORE.search(self.text, max(0, self.tokens[0][0] - 3), self.tokens[0][0])
        return found[0].strip() if found else ""

    @property
    def after(self) -> str:
        found = _AFTER.match(self.text, self.tokens[-1][1])
        return found[1] if found else ""

    def words(self) -> list[str]:
        return [self.text[start:end] for start, end in self.tokens]

    def long_enough(self) -> bool:
        return len(self.letters) >= _LEAST_LETTERS and not self.foreign()

    def foreign(self, most: float = 0.5) -> bool:
        """Whether it is English, more than `most` of its letters, or names, as far as its writing tells."""
        words = self.words()
        english = sum(len(word) for word in words if len(word) > 1 and word.lower() in english_words())
        names = sum(word[0].isupper() and not word.isupper() for word in words)
        return not self.tones and (english > most * sum(map(len, words)) or names * 2 > len(words))


def decode(text: str) -> Decoded | None:
    """`text` with stretches of pinyin replaced by characters."""
    runs, partial = _runs(text)
    alone = [run for run in runs if run.long_enough() and _read(run).syllables >= _LEAST and _read(run).cost <= _LIKELY]
    mixed = [run for run in runs if run.mixed and not run.foreign() and run.text[run.tokens[0][0]].islower()]
    if sum(_read(run).syllables for run in mixed) < _LEAST_MIXED or not any(_read(run).syllables > 1 for run in mixed):
        mixed = []
    if not alone and not mixed:
        return None
    sure = sum(len(run.letters) for run in alone) * 4 > sum(len(token[0]) for token in _TOKEN.finditer(text))
    chosen = [run for run in runs if run in alone or run in mixed or (sure and not run.foreign(_MOST_ENGLISH))]
    weave = Weave(text)
    for run in chosen:
        if _read(run).words:
            _put(weave, run)
    return weave.done("pinyin", partial=partial)


def _read(run: _Run) -> Said:
    if run.said is None:
        run.said = read(run.letters, divides(run.letters, run.borders), run.tones, run.before, run.after)
    return run.said


def _put(weave: Weave, run: _Run) -> None:
    """The words of a run in place of their letters; the spaces around and between them go, as Chinese has none."""
    start = run.tokens[0][0]
    last = start - 1 if run.text[max(0, start - 2) : start].strip(" ") and run.text[start - 1 : start] == " " else start
    for first, end, word in _read(run).words:
        origin = run.places[first]
        if last < origin:
            weave.put("", last, origin)
        last = run.places[end - 1] + 1
        if run.text[last : last + 1].isdigit():
            last += 1
        weave.put(word, origin, last)
    if run.text[last : last + 1] == " ":
        weave.put("", last, last + 1)


def _runs(text: str) -> tuple[list[_Run], bool]:
    """The longest stretches whose every word divides into syllables, and whether there were more letters than are read."""
    runs: list[_Run] = []
    joined = False
    room = _MOST
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if (end - start < 4 and token[0].isupper()) or not _is_pinyin(token[0]) or _in_word(text, start, end):
            joined = False
            continue
        room -= end - start
        if room < 0:
            return runs, True
        if not (joined and _SOFT.fullmatch(text, runs[-1].tokens[-1][1], start)):
            runs.append(_Run(text, []))
        _append(runs[-1], start, end, [_character(char) for char in token[0]])
        joined = True
    return runs, False


@cache
def _character(char: str) -> tuple[str, int]:
    """A character of a token as a letter, empty for a digit, and the tone that it shows, 0 for none."""
    if char.isdigit():
        return "", int(char)
    split = unicodedata.normalize("NFD", char.lower())
    tone = next((_TONES[mark] for mark in split if mark in _TONES), 0)
    return ("v" if "\u0308" in split else split[0]), tone


_TONES = {"\u0304": 1, "\u0301": 2, "\u030c": 3, "\u0300": 4}


def _in_word(text: str, start: int, end: int) -> bool:
    """Whether letters that pinyin lacks stand beside it: another language."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before.isalpha() and before < "\u0400") or (after.isalpha() and after < "\u0400")


def _is_pinyin(token: str) -> bool:
    return _is_short_pinyin(token) if len(token) <= _CACHED else _divides(token)


def _divides(token: str) -> bool:
    return bool(divides("".join(_character(char)[0] for char in token), frozenset()))


_is_short_pinyin = lru_cache(1 << 14)(_divides)


def _append(run: _Run, start: int, end: int, plain: list[tuple[str, int]]) -> None:
    run.tokens.append((start, end))
    at = len(run.letters)
    run.borders.add(at)
    letters: list[str] = []
    for place, (letter, tone) in enumerate(plain):
        if letter:
            run.places.append(start + place)
            letters.append(letter)
        if tone:
            run.tones[at + len(letters) - 1] = tone
        if not letter:
            run.borders.add(at + len(letters))
    run.letters += "".join(letters)


_A, _E, _I, _O, _U = "[aāáǎà]", "[eēéěè]", "[iīíǐì]", "[oōóǒò]", "[uūúǔùvüǖǘǚǜ]"
_FINAL = f"(?:[iu]?{_A}(?:[io]|ng?)?|i?{_A}o|[iuvü]?{_E}(?:i|ng?|r)?|{_I}(?:ng?|u)?|[iu]?{_O}(?:u|ng)?|{_U}(?:[in]|o)?|i{_U}|u{_I})"
_ONE = f"(?:[bpmfdtnlgkhjqxzcsryw]|zh|ch|sh)?{_FINAL}[1-5]?"
_MARK = (
    r"(?:\b(?:zh|x[iuü]|q(?:i|uan|u\b|ü)|(?:[dtnlgkhzcs]|[zcs]h)uo|[jlnx]ia(?:ng|o)|g?uang)|[āǎīǐūǔüǖǘǚǜ])"  # seldom met in English
)
_REST = "[a-z1-5ēéěèīíǐìōóǒòūúǔùüǖǘǚǜ]"
_SPACED = rf"\b(?:{_ONE}[ '\-,，]{{1,2}}){{4}}{_ONE}\b|\b(?:{_ONE}){{5,}}\b"
_MARKED = rf"{_MARK}{_REST}*(?:[ '\-,，]+{_REST}+){{0,4}}[ '\-,，]+{_REST}*{_MARK}"
_AMONG = rf"[{_HAN}] ?(?:{_ONE}){{2,}}(?:[^A-Za-z]|$)"
DECODER = Decoder("pinyin", f"(?i){_SPACED}|{_MARKED}|{_AMONG}", decode)
