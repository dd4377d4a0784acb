"""The guard's figures for README and docs, from the committed results of its evaluations and benchmarks."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SETS = (
    ("notinject", "NotInject", "NotInject（正常）"),
    ("wildguard ordinary", "WildGuard, ordinary questions", "WildGuard 普通提问"),
    ("bipia bare, as a tool's words", "BIPIA payloads, as a tool's words: caught", "BIPIA 载荷（以工具返回身份）：检出"),
    ("bipia bare, without a role", "BIPIA payloads, without a role: caught", "BIPIA 载荷（不给角色）：检出"),
    ("bipia documents, attacked", "BIPIA documents with a payload: caught", "BIPIA 含载荷文档：检出"),
    ("bipia documents, clean", "BIPIA documents without one", "BIPIA 干净文档"),
    ("deepset attacks", "deepset attacks: caught", "deepset 攻击：检出"),
    ("s-eval attacks en", "S-Eval attacks, English: caught", "S-Eval 攻击（英文）：检出"),
    ("s-eval attacks zh", "S-Eval attacks, Chinese: caught", "S-Eval 攻击（中文）：检出"),
    ("tensor trust attacks", "Tensor Trust attacks: caught", "Tensor Trust 攻击：检出"),
    ("dolly", "Dolly, ordinary", "Dolly 普通请求"),
    ("xstest safe", "XSTest, safe", "XSTest 安全提问"),
    ("instructwild zh", "InstructWild, Chinese, ordinary", "InstructWild 中文普通请求"),
    ("cmmlu zh", "CMMLU, Chinese, ordinary", "CMMLU 中文普通提问"),
)


def _read(*parts: str) -> Any:
    path = ROOT.joinpath(*parts)
    return json.loads(path.read_text()) if path.exists() else None


def detection_table(language: str) -> str:
    """Right answers at one threshold, beside the other detectors of the same run."""
    results = _read("evals", "guard", "results.json")
    if results is None:
        return ""
    names = list(results["detectors"])
    first = {"en": "| set (percent right at one threshold) |", "zh": "| 数据集（同一阈值下判对的百分比） |"}[language]
    lines = [first + "".join(f" {name} |" for name in names), "|---|" + "---:|" * len(names)]
    for key, en, zh in SETS:
        cells = [_cell(results["detectors"][name]["sets"].get(key), first=name == names[0]) for name in names]
        lines.append(f"| {en if language == 'en' else zh} | {' | '.join(cells)} |")
    made = f"`python evals/guard/run.py` ({results['machine']})"
    note = {
        "en": "Exact 95 % intervals for ours. None of these sets was trained on, but their scores were seen while the models were "
        f"improved: expect less elsewhere. {made}.",
        "zh": f"括号内为精确 95% 置信区间。以上数据均未用于训练，但改进模型期间看过这些得分，换成别的数据结果会更低。{made}。",
    }
    return "\n".join(lines) + "\n\n" + note[language] + "\n"


def _cell(made: dict[str, Any] | None, *, first: bool) -> str:
    if made is None:
        return "–"
    share = f"{100 * made['right'] / made['texts']:.1f}"
    low, high = made["interval"]
    return f"{share} ({100 * low:.0f}–{100 * high:.0f})" if first else share


def cost_table(language: str) -> str:
    """What the gateway costs, beside other proxies of the same run."""
    gateway = _read("bench", "gateway.json")
    if gateway is None:
        return ""
    heads = {
        "en": "| proxy, without detectors | CPU per JSON request, µs | CPU per 20-chunk stream, µs | KiB per idle stream |",
        "zh": "| 代理（不启用检测） | 每个 JSON 请求 CPU（微秒） | 每个 20 段流 CPU（微秒） | 每条空闲流 KiB |",
    }
    lines = [heads[language], "|---|---:|---:|---:|"]
    rows = [(name, figures) for name, figures in gateway["proxies"].items()]
    rows += [(f"{name} *", figures) for name, figures in gateway.get("with_litellm", {}).get("proxies", {}).items()]
    lines += [
        f"| {name} | {made['cpu_us_per_json']:,.0f} | {made['cpu_us_per_stream']:,.0f} | {made['kib_per_idle_stream']:.1f} |"
        for name, made in rows
    ]
    note = {
        "en": "Rows with a star are a shorter run of its own, beside LiteLLM; compare within a run only: the machine was shared "
        "(`bench/gateway.py`).",
        "zh": "带星号的行是与 LiteLLM 并列的另一次较短测量；机器有其他负载，只应在同一次测量内比较（`bench/gateway.py`）。",
    }
    return "\n".join(lines) + "\n\n" + note[language] + "\n"
