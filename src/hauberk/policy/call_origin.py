"""Where a value in the arguments of a tool's call comes from: what people in the conversation wrote, outside text, or the model."""

import json
import re
from enum import StrEnum

import msgspec

from hauberk.assets.chat import MessageContent
from hauberk.core import Evidence, Finding
from hauberk.detect.output.taint import normal
from hauberk.detect.output.tool_effect import Effect, effect_of

MOST_COMPARED = 2_000_000  # characters of each side of the conversation; a value beyond them counts as the model's own
_SEARCHES = 200  # places of one value in a text
_NUMBER = re.compile(r"\d(?:[ ().-]{0,2}\d){5,40}")
_SEPARATORS = re.compile(r"[ ().+-]")
_LEAST_DIGITS = 7  # of a number that is compared without its separators
_IN_MAIL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._%+-")


class CallOrigin(StrEnum):
    """Who brought a value into the conversation."""

    GIVEN = "given"  # the user or the operator wrote it
    FOREIGN = "foreign"  # it stands in a tool's result or a document, and nowhere in what they wrote
    MADE = "made"  # it stands nowhere: the model made it up, remembered or composed it


class _Side:
    """What one side of the conversation wrote, as values are held against it."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._text = normal("\n".join(texts)[:MOST_COMPARED])
        self._numbers = tuple(_SEPARATORS.sub("", found[0]) for found in _NUMBER.finditer(self._text))

    def wrote(self, value: str) -> bool:
        """Whether `value` stands here as a whole, numbers whatever their separators."""
        value = normal(value)
        if not value:
            return False
        return self._stands(value) or any(digits in number for digits in _digits(value) for number in self._numbers)

    def _stands(self, value: str) -> bool:
        mail, at = "@" in value, self._text.find(value)
        for _ in range(_SEARCHES):
            if at < 0:
                return False
            if not _continues(self._text, at, at + len(value), mail=mail):
                return True
            at = self._text.find(value, at + 1)
        return False


class _Origins:
    """The conversation around one call. Built once a message."""

    def __init__(self, message: MessageContent) -> None:
        self._own = _Side((*message.context.user, *message.context.system))
        self._foreign = _Side(message.context.foreign)

    def of(self, value: str) -> CallOrigin:
        if self._own.wrote(value):
            return CallOrigin.GIVEN
        return CallOrigin.FOREIGN if self._foreign.wrote(value) else CallOrigin.MADE


def by_origin(message: MessageContent, finding: Finding) -> tuple[tuple[CallOrigin | None, Finding], ...]:
    """`finding` in a call's arguments, divided by the origin of the values at its places.

    Evidence without a place has no origin. One finding may hold several values of which the user gave only some, and what
    is done with those must not be done with the others.
    """
    groups: dict[CallOrigin | None, list[Evidence]] = {}
    origins = message.once("call-origins", lambda: _Origins(message))
    for piece in finding.evidence:
        groups.setdefault(_origin(message, origins, piece), []).append(piece)
    if len(groups) < 2:
        return ((next(iter(groups), None), finding),)
    return tuple((origin, msgspec.structs.replace(finding, evidence=tuple(pieces))) for origin, pieces in groups.items())


def effect(message: MessageContent) -> Effect:
    """What the tool that `message` calls does; `unknown` for a message that calls none."""
    call = message.call
    if call is None:
        return Effect.UNKNOWN
    tool = next((tool for tool in message.context.tools if tool.name == call.name), None)
    return message.once("call-effect", lambda: effect_of(call.name, tool))


def _origin(message: MessageContent, origins: _Origins, piece: Evidence) -> CallOrigin | None:
    if piece.offset is None or not piece.length:
        return None
    start, end = message.char_span(piece.offset, piece.length)
    return origins.of(_unescaped(message.text[start:end]))


def _unescaped(value: str) -> str:
    """A piece of a JSON string as it was meant; itself where an escape is cut."""
    if "\\" not in value:
        return value
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:
        return value


def _continues(text: str, start: int, end: int, *, mail: bool) -> bool:
    """Whether what stands from `start` to `end` is only part of a longer value: `art` in `party`, `b@x.org` in `a.b@x.org`."""
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    if mail:
        longer = after == "-" or (after == "." and _plain(text[end + 1 : end + 2]))
        return before in _IN_MAIL or _plain(after) or longer
    return (_plain(before) and _plain(text[start])) or (_plain(after) and _plain(text[end - 1]))


def _plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _digits(value: str) -> tuple[str, ...]:
    """A number without its separators, and without a country's code in front; nothing for a value that is no number."""
    digits = _SEPARATORS.sub("", value)
    if not digits.isdecimal() or len(digits) < _LEAST_DIGITS:
        return ()
    code = 0 if value.startswith("+") else 2 if value.startswith("00") else -1
    if code < 0:
        return (digits,)
    return (digits, *(digits[code + cut :] for cut in (1, 2, 3) if len(digits) - code - cut > _LEAST_DIGITS))
