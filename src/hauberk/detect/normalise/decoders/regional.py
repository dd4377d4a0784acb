"""Letters as regional indicators: `🇮 🇬 🇳 🇴 🇷 🇪`. Flags are pairs and stay."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.segmentation import segment
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile("[\U0001f1e6-\U0001f1ff](?:[ \u200b-\u200d\ufe0f]{0,2}[\U0001f1e6-\U0001f1ff]){3,}")


def decode(text: str) -> Decoded | None:
    """`text` with runs of indicators that spell English replaced by letters."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = segment("".join(chr(ord(c) - 0x1F1E6 + 97) for c in found[0] if c >= "\U0001f1e6"))
        if said:
            weave.put(said, *found.span())
    return weave.done("regional-indicators")


DECODER = Decoder("regional-indicators", "[\U0001f1e6-\U0001f1ff][ \u200b-\u200d\ufe0f]*[\U0001f1e6-\U0001f1ff]", decode)
