# /// script
# requires-python = ">=3.11"
# dependencies = ["pypinyin==0.55.0", "jieba==0.42.1", "setuptools<81", "numpy", "msgspec", "pyyaml"]
# ///
"""Builds `sounds.npz`, by which pinyin is read as characters: `uv run evals/guard/tables/sounds.py`.

Words with their readings and costs, and the costs of pairs of words that stand side by side oftener than chance would have
it. Sources: jieba's word counts (MIT), pypinyin's readings of characters and phrases (MIT), and counts over the training rows,
whose licences are permissive; each sentence counts once, so that templates weigh no more than other texts.
"""

import importlib.resources
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "src/hauberk/rules/data/normalise/sounds.npz"
sys.path.insert(0, str(ROOT))
WORDS, PAIRS = 60_000, 220_000
LONGEST = 4
STEP = 8  # costs are in eighths of a nat
KEPT = 0.75  # share of the probability of a word after another one that its pairs may hold
HAN = re.compile("[\u4e00-\u9fff]+")
BORDER = 0xFFFF
BASE = 0xE000  # a syllable is one character of the private use area


def in_gb2312(text: str) -> bool:
    return len(text.encode("gb2312", "ignore")) == 2 * len(text)


def sentences() -> Iterator[str]:
    from evals.guard.data import corpus

    seen: set[str] = set()
    for row in corpus.load("train"):
        for piece in HAN.findall(row.text):
            if piece not in seen and in_gb2312(piece):
                seen.add(piece)
                yield piece


def counts() -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Words and pairs of words; the empty one is the border of a sentence."""
    import jieba

    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for sentence in sentences():
        cut = [
            w for word in jieba.cut(sentence, HMM=False) for w in ([word] if len(word) <= LONGEST else jieba.cut(word, HMM=True))
        ]
        words.update(cut)
        pairs.update(zip(["", *cut], cut, strict=False))
    return words, pairs


def general() -> Counter[str]:
    lines = (importlib.resources.files("jieba") / "dict.txt").read_text("utf-8").splitlines()
    made: Counter[str] = Counter()
    for line in lines:
        word, count = line.split(" ")[:2]
        if len(word) <= LONGEST and HAN.fullmatch(word) and in_gb2312(word):
            made[word] += int(count)
    return made


def readings(word: str) -> list[list[str]]:
    """Syllables with tones as digits; several for a character that is read in several ways."""
    from pypinyin import Style, lazy_pinyin, pinyin

    if len(word) > 1:
        return [lazy_pinyin(word, style=Style.TONE3, v_to_u=False)]
    return [[said] for said in pinyin(word, style=Style.TONE3, heteronym=True, v_to_u=False)[0][:4]]


def main() -> None:
    own, pairs = counts()
    common = general()
    total, total_own = sum(common.values()), sum(own.values())
    share = {
        word: 0.5 * common[word] / total + 0.5 * own[word] / total_own
        for word in {*common, *own}
        if len(word) <= LONGEST and (common[word] > 3 or own[word])
    }
    chars = [chr(c) for c in range(0x4E00, 0xA000) if in_gb2312(chr(c))]
    for char in chars:
        share.setdefault(char, 0.3 / total)
    ranked = sorted(share, key=lambda w: (-share[w], w))
    chosen = ranked[:WORDS]
    chosen = list(dict.fromkeys([*chosen, *chars]))
    assert len(chosen) < BORDER
    number = {word: i for i, word in enumerate(chosen)}
    number[""] = BORDER
    names: dict[str, int] = {}
    entries: list[tuple[str, int, int, list[int]]] = []  # sound, cost, word, tones
    for word in chosen:
        for rank, said in enumerate(readings(word)):
            plain = [re.sub("[0-9]", "", s) for s in said]
            if all(re.fullmatch("[a-z]{1,6}", s) for s in plain):
                sound = "".join(chr(BASE + names.setdefault(s, len(names))) for s in plain)
                tones = [int(s[-1]) if s[-1].isdigit() else 0 for s in said]
                cost = min(255, round((-math.log(share[word]) + rank * (1.5 if rank < 2 else 2)) * STEP))
                entries.append((sound, cost, number[word], tones + [0] * (LONGEST - len(tones))))
    entries.sort()
    sounds = list(dict.fromkeys(entry[0] for entry in entries))
    sizes = Counter(entry[0] for entry in entries)
    after = Counter[str]()
    kinds = Counter[str]()
    for (first, _), count in pairs.items():
        after[first] += count
        kinds[first] += 1
    kept: list[tuple[int, int, int]] = []
    for (first, second), count in pairs.items():
        if first not in number or second not in number or (count < 2 and len(first + second) < 3):
            continue
        held = after[first] / (after[first] + kinds[first])  # Witten and Bell 1991
        likely = held * count / after[first] + (1 - held) * share[second]
        gain = math.log(likely / share[second])
        if gain > 1:
            kept.append(
                (round(count * gain * 100), number[first] << 16 | number[second], min(255, round(-math.log(likely) * STEP)))
            )
    kept = sorted(sorted(kept, reverse=True)[:PAIRS], key=lambda entry: entry[1])
    np.savez_compressed(
        TARGET,
        words=np.frombuffer(" ".join(chosen).encode(), np.uint8),
        names=np.frombuffer(" ".join(names).encode(), np.uint8),
        sounds=np.frombuffer("\n".join(sounds).encode(), np.uint8),
        sizes=np.array([sizes[sound] for sound in sounds], np.uint8),
        word=np.array([entry[2] for entry in entries], np.uint16),
        cost=np.array([entry[1] for entry in entries], np.uint8),
        tones=np.array([entry[3] for entry in entries], np.uint8),
        pairs=np.array([k[1] for k in kept], np.uint32),
        pair_cost=np.array([k[2] for k in kept], np.uint8),
    )
    print(f"{TARGET.name}: {len(chosen)} words, {len(entries)} readings, {len(kept)} of {len(pairs)} pairs")


if __name__ == "__main__":
    main()
