"""Writes the generated parts of README, README.zh and docs from the code and the rules; `--check` only compares.

A generated part stands between `<!-- generated: NAME -->` and `<!-- /generated -->`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from click.testing import CliRunner
from guard_figures import cost_table, detection_table
from guard_targets import targets_table
from probe_attacks import attack_list
from probe_figures import engine_table, judges_table, local_table, loop_table

from hauberk.assets.formats import FORMATS
from hauberk.cli.main import cli
from hauberk.core import Rule, Stage
from hauberk.rules.load import build_pack

ROOT = Path(__file__).parents[1]
PACK = build_pack()
STAGES_ZH = {
    Stage.DATA: "数据", Stage.TRAINING: "训练", Stage.ALIGNMENT: "对齐", Stage.MODEL: "模型",
    Stage.FRAMEWORK: "框架", Stage.APPLICATION: "应用", Stage.OPERATION: "运营",
}  # fmt: skip
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def matrix(language: str) -> str:
    """Stage x risk: how many rules look for it."""
    risks = [risk for risk in PACK.taxonomy["risks"] if any(rule.risk == risk for rule in PACK.rules)]
    stages = [stage for stage in Stage if any(rule.stage == stage for rule in PACK.rules)]
    names = [STAGES_ZH[stage] if language == "zh" else stage.value for stage in stages]
    head = "风险" if language == "zh" else "risk"
    lines = [f"| {head} | {' | '.join(names)} | OWASP LLM 2026 | ATLAS |", "|---|" + "---:|" * len(stages) + "---|---|"]
    for risk in risks:
        entry = PACK.taxonomy["risks"][risk]
        counts = [sum(rule.risk == risk and rule.stage == stage for rule in PACK.rules) for stage in stages]
        cells = " | ".join(str(count or "") for count in counts)
        owasp, atlas = ", ".join(entry["owasp-llm-2026"]), ", ".join(entry["atlas-5.6.0"])
        lines.append(f"| {entry['title'][language]} | {cells} | {owasp} | {atlas} |")
    return "\n".join(lines) + "\n"


def formats(language: str) -> str:
    """The formats that are recognised by content."""
    del language
    rows = [f"| `{f.name}` | {f.title} | {f.kind.value} |" for f in FORMATS.values() if f.name not in {"unknown", "empty"}]
    return "\n".join(["| format | what | kind |", "|---|---|---|", *rows]) + "\n"


def counts(language: str) -> str:
    """One line of figures."""
    rules, readers, risks = len(PACK.rules), len(FORMATS) - 2, len(PACK.taxonomy["risks"])
    samples = sum(len(rule.samples) for rule in PACK.rules)
    if language == "zh":
        return f"{readers} 种格式，{rules} 条规则，每条都带样本（共 {samples} 个），{risks} 种风险映射到 7 套外部框架。\n"
    return f"{readers} formats, {rules} rules with {samples} samples of their own, {risks} risks mapped to 7 outside frameworks.\n"


def help_texts(language: str) -> str:
    """`--help` of every command."""
    del language
    return "\n".join(_help_of(cli, ()))


def _help_of(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    """The help of a command, then of those below it."""
    result = CliRunner().invoke(cli, [*path, "--help"], prog_name="hauberk", env={"COLUMNS": "100"})
    yield f"```console\n$ {' '.join(('hauberk', *path))} --help\n{result.output.rstrip()}\n```\n"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _help_of(below, (*path, name))


def _rule_section(rule: Rule, language: str) -> str:
    risk = PACK.taxonomy["risks"][rule.risk]["title"][language]
    return (
        f"### {rule.id}\n\n**{rule.title[language]}** · {risk} · {rule.severity.value} / {rule.confidence.value} · "
        f"{', '.join(rule.reads)}\n\n{rule.why[language].strip()}\n\n*{rule.fix[language].strip()}*\n"
    )


def rules(language: str) -> str:
    """Every rule: what it is, what an attacker gets, how to fix it."""
    return "\n".join(_rule_section(rule, language) for rule in sorted(PACK.rules, key=lambda rule: rule.id))


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}"


def detection(language: str) -> str:
    """The detection table, from the committed results of evals/models/compare.py."""
    path = ROOT / "evals" / "models" / "results.json"
    if not path.exists():
        return ""
    results = json.loads(path.read_text())
    heads = {
        "en": "| scanner | malicious: called bad | bad or held/warned | silent, not read | benign: called bad | held/warned |",
        "zh": "| 扫描器 | 恶意：拦截 | 拦截或待定/警告 | 无声或未读 | 良性：误拦 | 待定/警告 |",
    }
    lines = [heads[language], "|---|---:|---:|---:|---:|---:|"]
    for name, row in results["scanners"].items():
        bad, good = row["malicious"], row["benign"]
        caught, warned = bad.get("bad", 0), bad.get("warned", 0)
        cells = (
            _share(caught, bad["samples"]),
            _share(caught + warned, bad["samples"]),
            _share(bad["samples"] - caught - warned, bad["samples"]),
            _share(good.get("bad", 0), good["samples"]),
            _share(good.get("warned", 0), good["samples"]),
        )
        lines.append(f"| {name} {row['version']} | {' | '.join(cells)} |")
    first = results["scanners"]["hauberk"]
    counted = f"{first['malicious']['samples']} malicious, {first['benign']['samples']} benign"
    note = {
        "en": f"\n{counted} samples of about 60 formats, all scanners in one run ({results['date']}): `evals/models/compare.py`. "
        "This corpus was at hand while the rules were written; see [evals/models](evals/models/README.md).",
        "zh": f"\n{counted}，约 60 种格式，同一次运行（{results['date']}）：`evals/models/compare.py`。"
        "编写规则时这套样本就在手边，详见 [evals/models](evals/models/README.md)。",
    }
    return "\n".join(lines) + "\n" + note[language] + "\n"


def speed(language: str) -> str:
    """The speed table, from the committed results of bench/scan.py."""
    path = ROOT / "bench" / "results.json"
    if not path.exists():
        return ""
    heads = {"en": "| input | command | CPU s | wall s | peak MB |", "zh": "| 输入 | 命令 | CPU 秒 | 墙钟秒 | 峰值 MB |"}
    lines = [heads[language], "|---|---|---:|---:|---:|"]
    for row in json.loads(path.read_text())["rows"]:
        note = f" ({row['note']})" if row["note"] else ""
        figures = f"{row['cpu']:.2f} | {row['wall']:.2f} | {row['rss_mb']:.0f}"
        lines.append(f"| {row['case']} | {row['command']}{note} | {figures} |")
    return "\n".join(lines) + "\n"


PARTS: dict[str, Callable[[str], str]] = {
    "matrix": matrix, "formats": formats, "counts": counts, "help": help_texts, "rules": rules,
    "detection": detection, "speed": speed, "guard-detection": detection_table, "guard-cost": cost_table,
    "guard-targets": targets_table,
    "probe-attacks": attack_list, "probe-judges": judges_table, "probe-local": local_table,
    "probe-loop": loop_table, "probe-cost": engine_table,
}  # fmt: skip


def main() -> int:
    check = "--check" in sys.argv
    stale: list[str] = []
    for path in (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))):
        language = "zh" if path.name.endswith(".zh.md") else "en"
        text = path.read_text("utf-8")
        fresh = _PART.sub(lambda m, language=language: f"{m[1]}{PARTS[m[2]](language)}{m[3]}", text)
        if fresh != text:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(fresh, "utf-8")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run: just generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
