"""Characters taken apart (拆字): `亻尔` for 你, `讠午` for 许."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

# The left part, then each right part with the character that both make.
_PAIRS = {
    "亻": (
        "尔你门们也他乍作壬任牛件亭停直值故做更便主住本体立位言信呆保共供吏使専传韦伟氐低半伴反仿仿为伪王"
        "仕山仙专传弋代寸付力仂人从木休火伙立"
    ),
    "扌": (
        "旨指是提空控安按丁打巴把戈找丸执共拱由抽合拾非排奂换罙探受授妾接匕扎立拉斤折氐抵皮披台抬尃搏广扩"
        "弗拂出拙并拼屈掘居据莫摸喿操卓掉寺持"
    ),
    "讠": ("午许兑说吾语正证寺诗人认己记川训舌话卖读青请司词平评式试果课周调炎谈射谢义议井讲殳设方访斥诉延诞秘谧"),
    "氵": "曷渴肖消每海可河工江由油主注去法台治里浬必泌戋浅青清昷温胡湖票漂夬决世泄良浪先洗舌活皮波斩渐",
    "忄": "青情亡忙夬快白怕生性艮恨每悔吾悟曼慢贯惯堇懂董懂京惊亥忻",
    "钅": "令铃艮银失铁同铜昔错冈钢肖销占钻昷锢建键月钥匙匙",
    "纟": "充统及级吉结合给录绿且组田细氏纸冬终己纪勺约工红东练贵缋责绩爰缓从纵束练",
    "犭": "句狗苗猫良狼虫独王狂者猪侯猴",
    "饣": "反饭官馆我饿交饺包饱欠饮",
    "礻": "见视申神土社且祖畐福兄祝",
    "衤": "刀初皮被由袖库裤君裙卜补",
    "阝": "余除人队付附可阿方防车阵月阴日阳东陈",
    "口": "斤听乞吃曷喝未味巴吧马吗乎呼那哪斥啡阿啊畏喂少吵十叶",
    "米": "青精分粉良粮且粗",
    "王": "见现求球里理元玩不环",
    "日": "寸时月明免晚央映乍昨青晴音暗",
    "木": "几机对树反板公松支枝喿澡艮根主柱娄楼黄横直植角桷莫模各格",
    "女": "子好马妈且姐未妹台始口如也她",
    "月": "旦胆几肌市肺要腰复腹巴肥",
    "石": "马码皮破开研少砂更硬宛碗",
}
_PURE = "亻扌讠氵忄钅纟犭饣礻衤阝"
_WHOLE = {left + group[i]: group[i + 1] for left, group in _PAIRS.items() for i in range(0, len(group) - 1, 2)}
_SPAN = re.compile("|".join(map(re.escape, _WHOLE)))


def decode(text: str) -> Decoded | None:
    """`text` with pairs of parts put together, when a part that is never written alone stands in it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        weave.put(_WHOLE[found[0]], *found.span())
    return weave.done("split-characters")


DECODER = Decoder("split-characters", f"[{_PURE}]", decode)
