"""Accounts that only their label tells: WeChat, QQ, social security and housing fund."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_WECHAT = re.compile(
    r"(?i)(?:微信(?:号|账号|id)?|we ?chat(?: id)?|\bvx|v信)(?: ?[:=是为] ?|号 ?)([a-z][a-z0-9_-]{5,19})(?![A-Za-z0-9@_])"
)
_QQ = re.compile(r"(?i)(?:\bqq|(?<=[^a-z])qq|扣扣|企鹅号)(?:号码|号)? ?[:=是为]? ?([1-9][0-9]{4,10})(?![0-9A-Za-z])")
_FUND = re.compile(
    r"(?i)(?:社保|社会保障|社会保险|公积金|医保|养老保险|social insurance|housing fund)"
    r"(?:个人)?(?:卡|[账帐])?(?:编?号码?|[账帐]户|number|no\.?| )? ?[:=是为]{0,2} ?([A-Z]?[0-9]{8,20}[A-Z]?)(?![0-9A-Za-z])"
)


def _of(kind: str, pattern: re.Pattern[str], confidence: Confidence, text: str) -> Iterator[Span]:
    for found in pattern.finditer(text):
        yield Span(kind, found.start(1), found.end(1), confidence)


def wechat(text: str) -> Iterator[Span]:
    """WeChat ids behind their label."""
    return _of("wechat", _WECHAT, Confidence.HIGH, text)


def tencent(text: str) -> Iterator[Span]:
    """QQ numbers behind their label."""
    return _of("qq", _QQ, Confidence.HIGH, text)


def fund(text: str) -> Iterator[Span]:
    """Social security and housing fund numbers behind their label."""
    return _of("cn-social-account", _FUND, Confidence.HIGH, text)


RECOGNISERS = (
    Recogniser(("wechat",), r"(?i)(?:微信|we ?chat|vx|v信)[^\n]{0,8}[a-z][a-z0-9_-]{5}", wechat),
    Recogniser(("qq",), r"(?i)(?:qq|扣扣|企鹅号)[^0-9\n]{0,6}[1-9][0-9]{4}", tencent),
    Recogniser(
        ("cn-social-account",), r"(?i)(?:社保|社会保|公积金|医保|养老保险|social insurance|housing fund)[^\n]{0,16}[0-9]{8}", fund
    ),
)
