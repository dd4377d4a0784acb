"""The words of the reports in both languages."""

from typing import Literal

from hauberk.core import Admission, Text

Language = Literal["en", "zh"]


def _t(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


VERDICTS = {
    "admit": _t("admit", "放行"),
    "hold": _t("hold", "待审"),
    "block": _t("block", "拦截"),
}
SEVERITIES = {
    "info": _t("info", "提示"),
    "low": _t("low", "低危"),
    "medium": _t("medium", "中危"),
    "high": _t("high", "高危"),
    "critical": _t("critical", "严重"),
}
CONFIDENCES = {
    "low": _t("low confidence", "低置信"),
    "medium": _t("medium confidence", "中置信"),
    "high": _t("high confidence", "高置信"),
}
STAGES = {
    "data": _t("data", "数据"),
    "training": _t("training", "训练"),
    "alignment": _t("alignment", "对齐"),
    "model": _t("model", "模型"),
    "framework": _t("framework", "框架"),
    "application": _t("application", "应用"),
    "operation": _t("operation", "运行"),
}
GAPS = {
    "unrecognised": _t("no reader knows this format", "没有读取器认识此格式"),
    "unsupported": _t("this part of the format is not read in depth", "格式的这一部分未被深入读取"),
    "malformed": _t("the bytes could not be followed to their end", "内容畸形，未能读到末尾"),
    "truncated": _t("the file ends before its own structure does", "文件被截断，结构未完即止"),
    "encrypted": _t("encrypted", "已加密"),
    "too-large": _t("over a size or count limit", "超过大小或数量上限"),
    "too-deep": _t("nested too deep", "嵌套过深"),
    "timeout": _t("not finished in time", "未在时限内完成"),
    "unreadable": _t("could not be opened or read", "无法打开或读取"),
    "absent": _t("named, but not there", "被引用但不存在"),
    "undecided": _t("neither safe nor unsafe could be concluded", "无法断定安全与否"),
    "detector-error": _t("a detector failed", "检测器出错"),
    "not-requested": _t("switched off by the user", "按用户要求未检查"),
    "interrupted": _t("interrupted", "扫描被中断"),
    "stale": _t("the data this check needs is out of date", "检查所需的数据已过期"),
}
HEADLINES = {
    "block": _t("Do not load what is blocked here.", "被拦截的文件不可加载。"),
    "hold": _t("A person must decide before this is used.", "使用前须经人工裁定。"),
    "admit": _t("Nothing found that speaks against use.", "未发现妨碍使用的问题。"),
    "incomplete": _t("Nothing bad found, but not everything was looked at.", "未发现问题，但并非全部内容都已检查。"),
    "empty": _t("There was nothing to look at.", "没有可检查的内容。"),
}
WORDS = {
    "title": _t("Hauberk audit report", "链甲审计报告"),
    "report": _t("Audit report", "审计报告"),
    "block": _t("blocked", "拦截"),
    "hold": _t("held", "待审"),
    "admit": _t("admitted", "放行"),
    "verdict": _t("Verdict", "结论"),
    "assets": _t("assets", "资产"),
    "findings": _t("Findings", "发现"),
    "finding-count": _t("findings", "项发现"),
    "gaps": _t("Not looked at", "未检查"),
    "gap-count": _t("not looked at", "处未检查"),
    "accepted": _t("Accepted", "已接受"),
    "notices": _t("Notices", "提醒"),
    "where": _t("where", "位置"),
    "offset": _t("byte", "字节"),
    "evidence": _t("evidence", "证据"),
    "why": _t("why it matters", "为何要紧"),
    "fix": _t("how to fix", "如何处理"),
    "rule": _t("rule", "规则"),
    "risk": _t("risk", "风险"),
    "confidence": _t("confidence", "置信度"),
    "scanned": _t("Scanned", "扫描对象"),
    "incomplete-run": _t("This run was interrupted; what follows is partial.", "本次扫描被中断，以下内容不完整。"),
    "no-findings": _t("No findings.", "没有发现。"),
    "no-gaps": _t("Everything was looked at to its end.", "全部内容均已检查到底。"),
    "gaps-mean": _t(
        "A gap is not a pass: nobody looked there.",
        "“未检查”不等于“安全”：那里还没有人看过。",
    ),
    "more": _t("more places", "处同类"),
    "version": _t("Hauberk", "链甲"),
    "rules-digest": _t("rules", "规则"),
    "run": _t("run", "运行"),
    "exit-code": _t("exit code", "退出码"),
    "members": _t("members", "成员"),
    "size": _t("size", "大小"),
    "format": _t("format", "格式"),
    "digest": _t("SHA-256", "SHA-256"),
    "merkle": _t("tensor root", "张量根"),
    "inventory": _t("What was scanned", "扫描清单"),
    "by-risk": _t("Findings by risk", "按风险分类的发现"),
    "frameworks": _t("Also known as", "对应条目"),
    "started": _t("started", "开始"),
    "ended": _t("ended", "结束"),
    "targets": _t("targets", "目标"),
    "feeds": _t("feeds", "情报源"),
    "new": _t("New", "新增"),
    "fixed": _t("Fixed", "已修复"),
    "unchanged": _t("Unchanged", "未变"),
    "unseen": _t("Not looked at this time", "本次未检查"),
    "verdict-changes": _t("Verdicts that changed", "结论变化"),
    "new-gaps": _t("New gaps", "新增的未检查项"),
    "closed-gaps": _t("Gaps closed", "已补查"),
    "no-change": _t("Nothing changed.", "没有变化。"),
    "and-more": _t("and {n} more; see --format json or html", "另有 {n} 项，见 --format json 或 html"),
    "how-to-read": _t(
        "Block: known to be dangerous. Hold: a person must decide. Admit: nothing speaks against it.",
        "拦截：已确认危险；待审：须人工裁定；放行：未见妨碍使用的问题。",
    ),
}


def worst(verdicts: "list[Admission]") -> Admission:
    """The strictest of `verdicts`; admit when there are none."""
    return max(verdicts, key=lambda verdict: verdict.action, default=Admission.ADMIT)
