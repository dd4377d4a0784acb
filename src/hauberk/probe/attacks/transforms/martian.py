"""Characters with a radical too many and other variants of chats (火星文)."""

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script

_PAIRS = (
    "我莪你伱他彵她咜它牠们們的哋是昰不卟在茬有洧这適个個人亽大汏小尐中狆国國上仩下丅来來去厾说説话話做莋好恏多哆少仯"
    "没莈要婹会浍可岢以姒为為么庅如洳何哬请請问問给給告吿诉泝知倁道噵写寫吃阣走趉开開关関心吣爱嫒时時间間年姩月仴日ㄖ"
    "天兲地哋方汸法琺用甪制淛作莋造慥水氺电電手掱机僟网網钱錢买買卖賣学學生甡工笁"
)


def _table() -> dict[int, str]:
    return {ord(_PAIRS[i]): _PAIRS[i + 1] for i in range(0, len(_PAIRS), 2)}


def _encode(text: str, _: str) -> str:
    return text.translate(_table())


DISGUISE = Disguise(
    name="martian",
    title=Text(en="Variants of chats (Huoxingwen)", zh="火星文"),
    source="Chinese internet script; own table",
    encode=_encode,
    family=Family.CHINESE,
    script=Script.HAN,
)
