"""The rule under whose name the learnt detector speaks. It stands in no pack: without a model it could not prove itself."""

from hauberk.core import Confidence, Kind, Rule, Severity, Stage
from hauberk.core.rule import Text

LEARNT_ATTACK = Rule(
    id="learnt-attack",
    title=Text("The message resembles attacks that got through and were learnt from", "该消息与曾经得手并已被学习的攻击相似"),
    stage=Stage.APPLICATION,
    risk="prompt-injection",
    reads=(Kind.MESSAGE,),
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    why=Text(
        "Somebody approved attacks like this one as samples, after they had got through to a model.",
        "此类攻击曾突破防护到达模型，并已由人工或策略批准作为样本。",
    ),
    fix=Text(
        "Block or review the message; if it is ordinary, learn again with texts like it as --ordinary.",
        "拦截或复核该消息；若属正常内容，请以 --ordinary 提供同类文本后重新学习。",
    ),
    engine="learnt",
    match={},
    samples=(),
)
