"""The vocabulary in a GGUF file: lengths that must agree, ids that must exist, and texts that two tokens share."""

import re
from collections.abc import Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_header import Header, Value, integers, walk_strings
from hauberk.assets.tensors.gguf_types import ARRAY, BYTES, INTEGERS, STRING
from hauberk.core import Content, Fact, Gap, GapReason

_T = "tokenizer.ggml."
_MOST_TOKENS = 1 << 24
_MOST_COMPARED = 1 << 19  # tokens whose texts are kept to find twins
_LONGEST_TOKEN = 1 << 16
_BYTE_TOKEN = re.compile(rb"<0x[0-9A-Fa-f]{2}>")
_BYTE_LIKE = re.compile(rb"<0x[^>]{0,8}>")
_CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 3, 4, 5, 6
# Ids that loaders assume when the file names none, by tokenizer model
_DEFAULT_IDS = {
    "llama": {"unknown": 0, "bos": 1, "eos": 2},
    "gpt2": {"bos": 11, "eos": 11},
    "bert": {"bos": 101, "unknown": 100, "seperator": 102, "padding": 0, "mask": 103},
    "t5": {"eos": 1, "unknown": 2, "padding": 0},
    "plamo2": {"unknown": 0, "bos": 1, "eos": 2, "padding": 3},
}


class _Tokens(msgspec.Struct):
    """What one walk over the tokens found."""

    longest: int = 0
    twins: list[tuple[int, int, bytes]] = []  # (id, earlier id, text)
    bytes_like: list[tuple[int, bytes]] = []  # ids of tokens that look like byte tokens and are none
    compared: int = 0


def vocab_facts(uri: str, content: Content, header: Header, budget: Budget) -> Iterator[Fact | Gap]:
    """`gguf.vocab-*` and `gguf.token-*` facts."""
    tokens = header.values.get(_T + "tokens")
    yield from _element_types(header)
    yield from _charsmap(content, header)
    if tokens is None or tokens.type != ARRAY or tokens.element != STRING:
        return
    if tokens.count > _MOST_TOKENS:
        yield _fact("vocab-size", tokens, f"{tokens.count} tokens are more than any loader has ids for")
    yield from _lengths(header, tokens)
    yield from _special_ids(content, header, tokens.count)
    seen = _walk(content, header, tokens, budget)
    if seen.longest > _LONGEST_TOKEN:
        yield _fact("token-length", tokens, f"a token of {seen.longest} bytes")
    yield from _twins(content, header, seen)
    yield from _byte_tokens(content, header, seen)
    if seen.compared < tokens.count:
        note = f"{tokens.count - seen.compared} tokens of the vocabulary were not compared with the others"
        yield Gap(uri, GapReason.TOO_LARGE, note)


def _element_types(header: Header) -> Iterator[Fact]:
    wanted = {
        "tokens": {STRING}, "merges": {STRING}, "scores": {6}, "token_type": {4, 5}, "suppress_tokens": {4, 5},
        "precompiled_charsmap": BYTES,
    }  # fmt: skip
    for name, kinds in wanted.items():
        value = header.values.get(_T + name)
        if value is not None and (value.type != ARRAY or (value.element not in kinds and value.count)):
            found = f"an array of the type {value.element}" if value.type == ARRAY else f"of the type {value.type}"
            yield _fact("vocab-type", value, f"{value.key} is {found}, which loaders read as something else")


def _lengths(header: Header, tokens: Value) -> Iterator[Fact]:
    for name in ("scores", "token_type"):
        value = header.values.get(_T + name)
        if value is not None and value.type == ARRAY and value.count != tokens.count:
            yield _fact("vocab-length", value, f"{value.count} elements of {name} for {tokens.count} tokens")


def _special_ids(content: Content, header: Header, count: int) -> Iterator[Fact]:
    named: set[str] = set()
    for value in header.values.values():
        if value.key.startswith(_T) and value.key.endswith("_token_id"):
            named.add(value.key[len(_T) : -len("_token_id")])
            if value.type not in INTEGERS or value.integer is None or not 0 <= value.integer < count:
                yield _fact("special-id", value, f"{value.key} is {value.scalar}, the vocabulary has {count} tokens")
    value = header.values.get(_T + "suppress_tokens")
    if value is not None and value.type == ARRAY and value.element in {4, 5}:
        wrong = next((n for n in integers(content, value, header.layout, 1 << 16) if not 0 <= n < count), None)
        if wrong is not None:
            yield _fact("special-id", value, f"{value.key} names the token {wrong} of {count}")
    defaults = _DEFAULT_IDS.get(header.text(_T + "model"), {})
    missing = {name: number for name, number in defaults.items() if name not in named and number >= count}
    if missing and count:
        tokens = header.values[_T + "tokens"]
        named_ids = ", ".join(f"{name} {number}" for name, number in missing.items())
        yield _fact("special-id", tokens, f"loaders assume the ids {named_ids} where none are named; there are {count} tokens")


def _walk(content: Content, header: Header, tokens: Value, budget: Budget) -> _Tokens:
    found = _Tokens(twins=[], bytes_like=[])
    cursor = Cursor(content, tokens.start, tokens.end)
    first: dict[bytes, int] = {}
    number = 0
    for batch in walk_strings(cursor, header.layout, tokens.count, tokens.key, budget):
        found.longest = max(found.longest, len(max(batch, key=len)))
        for at, token in enumerate(batch, number):
            if token.startswith(b"<0x") and not _BYTE_TOKEN.fullmatch(token) and _BYTE_LIKE.fullmatch(token):
                found.bytes_like.append((at, token))
        if number < _MOST_COMPARED:
            _compare(batch, number, first, found)
            found.compared = number + len(batch)
        number += len(batch)
    return found


def _compare(batch: list[bytes], number: int, first: dict[bytes, int], found: _Tokens) -> None:
    if len(set(batch)) == len(batch) and first.keys().isdisjoint(batch):
        first.update(zip(batch, range(number, number + len(batch)), strict=True))
        return
    for at, token in enumerate(batch, number):  # rare: some text came before
        earlier = first.setdefault(token, at)
        if earlier != at and len(found.twins) < 1000:
            found.twins.append((at, earlier, token))


def _token_type(content: Content, header: Header, number: int) -> int:
    value = header.values.get(_T + "token_type")
    if value is None or value.type != ARRAY or value.element not in {4, 5} or number >= value.count:
        return 0
    return int.from_bytes(content.read(value.start + 4 * number, 4), "big" if header.layout.big else "little")


def _twins(content: Content, header: Header, found: _Tokens) -> Iterator[Fact]:
    special = {value.integer for value in header.values.values() if value.key.startswith(_T) and value.key.endswith("_token_id")}
    tokens = header.values[_T + "tokens"]
    for number, earlier, text in found.twins:
        kinds = {_token_type(content, header, number), _token_type(content, header, earlier)}
        if kinds & {_UNUSED} or not text:
            continue
        is_special = bool(kinds & {_CONTROL, _USER_DEFINED}) or number in special or earlier in special
        note = f"the ids {earlier} and {number} have one text"
        yield Fact(
            "gguf.token-twins", note, offset=tokens.start, where=f"{_T}tokens[{number}]", quote=quote(text, 60),
            attrs={"special": is_special},
        )  # fmt: skip


def _byte_tokens(content: Content, header: Header, found: _Tokens) -> Iterator[Fact]:
    tokens = header.values[_T + "tokens"]
    typed = header.values.get(_T + "token_type") is not None
    by_text = header.text(_T + "model") == "plamo2" or not typed
    for number, text in found.bytes_like[:100]:
        if by_text or _token_type(content, header, number) == _BYTE:
            note = f"the byte token {number} names no byte"
            yield Fact("gguf.byte-token", note, offset=tokens.start, where=f"{_T}tokens[{number}]", quote=quote(text, 40))


def _charsmap(content: Content, header: Header) -> Iterator[Fact]:
    value = header.values.get(_T + "precompiled_charsmap")
    if value is None or value.type != ARRAY or value.element not in BYTES or not value.count:
        return
    size = int.from_bytes(content.read(value.start, 4), "little") if value.count >= 4 else -1
    if size < 0 or size % 4 or size > value.count - 4:
        yield _fact("charsmap", value, f"a character map of {value.count} bytes that claims a table of {size}")


def _fact(check: str, value: Value, note: str) -> Fact:
    shown = f"{value.count} elements" if value.type == ARRAY else str(value.scalar)
    return Fact(f"gguf.{check}", note, offset=value.at, where=quote(value.key), quote=quote(shown))
