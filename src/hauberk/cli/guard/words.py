"""A verdict on one message as a person reads it."""

from hauberk.guard.results import MessageResult

_ACTIONS = {
    "allow": ("allow", "放行", "32"),
    "flag": ("flag", "标记", "33"),
    "redact": ("redact", "脱敏", "33"),
    "ask": ("ask a person", "转人工审批", "35"),
    "block": ("block", "拦截", "31"),
}
_STAGES = {
    "rule": ("a rule", "规则"),
    "linear": ("the fast model", "快速模型"),
    "encoder": ("the encoder", "编码器模型"),
    "judge": ("the LLM judge", "大模型评审"),
    "none": ("nothing", "无"),
}


def told(result: MessageResult, language: str, *, colour: bool) -> str:
    """The verdict, the reasons, and what was not looked at."""
    zh = language == "zh"
    word, code = _ACTIONS[result.action][1 if zh else 0], _ACTIONS[result.action][2]
    action = f"\x1b[1;{code}m{word}\x1b[0m" if colour else word
    stage = _STAGES.get(result.stage, (result.stage, result.stage))[1 if zh else 0]
    lines = [f"{action}  {'得分' if zh else 'score'} {result.score:.3f}  ({'判定自' if zh else 'settled by'} {stage})"]
    for found in result.findings:
        lines.append(f"  {found.severity:<8} {found.rule}: {found.message}")
        lines += [f"           {_at(place.start, place.end)}{place.quote}" for place in found.places[:3] if place.quote]
    lines += [f"  {'未检查' if zh else 'not looked at'}: {gap.note} ({gap.reason})" for gap in result.gaps]
    if result.text is not None and result.action == "redact":
        lines.append(f"  {'转发为' if zh else 'passed on as'}: {_printable(result.text)}")
    return "\n".join(lines)


def _at(start: int | None, end: int | None) -> str:
    return "" if start is None or end is None else f"[{start}:{end}] "


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:2000])
    return shown + ("…" if len(text) > 2000 else "")
