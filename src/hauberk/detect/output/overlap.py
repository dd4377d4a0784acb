"""How much of a prompt an answer repeats word for word: longest common run, and the share of the prompt that was copied.

Shingles of four tokens (a word, or one Chinese, Japanese or Korean character) find where a copy begins; from there it is
followed token by token, so that text may arrive in pieces. What the user wrote, what every prompt says, and what the prompt
itself tells the model to answer do not count. Paraphrase and translation are out of scope: no exact method sees them.
Containment of shingles is Broder's (1997).
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

SHINGLE = 4  # tokens
MAX_TOKENS = 60_000  # of a prompt; longer ones are compared up to here, and `Prompt.cut` says so
_MAX_PLACES = 4  # of one shingle in a prompt, and copies followed at once
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]{{1,64}}")
_WEIGHT = 0.6  # of a Chinese character, in words
_MEANT = re.compile(
    r"(?:\b(?:say|reply|respond|answer|output|write|return|print|greet|begin|start|end)\b|回复|回答|输出|说|以|返回|提示)"
    r"[^\n\"“「『]{0,40}[\"“「『]([^\"”」』\n]{4,400})[\"”」』]",
    re.IGNORECASE,
)
_BOILERPLATE = (
    "you are a helpful assistant",
    "you are a helpful, respectful and honest assistant. always answer as helpfully as possible, while being safe.",
    "you are chatgpt, a large language model trained by openai",
    "i am an ai language model and i do not have personal opinions or feelings",
    "as a large language model trained by",
    "answer the following question based on the context provided below",
    "let's think step by step",
    "if you have any other questions please feel free to ask",
    "please let me know if you have any questions or need further assistance",
    "is there anything else i can help you with today",
    "how can i help you today",
    "你是一个有用的人工智能助手",
    "你是一个乐于助人的助手请用中文回答用户的问题",
    "我是一个人工智能语言模型",
    "如果您有任何其他问题请随时告诉我",
    "请问有什么可以帮助您的吗",
    "请根据以下内容回答用户的问题",
)


class Token(NamedTuple):
    """A word or character, case-folded, and where it stands in the text."""

    word: str
    start: int
    end: int


def tokens(text: str, base: int = 0) -> Iterator[Token]:
    """The words and characters of `text`; places are counted from `base`."""
    for found in _TOKEN.finditer(text):
        yield Token(found[0].casefold(), base + found.start(), base + found.end())


def weight(word: str) -> float:
    """What a token counts, in words."""
    return _WEIGHT if len(word) == 1 and word >= "\u3040" else 1.0


class Prompt:
    """A prompt made ready for comparison. Building it is linear in the prompt and in what is `known`."""

    def __init__(self, text: str, known: tuple[str, ...] = ()) -> None:
        """`known`: texts whose words do not count, such as what the user wrote."""
        words: list[str] = []
        self.cut = False  # whether the prompt was longer than is compared
        for token in tokens(text):
            if len(words) >= MAX_TOKENS:
                self.cut = True
                break
            words.append(token.word)
        self.words = words
        self.weights = [weight(word) for word in words]
        self._forget(_shingles_of((*_BOILERPLATE, *known, *(found[1] for found in _MEANT.finditer(text)))))
        self.total = sum(self.weights)
        self.places: dict[tuple[str, ...], list[int]] = {}
        for at in range(len(words) - SHINGLE + 1):
            places = self.places.setdefault(tuple(words[at : at + SHINGLE]), [])
            if len(places) < _MAX_PLACES:
                places.append(at)

    def _forget(self, known: set[tuple[str, ...]]) -> None:
        for at in range(len(self.words) - SHINGLE + 1):
            if tuple(self.words[at : at + SHINGLE]) in known:
                self.weights[at : at + SHINGLE] = [0.0] * SHINGLE


def _shingles_of(texts: tuple[str, ...]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for text in texts:
        words = [token.word for _, token in zip(range(MAX_TOKENS), tokens(text), strict=False)]
        found.update(tuple(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1))
    return found


class Copy(msgspec.Struct):
    """A run of the prompt that is being repeated. `next` is the token of the prompt that would go on with it."""

    next: int
    words: float
    start: int  # character of the answer


class OverlapWatch:
    """Follows what an answer copies from `prompt`. Each token costs a bounded amount."""

    def __init__(self, prompt: Prompt) -> None:
        self.prompt = prompt
        self.longest = Copy(0, 0.0, 0)
        self.end = 0  # character after the longest copy
        self.copied = 0.0  # words of the prompt seen so far, each counted once
        self.first = -1  # character where the first copy began
        self._seen = bytearray(len(prompt.words))
        self._words: deque[str] = deque(maxlen=SHINGLE)
        self._starts: deque[int] = deque(maxlen=SHINGLE)
        self._running: dict[int, Copy] = {}

    @property
    def share(self) -> float:
        """How much of what counts in the prompt has been copied, 0..1."""
        return self.copied / self.prompt.total if self.prompt.total else 0.0

    def feed(self, token: Token) -> None:
        """The next token of the answer."""
        self._words.append(token.word)
        self._starts.append(token.start)
        places = self.prompt.places.get(tuple(self._words), ())
        if not self._running and not places:  # as nearly always
            return
        words = self.prompt.words
        running: dict[int, Copy] = {}
        for copy in self._running.values():
            if copy.next < len(words) and words[copy.next] == token.word:
                running[copy.next + 1] = Copy(copy.next + 1, copy.words + self._mark(copy.next), copy.start)
        for place in places:
            if place + SHINGLE not in running and len(running) < 2 * _MAX_PLACES:
                copied = sum(self._mark(place + i) for i in range(SHINGLE))
                running[place + SHINGLE] = Copy(place + SHINGLE, copied, self._starts[0])
        self._running = running
        for copy in running.values():
            if copy.words > self.longest.words:
                self.longest, self.end = copy, token.end
                self.first = copy.start if self.first < 0 else self.first

    def _mark(self, place: int) -> float:
        """Notes that a token of the prompt was copied. Returns what it counts."""
        counts = self.prompt.weights[place]
        if not self._seen[place]:
            self._seen[place] = 1
            self.copied += counts
        return counts
