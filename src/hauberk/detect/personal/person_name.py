"""Names of people, only where the words before leave no doubt."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛"
    "伍韦申尤毕聂丛焦向柳邢路岳齐沿梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景"
    "薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾"
    "郁商蒙计喻揭窦迟宇敖糜鄢冷卓花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙伏岑习胥保和蔺"
)
_TITLES = ("先生", "女士", "小姐", "老师", "经理", "主任", "同学", "医生")
_GIVEN = r"[\u4e00-\u9fff]"
_END = r"(?=$|[^\u4e00-\u9fff]|先生|女士|性别|[的和是在有住今想要会来从])"
_CHINESE = re.compile(
    rf"(?:姓名|联系人|收件人|收货人|寄件人|患者|客户姓名|真实姓名|持卡人|户名)"
    rf"(?:是|为)? ?[::] ?([{_SURNAMES}]{_GIVEN}{{1,3}}){_END}"
    rf"|(?:我叫|我的名字(?:是|叫)|我的姓名是|本人姓名) ?([{_SURNAMES}]{_GIVEN}{{1,2}}?){_END}"
)
_ENGLISH = re.compile(
    r"(?:[Mm]y (?:full )?name is|[Ff]ull [Nn]ame ?:|[Pp]atient(?: [Nn]ame)? ?:|[Cc]ustomer [Nn]ame ?:"
    r"|[Cc]ardholder(?: [Nn]ame)? ?:|[Cc]ontact [Nn]ame ?:) ?"
    r"([A-Z][a-z]{1,20}(?:[ '-][A-Z][a-z]{1,20}){1,3})(?![A-Za-z])"
)


def name(text: str) -> Iterator[Span]:
    """Names in `text` behind words such as 姓名： and "my name is"."""
    for found in _CHINESE.finditer(text):
        group = 1 if found[1] else 2
        if found[group].endswith(_TITLES):
            continue
        yield Span("person-name", found.start(group), found.end(group), Confidence.MEDIUM)
    for found in _ENGLISH.finditer(text):
        yield Span("person-name", found.start(1), found.end(1), Confidence.MEDIUM)


_WORDS = "姓名|联系人|收件人|收货人|寄件人|患者|持卡人|户名|我叫|我的名字"
RECOGNISERS = (
    Recogniser(
        ("person-name",), rf"(?:{_WORDS})[^\n]{{0,4}}\p{{Han}}{{2}}|(?i:name|patient|cardholder) ?(?:is|:) ?[A-Z][a-z]", name
    ),
)
