"""The decoders in the order in which they are tried, and which of them a text calls for."""

from functools import cache

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
    interleaved,
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
from hauberk.detect.pattern_set import PatternSet

_MEMORY = 64 << 20  # bytes for an automaton

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
    interleaved.DECODER,
    hanzi_spacing.DECODER,
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
    hanzi_split.DECODER,
    reversed_text.DECODER,
    homophones.DECODER,
    pinyin.DECODER,
)
"""These run on the folded text."""


@cache
def _set(decoders: tuple[Decoder, ...]) -> PatternSet:
    return PatternSet((decoder.pattern for decoder in decoders), _MEMORY)


def called_for(decoders: tuple[Decoder, ...], data: bytes) -> list[Decoder]:
    """Those of `decoders` whose pattern is found in `data` (UTF-8), in their order; all when that could not be told."""
    return [decoders[number] for number in sorted(_set(decoders).matching(data))]
