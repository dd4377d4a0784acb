"""The decoders in the order in which they are tried, and which of them a text calls for."""

from functools import cache
from importlib import import_module
from typing import Any

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.decoders import (
    base32,
    base64,
    binary,
    braille,
    charcodes,
    ciphers,
    concatenation,
    entities,
    escapes,
    hanzi_spacing,
    hanzi_split,
    hexadecimal,
    homophones,
    leet,
    morse,
    nato,
    percent,
    pinyin,
    regional,
    reversed_text,
    reversed_words,
    rot47,
    separators,
    split_letters,
    split_spaces,
    split_words,
    tags,
    zero_width,
)

HIDDEN: tuple[Decoder, ...] = (tags.DECODER, zero_width.DECODER)
"""These read characters that folding takes away: they run on texts as they are."""

WRITTEN: tuple[Decoder, ...] = (
    base64.DECODER,
    hexadecimal.DECODER,
    percent.DECODER,
    escapes.DECODER,
    entities.DECODER,
    binary.DECODER,
    charcodes.DECODER,
    base32.DECODER,
    concatenation.DECODER,
    split_letters.DECODER,
    split_words.DECODER,
    split_spaces.DECODER,
    separators.DECODER,
    leet.DECODER,
    ciphers.DECODER,
    rot47.DECODER,
    morse.DECODER,
    nato.DECODER,
    regional.DECODER,
    braille.DECODER,
    reversed_words.DECODER,
    hanzi_spacing.DECODER,
    hanzi_split.DECODER,
    reversed_text.DECODER,
    homophones.DECODER,
    pinyin.DECODER,
)
"""These run on the folded text."""


@cache
def _set(decoders: tuple[Decoder, ...]) -> Any:
    re2: Any = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    together = re2.Set.SearchSet(options)
    for decoder in decoders:
        together.Add(decoder.pattern)
    together.Add("")  # in every answer, so that an automaton out of memory does not read as "nothing matches"
    together.Compile()
    return together


def called_for(decoders: tuple[Decoder, ...], data: bytes) -> list[Decoder]:
    """Those of `decoders` whose pattern is found in `data` (UTF-8), in their order; all when that could not be told."""
    found: list[int] = _set(decoders).Match(data) or []
    if len(decoders) not in found:
        return list(decoders)
    return [decoders[i] for i in sorted(found) if i < len(decoders)]
