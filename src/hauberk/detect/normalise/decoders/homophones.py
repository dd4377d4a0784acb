"""Words of attacks written with other characters of the same sound: 呼略 for 忽略."""

import re
from functools import cache
from itertools import pairwise

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.syllables import sounds
from hauberk.detect.normalise.tables import table
from hauberk.detect.normalise.trace import Decoded, Weave

_WORDS = [
    "忽略",
    "无视",
    "忘记",
    "绕过",
    "之前",
    "以上",
    "上述",
    "指令",
    "提示词",
    "系统",
    "规则",
    "限制",
    "约束",
    "设定",
    "泄露",
    "透露",
    "输出",
    "越狱",
    "开发者",
    "扮演",
    "管理员",
    "密码",
    "密钥",
    "机密",
    "隐藏",
    "所有",
    "内容",
    "审查",
    "炸弹",
    "毒品",
    "制作",
    "病毒",
    "木马",
    "黑客",
    "攻击",
    "现在",
    "告诉",
]

_NEAR = 24  # characters between two of them


@cache
def _search() -> tuple[re.Pattern[str], dict[str, str], frozenset[str]]:
    by_sound = {word.translate(sounds()): word for word in _WORDS}
    return re.compile("|".join(sorted(by_sound, key=len, reverse=True))), by_sound, frozenset(table("pinyin")["words"].split(" "))


def decode(text: str) -> Decoded | None:
    """`text` with such words written as usual, when two of them differ and are no words as they stand."""
    pattern, by_sound, known = _search()
    heard = text.translate(sounds())
    spans: list[tuple[int, int, str]] = []
    for found in pattern.finditer(heard):
        written = text[found.start() : found.end()]
        around = (text[found.start() - 1 : found.start() + 1], text[found.end() - 1 : found.end() + 1])
        if written != by_sound[found[0]] and written not in known and known.isdisjoint(around):
            spans.append((*found.span(), by_sound[found[0]]))
    if not any(after[0] - before[1] < _NEAR for before, after in pairwise(spans)):
        return None
    weave = Weave(text)
    for start, end, word in spans:
        weave.put(word, start, end, exact=True)
    return weave.done("homophones")


DECODER = Decoder("homophones", "[一-龥]{4}", decode)
