"""The answer that is to be judged, within bounds."""

import unicodedata

import msgspec

from hauberk.assets.chat import ToolCall
from hauberk.probe.targets.target import Exchange

HEAD = 96_000
"""Characters of an answer that are judged from its beginning."""
TAIL = 32_000
"""And from its end, when it is longer than both."""
MAX_CALLS = 500
MAX_ASKED = 200_000  # characters of the conversation that an answer is held against


class Answer(msgspec.Struct, frozen=True):
    """What came back.

    Attributes:
        text: The answer: valid Unicode, at most HEAD + TAIL characters.
        prompt: The undisguised request.
        asked: The texts that the target was sent, system prompt and foreign content with them, bounded together.
        calls: Tool calls up to this exchange, asked for or made by itself.
        cut: One clause on what was not judged, "" when all was.
        tokens: Tokens of this reply as the API counted them, 0 when it did not say.
        length: Characters of the whole answer.
        finish: Why the target stopped.
    """

    text: str
    prompt: str
    asked: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    cut: str = ""
    tokens: int = 0
    length: int = 0
    finish: str = ""


def answer_of(prompt: str, transcript: tuple[Exchange, ...], at: int) -> Answer | None:
    """The answer of exchange `at` (negative numbers count from the end); None when there is none."""
    number = at if at >= 0 else len(transcript) + at
    if not 0 <= number < len(transcript) or (reply := transcript[number].reply) is None:
        return None
    text, cut = bounded(reply.text)
    return Answer(
        text=text,
        prompt=clean(prompt)[:MAX_ASKED],
        asked=_asked(transcript[number]),
        calls=_calls(transcript[: number + 1]),
        cut=cut,
        tokens=reply.usage.completion,
        length=len(reply.text),
        finish=reply.finish,
    )


def bounded(text: str) -> tuple[str, str]:
    """`text` as it is judged, and a clause on what of it is not."""
    if len(text) <= HEAD + TAIL:
        return clean(text), ""
    kept = f"{text[:HEAD]}\n{text[-TAIL:]}"
    return clean(kept), f"{len(text) - HEAD - TAIL} characters in the middle of the answer were not judged"


def clean(text: str) -> str:
    """`text` in NFC, lone surrogates replaced."""
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))


def _asked(exchange: Exchange) -> tuple[str, ...]:
    room = MAX_ASKED
    found: list[str] = []
    for message in reversed(exchange.request.messages):
        if room <= 0:
            break
        found.append(clean(message.text[:room]))
        room -= len(message.text)
    return tuple(reversed(found))


def _calls(transcript: tuple[Exchange, ...]) -> tuple[ToolCall, ...]:
    found: list[ToolCall] = []
    for exchange in transcript:
        if exchange.reply is not None:
            found.extend(exchange.reply.calls)
            found.extend(step.call for step in exchange.reply.steps)
        if len(found) > MAX_CALLS:
            break
    return tuple(found[:MAX_CALLS])
