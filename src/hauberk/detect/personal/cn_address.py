"""Chinese postal addresses: from province, city or district over road to number."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser, label, labelled
from hauberk.detect.personal.span import Span

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾"
    "|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_LABEL = label("地址|住址|住在|家住|居住|位于|寄到|送到|寄至|户籍")
_LONGEST = 60  # characters before the number that may belong to the address
_NUMBER = re.compile(
    r"(?:路|街|道|巷|弄|胡同|村|组|里|坊|苑|园|庄|区|大街)(?:[东西南北中]?[段侧]?|[一二三四五六七八九十]段) ?"
    r"[0-9一二三四五六七八九十百]{1,5}(?:-[0-9]{1,4})?(?:号|弄|栋|幢)"
    r"(?: ?(?:(?:[0-9A-Z一二三四五六七八九十]{1,5}|[\u4e00-\u9fff]{2,8}?)"
    r"(?:号楼|号院|号|栋|幢|座|单元|室|楼|层|大厦|小区|花园|广场|公寓|院)|院(?=[0-9A-Z]))){0,6}"
    r"(?: ?[0-9]{2,5}(?![0-9]))?"
)
_PART = re.compile(r"(?:[\u4e00-\u9fffA-Za-z0-9-]|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff]))*\Z")
_TOP = re.compile(rf"(?:{_PROVINCES})|[\u4e00-\u9fff]{{2,4}}(?:市|自治州|地区|盟)|[\u4e00-\u9fff]{{2,3}}(?:区|县|旗)")
_LEVEL = re.compile(r"[市区县旗州镇乡]")
_BEFORE = "在住到于是为从去寄送至我家你他她的位址了往回"


def address(text: str) -> Iterator[Span]:
    """Addresses in `text` that reach down to a number."""
    last = 0
    for found in _NUMBER.finditer(text):
        start = _start(text, last, found.start())
        last = found.end()
        if start is None:
            continue
        levels = len(_LEVEL.findall(text, start, found.start()))
        sure = labelled(text, start, _LABEL) or levels >= 2
        yield Span("cn-address", start, found.end(), Confidence.HIGH if sure else Confidence.MEDIUM if levels else Confidence.LOW)


def _start(text: str, last: int, number: int) -> int | None:
    """Where the address begins that leads to `number`; not before `last`."""
    part = _PART.search(text, max(last, number - _LONGEST), number)
    if part is None or part.start() == number:
        return None
    top = _TOP.search(text, part.start(), number)
    if top is None:
        return max(part.start(), number - 4)  # the name of the road alone
    start = top.start()
    while start < number and text[start] in _BEFORE:
        start += 1
    return start


RECOGNISERS = (Recogniser(("cn-address",), r"\p{Han} ?[0-9一二三四五六七八九十百]{1,5}(?:-[0-9]{1,4})?[号弄栋幢]", address),)
