"""Common words of a Chinese text in English, as in offices."""

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TABLE = {
    "怎么": "how to ",
    "如何": "how to ",
    "什么": "what ",
    "为什么": "why ",
    "请": "please ",
    "制作": "make ",
    "制造": "produce ",
    "方法": "method ",
    "步骤": "steps ",
    "详细": "detailed ",
    "使用": "use ",
    "利用": "exploit ",
    "购买": "buy ",
    "出售": "sell ",
    "获取": "get ",
    "绕过": "bypass ",
    "攻击": "attack ",
    "网站": "website ",
    "密码": "password ",
    "账号": "account ",
    "系统": "system ",
    "公司": "company ",
    "电脑": "computer ",
    "手机": "phone ",
    "网络": "network ",
    "信息": "information ",
    "数据": "data ",
    "代码": "code ",
    "软件": "software ",
    "程序": "program ",
    "武器": "weapon ",
    "炸弹": "bomb ",
    "毒品": "drugs ",
    "药物": "medicine ",
    "人": "people ",
    "朋友": "friend ",
    "孩子": "kid ",
    "学生": "student ",
    "女性": "women ",
    "男性": "men ",
    "老人": "elderly people ",
    "政府": "government ",
    "警察": "police ",
    "法律": "law ",
    "钱": "money ",
    "银行": "bank ",
    "身份证": "ID card ",
    "地址": "address ",
    "假": "fake ",
    "写": "write ",
    "文章": "article ",
    "计划": "plan ",
    "报告": "report ",
    "伤害": "hurt ",
    "自杀": "suicide ",
    "歧视": "discriminate against ",
    "欺骗": "deceive ",
    "骗": "scam ",
    "偷": "steal ",
    "帮": "help ",
    "给": "give ",
}


def _encode(text: str, _: str) -> str:
    for word in sorted(_TABLE, key=len, reverse=True):
        text = text.replace(word, f" {_TABLE[word]}")
    return " ".join(text.split(" "))


DISGUISE = Disguise(
    name="english-mixed",
    title=Text(en="Chinese and English mixed", zh="中英夹杂"),
    source="Code-switching attacks: Yoo et al. 2024, Code-Switching Red-Teaming; own table",
    encode=_encode,
    family=Family.CHINESE,
    growth=3,
    script=Script.HAN,
)
