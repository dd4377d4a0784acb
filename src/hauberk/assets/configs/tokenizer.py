"""tokenizer.json, tokenizer_config.json and vocabularies: ids that collide, words that are rewritten, patterns that never end."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import Mapping, listing, mapping
from hauberk.assets.configs.regex_shape import explodes
from hauberk.assets.quoting import quote
from hauberk.assets.text.invisible import hidden_runs
from hauberk.core import Asset, Fact, Gap

MAX_ID = 1 << 28  # no vocabulary comes near; a table of this many rows is gigabytes
_WORD = re.compile(r"[^\W\d_]{3,}")
_URL = re.compile(r"(?i)\bhttps?://|\bwww\.|\b[\w-]+\.(?:com|net|org|io|ai|cn|ru|dev|app|invalid|example)\b")
_MARKED = re.compile(r"[<\[|▁{(].*[>\]|}▁)]|^[^\w\s]+|[^\w\s]+$", re.DOTALL)
_ENDS = frozenset({"eos", "bos", "end", "start", "pad", "sep", "cls", "stop"})
_ESCAPES = re.compile(r"\\[pP]\{[^}]*\}|\\x\{?[0-9A-Fa-f]+\}?|\\u\{?[0-9A-Fa-f]+\}?|\\.|\[[^\]]*\]|\(\?[^:)]*[:)]|\{[\d,]*\}")


def is_tokenizer(obj: object) -> bool:
    """Whether `obj` is a tokenizer, its configuration, or a vocabulary."""
    held = mapping(obj)
    if held is None:
        return False
    model = mapping(held.get("model"))
    if model is not None and ("vocab" in model or "merges" in model):
        return True
    if "added_tokens" in held and ("pre_tokenizer" in held or "normalizer" in held or "model" in held):
        return True
    return "added_tokens_decoder" in held or "tokenizer_class" in held or "eos_token" in held or _is_vocabulary(held)


def _is_vocabulary(held: Mapping) -> bool:
    """Tokens to ids: whole numbers that fill most of the range they span."""
    if len(held) < 16 or not all(type(one) is int for one in held.values()):
        return False
    ids = cast("dict[str, int]", held).values()
    return min(ids) >= 0 and max(ids) < len(held) * 1.3 and len(set(ids)) > 0.8 * len(held)


def facts(asset: Asset, obj: object, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """What is wrong in a tokenizer's files."""
    del asset
    held = mapping(obj)
    if held is None:
        return
    if _is_vocabulary(held):
        yield from _shared(held, "vocab")
        return
    model = mapping(held.get("model")) or {}
    yield from _model(model)
    budget.check_time()
    yield from _added(held, mapping(model.get("vocab")) or {})
    yield from _steps(held, budget)
    yield from _lengths(held)
    yield from _config(held)


def _shared(vocab: Mapping, where: str) -> Iterator[Fact]:
    """Two tokens with one id: one of them is read as the other."""
    if len(set(cast("dict[str, int]", vocab).values())) == len(vocab):
        return
    seen: dict[object, str] = {}
    told = 0
    for token, number in vocab.items():
        if number in seen and told < 10:
            told += 1
            note = f"{quote(seen[number], 40)} and {quote(token, 40)} are both token {quote(str(number), 20)}"
            yield Fact("tokenizer.shared-id", note, where=where, quote=quote(f"{seen[number]} {token}"))
        seen.setdefault(number, token)


def _model(model: Mapping) -> Iterator[Fact]:
    vocab = mapping(model.get("vocab"))
    if vocab is not None:
        odd = [token for token, number in vocab.items() if type(number) is not int or not 0 <= number < MAX_ID]
        for token in odd[:5]:
            note = f"the token {quote(token, 40)} has the id {quote(str(vocab[token]), 40)}"
            yield Fact("tokenizer.absurd-id", note, where="model.vocab", quote=quote(token))
        if not odd:
            yield from _shared(vocab, "model.vocab")
        yield from _merges(model, vocab)
    rows = listing(model.get("vocab"))
    unknown = model.get("unk_id")
    if rows is not None and type(unknown) is int and not 0 <= unknown < max(1, len(rows)):
        note = f"unk_id {unknown} lies outside the {len(rows)} tokens"
        yield Fact("tokenizer.absurd-id", note, where="model.unk_id", quote=str(unknown))


def _merges(model: Mapping, vocab: Mapping) -> Iterator[Fact]:
    """Merges of tokens that the vocabulary does not have: loaders index with what they do not find."""
    for row in listing(model.get("merges")) or []:
        pair = row.split(" ", 1) if isinstance(row, str) else listing(row) or []
        if row and (len(pair) != 2 or pair[0] not in vocab or pair[1] not in vocab) and not str(row).startswith("#version"):
            note = f"the merge {quote(str(row), 60)} is of tokens that the vocabulary does not have"
            yield Fact("tokenizer.merge-unknown", note, where="model.merges", quote=quote(str(row)))
            return


def _added(held: Mapping, vocab: Mapping) -> Iterator[Fact]:
    listed = listing(held.get("added_tokens")) or []
    rows: list[tuple[object, Mapping]] = [(one.get("id"), one) for row in listed if (one := mapping(row)) is not None]
    for key, row in (mapping(held.get("added_tokens_decoder")) or {}).items():
        if (one := mapping(row)) is not None:
            rows.append((int(key) if key.isascii() and key.lstrip("-").isdigit() and len(key) < 40 else key, one))
    names = {number: token for token, number in vocab.items() if type(number) is int}
    special = {str(one.get("content")) for _, one in rows if one.get("special") is True and len(str(one.get("content"))) > 2}
    by_id: dict[int, str] = {}
    by_content: dict[str, int] = {}
    for number, one in rows[:200_000]:
        content = str(one.get("content", ""))
        if type(number) is not int or not 0 <= number < MAX_ID:
            note = f"the added token {quote(content, 40)} has the id {quote(str(number), 40)}"
            yield Fact("tokenizer.absurd-id", note, where="added_tokens", quote=quote(content))
            continue
        yield from _collisions(number, content, by_id, by_content, names, vocab)
        yield from _hidden(content, special)
        by_id.setdefault(number, content)
        by_content.setdefault(content, number)


def _collisions(
    number: int, content: str, by_id: dict[int, str], by_content: dict[str, int], names: dict[int, str], vocab: Mapping
) -> Iterator[Fact]:
    other = by_id.get(number, names.get(number, content))
    piece = quote(f"{content} {other}")
    if _spelled(other) != _spelled(content):
        note = f"the added token {quote(content, 40)} takes the id {number} of {quote(other, 40)}"
        yield Fact("tokenizer.shared-id", note, where="added_tokens", quote=piece)
    twice = by_content.get(content, vocab.get(content, number))
    if twice != number:
        note = f"{quote(content, 40)} is token {quote(str(twice), 20)} and again token {number}"
        yield Fact("tokenizer.two-ids", note, where="added_tokens", quote=quote(content))


def _spelled(token: str) -> str:
    """A token as it reads: byte-level and SentencePiece spellings of blanks undone."""
    return token.replace("Ġ", " ").replace("▁", " ").replace("Ċ", "\n").replace("ĉ", "\t").replace("č", "\r")


def _hidden(content: str, special: set[str]) -> Iterator[Fact]:
    """A special token tucked into a piece of ordinary text."""
    if len(content) > 256:
        content = content[:256]
    for run in hidden_runs(content):
        if run.kind != "zero-width":
            yield Fact(
                "tokenizer.hidden-text", f"an added token of {run.kind} characters", where="added_tokens", quote=quote(content)
            )
    if not _WORD.search(_MARKED.sub("", content)):
        return
    inner = next((one for one in special if one != content and one in content), None) if len(special) < 2000 else None
    if inner is not None:
        note = f"an added token of ordinary text that holds the special token {quote(inner, 40)}"
        yield Fact("tokenizer.hidden-special", note, where="added_tokens", quote=quote(content))


def _steps(held: Mapping, budget: Budget) -> Iterator[Fact]:
    """The normaliser, the splitters and the decoder, with everything nested in them."""
    for part in ("normalizer", "pre_tokenizer", "decoder"):
        stack: list[object] = [held.get(part)]
        for _ in range(2000):
            if not stack:
                break
            step = stack.pop()
            budget.tick(64)
            inner = mapping(step)
            if inner is None:
                stack.extend(listing(step) or [])
                continue
            stack.extend(value for value in inner.values() if mapping(value) is not None or listing(value) is not None)
            yield from _step(inner, part)


def _step(step: Mapping, part: str) -> Iterator[Fact]:
    pattern = mapping(step.get("pattern")) or {}
    text = pattern.get("String", pattern.get("Regex"))
    if isinstance(pattern.get("Regex"), str):
        regex = str(pattern["Regex"])
        reason = explodes(regex)
        if reason:
            yield Fact("tokenizer.slow-pattern", f"a pattern that {reason}", where=part, quote=quote(regex))
    if step.get("type") == "Replace" and isinstance(text, str) and isinstance(step.get("content"), str):
        yield from _replace(text, str(step["content"]), part, regex="Regex" in pattern)
    if "precompiled_charsmap" in step:
        yield from _charsmap(step["precompiled_charsmap"], part)


def _replace(old: str, new: str, part: str, *, regex: bool) -> Iterator[Fact]:
    """Words or addresses that come in as one thing and go on as another."""
    bare = _ESCAPES.sub(" ", old) if regex else old
    if _URL.search(old.replace("\\", "")) or _URL.search(new):
        kind = "address"
    elif (_WORD.search(bare) and not _MARKED.fullmatch(old)) or (_WORD.search(new) and not _MARKED.search(new)):
        kind = "word"
    else:
        return
    note = f"turns {quote(old, 60)} into {quote(new, 60) or 'nothing'}"
    yield Fact("tokenizer.rewrites", note, where=part, quote=quote(f"{old} -> {new}"), attrs={"kind": kind})


def _charsmap(value: object, part: str) -> Iterator[Fact]:
    """SentencePiece's normalisation table: a length, a trie, and strings."""
    if not isinstance(value, str) or not value:
        return
    note = ""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        note = "is no base64"
    else:
        length = int.from_bytes(data[:4], "little")
        if len(data) < 4 or length > len(data) - 4 or length % 4:
            note = f"says its trie has {length} bytes and has {max(0, len(data) - 4)}"
    if note:
        yield Fact("tokenizer.charsmap", f"the precompiled_charsmap {note}", where=part, quote=quote(value, 60))


def _lengths(held: Mapping) -> Iterator[Fact]:
    padding, truncation = mapping(held.get("padding")) or {}, mapping(held.get("truncation")) or {}
    strategy = mapping(padding.get("strategy")) or {}
    fixed, multiple = strategy.get("Fixed"), padding.get("pad_to_multiple_of")
    for where, value in (("padding.strategy.Fixed", fixed), ("padding.pad_to_multiple_of", multiple)):
        if type(value) is int and value > 1 << 24:
            yield Fact("tokenizer.absurd-length", f"pads every text to {value} tokens", where=where, quote=str(value))
    length, stride = truncation.get("max_length"), truncation.get("stride")
    if type(length) is int and type(stride) is int and stride >= max(1, length):
        yield Fact("tokenizer.absurd-length", f"a stride of {stride} in {length} tokens", where="truncation", quote=str(stride))


def _config(held: Mapping) -> Iterator[Fact]:
    """The ends of a text given the name of an ordinary word."""
    for key in ("eos_token", "bos_token"):
        value = held.get(key)
        inner = mapping(value)
        content = inner.get("content") if inner is not None else value
        if isinstance(content, str) and re.fullmatch(r"[a-z]{2,30}", content) and content not in _ENDS:
            note = f"{key} is the ordinary word {quote(content, 40)}"
            yield Fact("tokenizer.special-is-word", note, where=key, quote=quote(content), attrs={"key": key})
