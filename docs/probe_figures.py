"""The probe's figures for README and docs, from the committed results of its evaluations and benchmarks."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def _read(*parts: str) -> Any:
    path = ROOT.joinpath(*parts)
    return json.loads(path.read_text()) if path.exists() else None


def local_table(language: str) -> str:
    """Small local models, attacked without and with the guard in front."""
    results = _read("evals", "probe", "local", "results.json")
    if not results:
        return ""
    heads = {
        "en": "| model, cases | attack success without the guard | with the guard | over-refusal without | with |",
        "zh": "| 模型与用例 | 无防护时攻击成功率 | 有防护 | 无防护时误拒率 | 有防护 |",
    }
    lines = [heads[language], "|---|---:|---:|---:|---:|"]
    for one in results:
        cells = [_rate(one[side][figure]) for figure in ("attack_success", "over_refusal") for side in ("without", "with")]
        planned = sum(one["with"]["outcomes"].values())
        lines.append(f"| {one['model']}, {planned} | {' | '.join(cells)} |")
    last = results[-1]
    made = f"`python evals/probe/local/run.py` ({last['cores']} {last['machine']} cores, {last['date']})"
    note = {
        "en": "Corrected for the judges' errors, with 95 % intervals. These models are tiny, and much of what they answer is "
        f"*invalid*, which counts as neither safe nor unsafe. {made}.",
        "zh": f"已按评判器误差校正，括号内为 95 % 区间。这些模型很小，许多回答是*无效*的，既不算安全也不算不安全。{made}。",
    }
    return "\n".join(lines) + "\n\n" + note[language] + "\n"


def _rate(interval: dict[str, float]) -> str:
    if interval["low"] <= 0 and interval["high"] >= 1:
        return "\N{EN DASH}"  # no case says anything
    return f"{interval['rate'] * 100:.0f} % ({interval['low'] * 100:.0f}\N{EN DASH}{interval['high'] * 100:.0f})"


_SETS = (
    (
        "xstest, peers, without partial",
        "XSTest answers of three models, each left out in turn with the prompt",
        "XSTest 三个模型，轮流留出模型与题目，不含部分拒答",
    ),
    ("xstest, peers, declined", "the same, partial refusals counted as refusals", "同上，部分拒答算拒答"),
    ("refusal.csv", "PyRIT refusal.csv", "PyRIT refusal.csv"),
    ("refusal_extra.csv", "PyRIT refusal_extra.csv", "PyRIT refusal_extra.csv"),
    ("local model's answers, zh", "a local model's answers, Chinese", "本地模型的中文回答"),
    ("local model's answers, en", "a local model's answers, English", "本地模型的英文回答"),
)  # fmt: skip
_HELD = (
    (
        "without partial",
        "XSTest answers of two models never looked at, other prompts, no partial ones",
        "XSTest 另两个模型、另外的题目（从未看过），不含部分拒答",
    ),
    ("declined", "the same, partial refusals counted as refusals", "同上，部分拒答算拒答"),
)  # fmt: skip
_UNSEEN = "xstest, unseen model and prompt"


def judges_table(language: str) -> str:
    """Refusal told from compliance, on data that people labelled, beside string lists of the same run."""
    results = _read("evals", "probe", "judges", "results.json")
    if not results:
        return ""
    head = {"en": "| refusal or compliance: accuracy / kappa |", "zh": "| 判别拒答与照做：准确率 / kappa |"}[language]
    lines = [f"{head} hauberk | garak MitigationBypass | prefix list |", "|---|---:|---:|---:|"]
    for key, en, zh in _HELD:
        found = (_read("evals", "probe", "judges", "heldout.json") or {}).get(key)
        if found:
            ours = found["hauberk"]
            cells = [_both(ours), _both(found.get("garak MitigationBypass")), _both(found.get("prefix list"))]
            lines.append(f"| {en if language == 'en' else zh} ({ours['rows']}) | {' | '.join(cells)} |")
    for key, en, zh in _SETS:
        found = results[key]
        own = {"xstest, peers, without partial": "hauberk, without partial", "xstest, peers, declined": "hauberk, declined"}
        ours = results[_UNSEEN][own[key]] if key in own else found["hauberk (not complied)"]
        cells = [_both(ours), _both(found.get("garak MitigationBypass")), _both(found.get("prefix list"))]
        lines.append(f"| {en if language == 'en' else zh} ({ours['rows']}) | {' | '.join(cells)} |")
    made = f"`python evals/probe/judges/run.py` ({results['machine']})"
    note = {
        "en": "Two people agree to .979 / .957 on XSTest. Mistakes below the first two lines were looked at while our own "
        "writing was extended, and one rule was made after a look at PyRIT's: expect somewhat less elsewhere. "
        f"{made}, `heldout.py`.",
        "zh": "两名标注者在 XSTest 上的一致程度为 .979 / .957。前两行以下的数据，扩充自编语料时看过其中的错误，"
        f"并有一条规则是看过 PyRIT 的错误后写的，换成别的数据会低一些。{made}，`heldout.py`。",
    }
    return "\n".join(lines) + "\n\n" + note[language] + "\n"


def _both(found: dict[str, float] | None) -> str:
    return f"{found['accuracy']:.3f} / {found['kappa']:.2f}" if found else "\N{EN DASH}"


_STEPS_ZH = {
    "no guard": "无防护",
    "guard as shipped": "出厂防护",
    "guard that learnt": "学习之后",
    "fresh seeds, taught attacks: got through": "新种子、学过的攻击：攻破",
    "fresh seeds, attacks not taught: got through": "新种子、没学过的攻击：攻破",
    "harmless requests in taught attacks' words: blocked": "学过的攻击措辞里的无害请求：被拦",
    "harmless requests in other attacks' words: blocked": "其他攻击措辞里的无害请求：被拦",
    "ordinary requests: blocked": "普通请求：被拦",
}


def loop_table(language: str) -> str:
    """One round of learning on a real model, as evals/probe/loop/run.py measured it."""
    path = ROOT / "evals" / "probe" / "loop" / "results.md"
    if not path.exists():
        return ""
    table = path.read_text("utf-8").rstrip()
    if language == "zh":
        for en, zh in _STEPS_ZH.items():
            table = table.replace(f"| {en} |", f"| {zh} |").replace(f"| {en} |", f"| {zh} |")
        table = table.replace(" of ", "/")
    note = {
        "en": "SmolLM2-135M behind the guard, one round of learning, `python evals/probe/loop/run.py`. The five ordinary requests "
        "that were blocked are answers in which the model recites its system prompt. What is learnt also stops harmless requests "
        "put in an attack's words: that is its price. Measured before the prompt models were last taught: "
        "shipped, they stop more today.",
        "zh": "SmolLM2-135M，一轮学习，`python evals/probe/loop/run.py`。被拦的五个普通请求，是模型在回答里复述了系统提示。"
        "学到的东西也会拦下用攻击措辞包装的无害请求，这是代价。此表测于提示模型最近一次训练之前：如今出厂模型拦下的更多。",
    }
    return f"{table}\n\n{note[language]}\n"


def engine_table(language: str) -> str:
    """The engine beside a bare client, against a stub that answers after 100 ms."""
    found = _read("bench", "probe.json")
    if not found:
        return ""
    head = {
        "en": "| prompts | bare aiohttp, requests/s | engine with its journal | ratio |",
        "zh": "| 请求数 | 裸 aiohttp，每秒请求 | 带日志的引擎 | 比值 |",
    }[language]
    rows = [
        f"| {count} | {one['bare']['requests_per_s']:.0f} | {one['engine']['requests_per_s']:.0f} | {one['ratio']:.2f} |"
        for count, one in found["prompts"].items()
    ]
    memory = found["memory"]
    note = {
        "en": f"100 ms stub, 32 at once; {memory['rss_mib_peak']:.0f} MiB over {memory['cases']:,} cases (`bench/probe.py`).",
        "zh": f"100 ms 桩服务，并发 32；{memory['cases']:,} 例期间内存 {memory['rss_mib_peak']:.0f} MiB（`bench/probe.py`）。",
    }
    return "\n".join([head, "|---|---:|---:|---:|", *rows]) + "\n\n" + note[language] + "\n"
