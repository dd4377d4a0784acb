"""Disguises a text by the techniques that prompt attacks use, deterministically by seed; own tables, apart from the decoders'.

`python evals/guard/obfuscate.py` prints, for each technique, the share of attack texts of which some view holds the original
letter for letter (spaces and accents apart), and the share of which the text alone, and the best view, hold 80% of the words.
Pinyin and homophones want pypinyin (MIT): `uv run --with pypinyin==0.55.0 python evals/guard/obfuscate.py`.
"""

import argparse
import base64
import codecs
import gzip
import json
import random
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

Obfuscation = Callable[[str, random.Random], str]
_VOWEL_MARKS = "\u0300\u0301\u0302\u0303\u0308\u030a\u0304\u030c"
_CYRILLIC = dict(zip("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ", strict=True))
_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_DITS = "etianmsurwdkgohvf?l?pjbxcyzq"  # Morse as a binary tree, level by level
_HAN = re.compile("[\u4e00-\u9fff]")
_COMMON = frozenset(chr(c) for c in range(0x4E00, 0xA000) if chr(c).encode("gb2312", "replace")[0] in range(0xB0, 0xD8))
"""The characters of GB 2312's first level."""
_WORDS = re.compile("[a-z]+")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_KEYS = (
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. "
    ".-.-.- --..-- ..--.. -.-.-- -..-. .-..-. ---... -....- .----. -.--. -.--.- .-... -.-.-. -...- .-.-. ..--.- .--.-."
)
_KEYED = dict(zip("0123456789.,?!/\":-'()&;=+_@", _KEYS.split(" "), strict=True))
_SPLIT = re.compile(r"[A-Za-z]{4,}")


def b64(text: str, _: random.Random) -> str:
    return base64.b64encode(text.encode()).decode()


def diacritics(text: str, rng: random.Random) -> str:
    marked = "".join(c + rng.choice(_VOWEL_MARKS) if c.isascii() and c.isalpha() and rng.random() < 0.6 else c for c in text)
    return unicodedata.normalize("NFC", marked)


def hyphens(text: str, rng: random.Random) -> str:
    return _cut(text, rng, "-")


def spaces(text: str, rng: random.Random) -> str:
    return _cut(text, rng, " ")


def _cut(text: str, rng: random.Random, sign: str) -> str:
    if not text.isascii():
        return sign.join(text)

    def one(found: re.Match[str]) -> str:
        at = rng.randint(2, len(found[0]) - 2)
        return found[0][:at] + sign + found[0][at:]

    return _SPLIT.sub(one, text)


def letters(text: str, _: random.Random) -> str:
    return " ".join(text)


def zero_width(text: str, rng: random.Random) -> str:
    return "".join(c + (rng.choice("\u200b\u200c\u200d\u2060") if rng.random() < 0.5 else "") for c in text)


def homoglyphs(text: str, rng: random.Random) -> str:
    return "".join(_CYRILLIC[c] if c in _CYRILLIC and rng.random() < 0.6 else c for c in text)


def leet(text: str, rng: random.Random) -> str:
    return "".join(_LEET[c.lower()] if c.lower() in _LEET and rng.random() < 0.8 else c for c in text)


def rot13(text: str, _: random.Random) -> str:
    return "".join(
        chr((ord(c.lower()) - 97 + 13) % 26 + (97 if c.islower() else 65)) if c.isascii() and c.isalpha() else c for c in text
    )


def hexadecimal(text: str, rng: random.Random) -> str:
    return text.encode().hex(rng.choice(" :")) if rng.random() < 0.5 else text.encode().hex()


def url(text: str, _: random.Random) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def caesar(text: str, rng: random.Random) -> str:
    shift = rng.choice([n for n in range(1, 26) if n != 13])
    small = "".join(chr(97 + (n + shift) % 26) for n in range(26))
    return text.translate(str.maketrans(_ALPHABET + _ALPHABET.upper(), small + small.upper()))


def morse(text: str, _: random.Random) -> str:
    """Letters, digits and signs, as keyed by telegraphists (ITU-R M.1677-1)."""
    return " / ".join(filter(None, (" ".join(filter(None, map(_dits, word))) for word in text.split())))


def morse_letters(text: str, _: random.Random) -> str:
    """Letters only: digits and signs are lost."""
    return " / ".join(filter(None, (" ".join(_dits(c) for c in word if c.isascii() and c.isalpha()) for word in text.split())))


def _dits(char: str) -> str:
    if char in _KEYED:
        return _KEYED[char]
    at = _DITS.find(char.lower()) + 2
    return bin(at)[3:].replace("0", ".").replace("1", "-") if at > 1 and char.isalpha() else ""


def reversed_text(text: str, _: random.Random) -> str:
    return text[::-1]


def reversed_lines(text: str, _: random.Random) -> str:
    return "\n".join(line[::-1] for line in text.split("\n"))


def nested(text: str, rng: random.Random) -> str:
    """One encoding in another."""
    steps = list(rng.choice(_NESTS))
    for step in steps:
        text = step(text, rng)
    return text


def full_width(text: str, _: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


def pinyin(text: str, _: random.Random) -> str:
    """Syllables without tones."""
    from pypinyin import lazy_pinyin

    return " ".join(lazy_pinyin(text))


def pinyin_tones(text: str, rng: random.Random) -> str:
    """Syllables with tones, as accents or as digits."""
    from pypinyin import Style, lazy_pinyin

    return " ".join(lazy_pinyin(text, style=rng.choice((Style.TONE, Style.TONE3))))


def pinyin_joined(text: str, rng: random.Random) -> str:
    """Without spaces, with or without tones; punctuation stays."""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(text, style=rng.choice((Style.NORMAL, Style.TONE))))


def pinyin_mixed(text: str, rng: random.Random) -> str:
    """Half of the characters, in runs, as syllables without tones."""
    from pypinyin import lazy_pinyin

    pieces = re.findall("[\u4e00-\u9fff]{1,4}|[^\u4e00-\u9fff]+", text)
    return "".join("".join(lazy_pinyin(p)) if _HAN.match(p) and rng.random() < 0.5 else p for p in pieces)


def homophones(text: str, rng: random.Random) -> str:
    """Three characters of ten as common ones of the same sound."""
    from pypinyin import lazy_pinyin

    same = _by_sound()
    return "".join(rng.choice(same[lazy_pinyin(c)[0]]) if c in _COMMON and rng.random() < 0.3 else c for c in text)


@cache
def _by_sound() -> dict[str, list[str]]:
    from pypinyin import lazy_pinyin

    found: dict[str, list[str]] = {}
    for char in sorted(_COMMON):
        found.setdefault(lazy_pinyin(char)[0], []).append(char)
    return found


_NESTS: tuple[tuple[Obfuscation, ...], ...] = (
    (lambda text, _: codecs.encode(text, "rot13"), b64),
    (b64, b64),
    (b64, hexadecimal),
    (hexadecimal, b64),
    (reversed_text, b64),
    (b64, url),
    (full_width, b64),
    (letters, b64),
    (lambda text, _: codecs.encode(text, "rot13"), reversed_text),
)
TECHNIQUES: dict[str, Obfuscation] = {
    "plain": lambda text, _: text,
    "base64": b64,
    "diacritics": diacritics,
    "split-hyphen": hyphens,
    "split-space": spaces,
    "split-letters": letters,
    "zero-width": zero_width,
    "homoglyphs": homoglyphs,
    "leet": leet,
    "rot13": rot13,
    "caesar": caesar,
    "hex": hexadecimal,
    "url": url,
    "morse": morse,
    "morse-letters": morse_letters,
    "reversed": reversed_text,
    "reversed-lines": reversed_lines,
    "nested": nested,
    "full-width": full_width,
    "pinyin": pinyin,
    "pinyin-tones": pinyin_tones,
    "pinyin-joined": pinyin_joined,
    "pinyin-mixed": pinyin_mixed,
    "homophones": homophones,
}
CHINESE_ONLY = frozenset({"pinyin", "pinyin-tones", "pinyin-joined", "pinyin-mixed", "homophones"})
ENGLISH_ONLY = frozenset({"diacritics", "homoglyphs", "leet", "rot13", "caesar", "morse", "morse-letters"})
"""A Chinese text has no letters for these."""
MOST = 0.8  # of the words of a text that a view must hold


def obfuscate(text: str, technique: str, seed: int = 0) -> str:
    """`text` under `technique`, a key of TECHNIQUES. Raises KeyError."""
    return TECHNIQUES[technique](text, random.Random(f"{seed}:{technique}:{text}"))  # noqa: S311 - a seed makes it repeatable


def fits(technique: str, text: str) -> bool:
    """Whether the technique means anything for the script of `text`."""
    chinese = any("\u4e00" <= c <= "\u9fff" for c in text)
    return technique not in ENGLISH_ONLY if chinese else technique not in CHINESE_ONLY


def core(text: str) -> str:
    """The letters and digits of `text` without case and accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in plain if c.isalnum() and not unicodedata.combining(c))


def likeness(wanted: str, views: list[str]) -> float:
    """The best share of the 5-character pieces of `wanted` that one view holds, spaces and accents apart."""
    pieces = {wanted[i : i + 5] for i in range(max(1, len(wanted) - 4))}
    return max(sum(piece in view for piece in pieces) / len(pieces) for view in views)


def words_kept(text: str, views: list[str]) -> float:
    """The best share of the words of `text` (of a Chinese one its 3-character pieces) that one view holds as such."""
    if _HAN.search(text):
        pieces = {text[i : i + 3] for i in range(len(text) - 2)}
        return max(sum(piece in view for piece in pieces) / len(pieces) for view in views)
    wanted = set(_WORDS.findall(text.lower()))
    return max(len(wanted & set(_WORDS.findall(view.lower()))) / len(wanted) for view in views)


def main() -> None:
    from hauberk.detect.normalise import views_of

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared/data/guard/train")
    options = parser.parse_args()
    texts: list[tuple[str, str]] = []
    for language, names in (("en", ("advbench", "tr_bipia_bare", "harmbench")), ("zh", ("jade_zh", "jailbench_seed_zh"))):
        found: list[str] = []
        for name in names:
            with gzip.open(options.data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
                found += [row["text"] for row in map(json.loads, rows) if row["label"] and 15 <= len(row["text"]) <= 400]
        texts += [(language, text) for text in random.Random(options.seed).sample(found, min(options.rows, len(found)))]  # noqa: S311 - as above
    print("| technique | en: whole | en: words raw | en: words | zh: whole | zh: raw | zh: pieces |\n|---|---|---|---|---|---|---|")
    for technique in TECHNIQUES:
        cells: list[str] = []
        for language in ("en", "zh"):
            shares: list[tuple[bool, bool, bool]] = []
            for text in (t for lang, t in texts if lang == language and fits(technique, t)):
                views = [view.text for view in views_of(obfuscate(text, technique, options.seed)).views]
                whole = likeness(core(text), [core(view) for view in views]) == 1
                shares.append((whole, words_kept(text, views[:1]) >= MOST, words_kept(text, views) >= MOST))
            cells += [f"{sum(share[i] for share in shares) / len(shares):.3f}" if shares else "-" for i in range(3)]
        print(f"| {technique} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
