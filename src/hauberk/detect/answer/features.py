"""What an answer is judged by: hashed n-grams of its parts, words of the request masked, and a few counts.

Parts are the first sentence, the next two, the last, and the whole opening. In a masked part every content word that stands in
the request is one mark, so that `no, X are not Y` is the same decline whatever X and Y are. Chinese is read by character.
"""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeAlias
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk.detect.answer.phrases import NEGATION, counts_of

F32: TypeAlias = npt.NDArray[np.float32]
BITS = 18
"""Buckets are numbered with so many bits."""
HEAD = 2_400
"""Characters of an answer that are read from its beginning."""
TAIL = 600
"""And from its end."""
MAX_REQUEST = 2_000
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[\u3400-\u4dbf\u4e00-\u9fff]|[^\s\w]|\w")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[。！？；])")
_LIST = re.compile(r"(?m)^[ \t]{0,12}(?:\d{1,3}[.)、]|[-*•])[ \t]*\S")
_STOP_WORDS = (
    "a an the of to in on at is are was were do does did i my me you your how what why who which when where can could "
    "should would will be been it its for and or not no with from by that this these those as if so but have has had "
    "they their he she his her we our there than then am don't can't 的 了 是 在 我 你 "
    "他 她 它 们 和 与 或 吗 呢 吧 啊 把 被 让 给 对 于 从 到 这 "
    "那 哪 什 么 怎 样 如 何 请 一 个 不 有 要 会 能 可 以 为 没 无 法 . , ? ! : ; 。 ， ？ ！ ： ； 、 \" ' ( ) “ ”"
)
_STOP = frozenset(_STOP_WORDS.split())


class Features(msgspec.Struct, frozen=True):
    """`numbers`: distinct buckets, `values`: their weights before rarity, `groups`: the part each belongs to; `dense`: counts."""

    numbers: npt.NDArray[np.int32]
    values: F32
    dense: F32


def features(request: str, answer: str) -> Features:
    """The features of `answer` to `request` ("" when that is not known). Linear in what is read of both, which is bounded."""
    text = _read(answer)
    asked = frozenset(_TOKEN.findall(request[:MAX_REQUEST].lower())) - _STOP
    sentences = [piece for piece in _SENTENCE.split(text) if piece and not piece.isspace()]
    parts = _parts(text, sentences, asked, _TOKEN.findall(request[:MAX_REQUEST].lower()))
    counted: dict[int, float] = {}
    for tag, grams in parts:
        for gram in grams:
            number = crc32(f"{tag}{gram}".encode()) & ((1 << BITS) - 1)
            counted[number] = counted.get(number, 0.0) + 1.0
    numbers = np.fromiter(counted, np.int32, len(counted))
    values = 1 + np.log(np.fromiter(counted.values(), np.float32, len(counted)))
    return Features(numbers, values.astype(np.float32), _dense(request, answer, text, sentences, asked))


def _read(answer: str) -> str:
    text = answer.strip().replace("\u2019", "'").lower()
    return text if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}"


def _parts(text: str, sentences: list[str], asked: frozenset[str], request: list[str]) -> Iterator[tuple[str, Iterable[str]]]:
    """Tag and n-grams of each part."""
    tokens = _TOKEN.findall(text)
    first = _TOKEN.findall(sentences[0])[:60] if sentences else []
    masked = ["@" if token in asked else token for token in first]
    yield "A", _grams(tokens[:260], 3)
    yield "F", _grams(first, 3)
    yield "M", _grams(masked, 4)
    # A question's words beside a denial in the first sentence: `why was it good` - `it was not` declines the premise.
    yield f"X{int(not NEGATION.isdisjoint(first[:24]))}", _grams(request[:40], 2)
    yield "S", _grams(_TOKEN.findall(" ".join(sentences[1:3]))[:90], 3)
    if len(sentences) > 1:
        yield "L", _grams(_TOKEN.findall(sentences[-1])[-60:], 3)


def _grams(tokens: list[str], longest: int) -> Iterator[str]:
    for size in range(1, longest + 1):
        yield from (" ".join(tokens[at : at + size]) for at in range(len(tokens) - size + 1))


def _dense(request: str, answer: str, text: str, sentences: list[str], asked: frozenset[str]) -> F32:
    """Counts, each of the order of one; their names are `DENSE`."""
    first = sentences[0] if sentences else ""
    tokens = _TOKEN.findall(first)
    declines = [counts_of(sentence) for sentence in sentences[:40]]
    hits = [count.declines for count in declines]
    last = max((at for at, hit in enumerate(hits) if hit), default=-1)
    after = sum(len(sentence) for sentence in sentences[last + 1 :]) if last >= 0 else 0
    wholly = frozenset(_TOKEN.findall(text)) if asked else frozenset[str]()
    why = request.lower().lstrip().startswith(("why", "explain why", "tell me why", "为什么", "为何", "凭什么"))
    negates = any(token in NEGATION for token in tokens[:24])
    return np.array(
        [
            1.0 if hits and hits[0] else 0.0,
            1.0 if any(hits[1:3]) else 0.0,
            1.0 if any(hits[3:]) else 0.0,
            sum(hits) / max(len(hits), 1),
            min(sum(count.warns for count in declines), 8) / 4,
            sum(1 for count in declines if count.warns) / max(len(hits), 1),
            min(sum(count.helps for count in declines), 4) / 2,
            min(sum(count.gives for count in declines), 4) / 2,
            1.0 if declines and declines[0].gives else 0.0,
            math.log1p(len(answer.strip())) / 4 - 1.4,
            math.log1p(after) / 4,
            min(sum(1 for _ in islice(_LIST.finditer(text), 10)), 10) / 5,
            1.0 if "```" in text else 0.0,
            1.0 if last >= 0 and _LIST.search(text, max(0, len(text) - after)) else 0.0,
            len(asked & wholly) / len(asked) if asked else 0.5,
            len(asked.intersection(tokens)) / len(asked) if asked else 0.5,
            1.0 if why else 0.0,
            1.0 if why and negates else 0.0,
            1.0 if negates else 0.0,
            1.0 if text.rstrip().endswith(("?", "？")) else 0.0,
        ],
        np.float32,
    )


DENSE = 20
"""Number of counts."""
