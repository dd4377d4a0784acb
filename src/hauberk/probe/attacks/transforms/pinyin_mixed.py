"""About half of the characters of a Chinese text in pinyin."""

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script, any_number, dice


def _encode(text: str, key: str) -> str:
    from pypinyin import Style, lazy_pinyin

    rng = dice(key)
    said = [lazy_pinyin(c, style=Style.NORMAL)[0] if "一" <= c <= "鿿" else c for c in text]
    return "".join(new if rng.random() < 0.5 else old for old, new in zip(text, said, strict=True))


DISGUISE = Disguise(
    name="pinyin-mixed",
    title=Text(en="Characters and pinyin mixed", zh="汉字拼音混写"),
    source="Chinese internet evasions",
    encode=_encode,
    family=Family.CHINESE,
    key=any_number,
    growth=2.5,
    script=Script.HAN,
)
