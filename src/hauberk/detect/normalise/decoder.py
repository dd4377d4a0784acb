"""What a decoder is."""

from collections.abc import Callable

import msgspec

from hauberk.detect.normalise.trace import Decoded

MAX_SPANS = 256  # pieces of one text that one decoder rewrites; beyond that the result is partial


class Decoder(msgspec.Struct, frozen=True):
    """`decode` runs on texts in which `pattern` (RE2) is found; it answers None when there is nothing of its kind.

    Of the decoders of one `group`, which undo the same disguise more or less exactly, the first that finds something is the last
    that is asked.
    """

    name: str
    pattern: str
    decode: Callable[[str], Decoded | None]
    group: str = ""
