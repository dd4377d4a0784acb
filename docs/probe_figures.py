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
    return f"{interval['rate'] * 100:.0f} % ({interval['low'] * 100:.0f}\N{EN DASH}{interval['high'] * 100:.0f})"


def judges_table(language: str) -> str:
    """The judges on data that people labelled and they were not taught with, beside string lists of the same run."""
    del language
    return ""
