"""`hauberk rules`."""

import sys

import click

from hauberk.cli.errors import UserError
from hauberk.cli.output import language_of, language_option

_EXAMPLES = """
\b
Examples:
  hauberk rules                             every rule, one a line
  hauberk rules --stage model --risk code-execution-on-load
  hauberk rules gguf-tensor-bounds          one rule: why it matters, how to fix it, what proves it
  hauberk rules --check my-rules/           hold your own rules against their own samples
"""


@click.command("rules", epilog=_EXAMPLES)
@click.argument("rule_id", required=False)
@click.option("--stage", help="Only this life-cycle stage.")
@click.option("--risk", help="Only this risk.")
@click.option("--check", type=click.Path(exists=True, file_okay=False), metavar="FOLDER", help="Validate a folder of rules.")
@language_option
def command(*, rule_id: str | None, stage: str | None, risk: str | None, check: str | None, lang: str | None) -> None:
    """List and explain the rules."""
    language = language_of(lang)
    if check:
        sys.exit(_check(check))
    from hauberk.rules import load_pack

    pack = load_pack()
    if rule_id:
        rule = pack.by_id.get(rule_id)
        if rule is None:
            raise UserError(f"no rule {rule_id!r}; list them with: hauberk rules")
        names = {"en": ("Why", "Fix", "Proof"), "zh": ("为什么", "怎么办", "样本")}[language]
        click.echo(f"{rule.id}  {rule.severity.value}/{rule.confidence.value}  {rule.stage.value}\n{rule.title[language]}")
        click.echo(f"\n{names[0]}: {rule.why[language].strip()}\n\n{names[1]}: {rule.fix[language].strip()}")
        for framework, ids in pack.taxonomy["risks"][rule.risk].items():
            if framework != "title" and ids:
                click.echo(f"  {framework}: {', '.join(ids)}")
        click.echo(f"\n{names[2]}: " + ", ".join(sample.name for sample in rule.samples))
        return
    for rule in sorted(pack.rules, key=lambda rule: (rule.stage, rule.risk, rule.id)):
        if (not stage or rule.stage == stage) and (not risk or rule.risk == risk):
            level = f"{rule.severity.value}/{rule.confidence.value}"
            click.echo(f"{rule.stage.value:12} {rule.risk:24} {level:16} {rule.id:36} {rule.title[language]}")


def _check(folder: str) -> int:
    from pathlib import Path

    from hauberk.detect import Bench
    from hauberk.detect.errors import RuleError
    from hauberk.rules.load import RuleFileError, build_pack
    from hauberk.scan.sample import check_sample

    try:
        rules = build_pack(Path(folder)).rules
        bench = Bench(rules)
        bench.compile_all()
    except (RuleError, RuleFileError) as error:
        raise UserError(str(error)) from error
    wrong = [line for rule in rules for sample in rule.samples if (line := check_sample(rule, sample, bench))]
    wrong += [f"{rule.id}: needs a sample that stays quiet (hits: 0)" for rule in rules if 0 not in {s.hits for s in rule.samples}]
    for line in wrong:
        click.echo(line, err=True)
    click.echo(f"{len(rules)} rules, {sum(len(r.samples) for r in rules)} samples, {len(wrong)} wrong")
    return 1 if wrong else 0
