"""What a tool does when it is called: change something in the world, or only read. Told by its name and its description."""

import re
from enum import StrEnum

from hauberk.assets.chat import ToolSpec


class Effect(StrEnum):
    """The worst that an ordinary call of a tool does."""

    CHANGES = "changes"  # writes, sends, pays, deletes, runs
    READS = "reads"
    UNKNOWN = "unknown"


# fmt: off
_CHANGES = frozenset({
    "delete", "remove", "destroy", "drop", "erase", "wipe", "purge", "truncate", "clear", "reset", "revoke", "terminate", "kill",
    "stop", "shutdown", "reboot", "restart", "uninstall", "disable", "send", "email", "mail", "sms", "post", "publish", "tweet",
    "share", "forward", "reply", "invite", "message", "notify", "upload", "push", "transfer", "pay", "payment", "buy", "purchase",
    "order", "checkout", "refund", "withdraw", "deposit", "trade", "sell", "book", "reserve", "cancel", "subscribe", "unsubscribe",
    "execute", "exec", "run", "eval", "shell", "bash", "cmd", "command", "terminal", "powershell", "python", "write", "overwrite",
    "append", "edit", "modify", "update", "upsert", "insert", "patch", "put", "set", "create", "add", "install", "deploy", "merge",
    "commit", "approve", "grant", "authorize", "authorise", "rename", "move", "copy", "save", "store", "register", "submit", "sign",
    "schedule", "unlock", "lock", "open", "change", "assign", "block", "unblock", "ban", "enable", "apply", "close", "archive",
    "dispatch", "release", "rollback", "migrate", "impersonate", "call", "dial",
})
_READS = frozenset({
    "get", "list", "search", "read", "fetch", "find", "query", "lookup", "look", "check", "view", "show", "count", "describe",
    "calculate", "compute", "translate", "summarize", "summarise", "convert", "explain", "analyze", "analyse", "browse", "inspect",
    "retrieve", "select", "compare", "estimate", "predict", "recommend", "weather", "time", "verify", "validate", "parse", "detect",
    "classify", "extract", "load", "download", "preview", "status", "info", "history", "generate", "format", "is", "has",
})
_CHANGES_ZH = (
    "删除", "移除", "清空", "清除", "销毁", "发送", "发布", "转账", "汇款", "支付", "付款", "购买", "下单", "退款", "提现",
    "执行", "运行", "写入", "修改", "更新", "创建", "新增", "添加", "上传", "部署", "安装", "卸载", "取消", "预订", "预定",
    "授权", "撤销", "重启", "关机", "关闭", "开启", "停止", "提交", "转发", "分享", "回复", "注册", "重置", "覆盖", "移动",
    "重命名", "禁用", "启用", "审批", "邮件发", "发邮件", "发短信", "拨打", "解锁",
)
_READS_ZH = (
    "查询", "获取", "搜索", "查看", "读取", "列出", "检索", "计算", "翻译", "统计", "检查", "浏览", "查找", "分析", "预测",
    "推荐",
)
# fmt: on
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[\u4e00-\u9fff]+")
_DESCRIBED = 300  # characters of a description that say what the tool does


def effect_of(name: str, tool: ToolSpec | None = None) -> Effect:
    """What calling `name` does. The verb in the name decides; when it has none, the start of the description does."""
    by_name = _effect(name[:200], first=True)
    if by_name is not Effect.UNKNOWN or tool is None:
        return by_name
    return _effect(tool.description[:_DESCRIBED], first=False)


def _effect(text: str, *, first: bool) -> Effect:
    """Of a name (`first`) the first verb decides; of a description any verb of change does."""
    words = [word.lower() for word in _WORD.findall(text)]
    known = [_kind(word) for word in words]
    told = [kind for kind in known if kind is not Effect.UNKNOWN]
    if not told:
        return Effect.UNKNOWN
    return told[0] if first else (Effect.CHANGES if Effect.CHANGES in told else Effect.READS)


def _kind(word: str) -> Effect:
    if word[0] >= "\u4e00":
        changes = min((word.find(verb) for verb in _CHANGES_ZH if verb in word), default=-1)
        reads = min((word.find(verb) for verb in _READS_ZH if verb in word), default=-1)
        if changes < 0:
            return Effect.READS if reads >= 0 else Effect.UNKNOWN
        return Effect.READS if 0 <= reads < changes else Effect.CHANGES
    stem = word if word in _CHANGES or word in _READS else word.removesuffix("s")
    if stem in _CHANGES:
        return Effect.CHANGES
    return Effect.READS if stem in _READS else Effect.UNKNOWN
