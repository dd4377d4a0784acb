"""Text put together by code: `"ig" + "nore"`, and variables that are added up (`a="ig"; b="nore"; a+b`)."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_JOIN = re.compile(r"[\"'`“”](?:\s{0,3}\+\s{0,3}|\.\.?)[\"'`“”]|[\"']\s{1,3}[\"'](?=[a-z])")
_ASSIGN = re.compile(r"(?<![\w.])([A-Za-z_$]\w{0,20}) {0,2}(?::=|=|:|是|为) {0,2}[\"'“‘]([^\"'”’\n]{1,200})[\"'”’]")
_SUM = re.compile(
    r"(?<![\w.])[A-Za-z_$]\w{0,20}(?: {0,2}[+.&] {0,2}[A-Za-z_$]\w{0,20}){1,40}|(?:\{[A-Za-z_]\w{0,20}\} {0,2}){2,40}"
)
_NAME = re.compile(r"[A-Za-z_$]\w{0,20}")
_MOST = 4000  # characters of one sum


def decode(text: str) -> Decoded | None:
    """`text` with literals joined and sums of assigned names written out."""
    weave = Weave(text)
    values: dict[str, str] = {}
    partial = False
    for found in sorted([*_ASSIGN.finditer(text), *_SUM.finditer(text), *_JOIN.finditer(text)], key=_start):
        if found.re is _ASSIGN:
            values[found[1]] = found[2]
        elif found.re is _JOIN:
            if text[found.start() - 1 : found.start()].isalnum() and text[found.end() : found.end() + 1].isalnum():
                weave.put("", *found.span())
        else:
            names = _NAME.findall(found[0])
            if len(names) > 1 and all(name in values for name in names):
                said = "".join(values[name] for name in names)
                partial = partial or len(said) > _MOST
                weave.put(said[:_MOST], *found.span())
    return weave.done("concatenation", partial=partial)


def _start(found: re.Match[str]) -> int:
    return found.start()


DECODER = Decoder(
    "concatenation",
    r"[\"'`“”](?:\s{0,3}\+\s{0,3}|\.\.?)[\"'`“”]|\w {0,2}(?:=|:|是|为) {0,2}[\"'“‘][^\"'”’\n]+[\"'”’]",
    decode,
)
