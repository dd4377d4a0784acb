"""`hauberk probe plan`."""

from typing import Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.output import language_of, language_option
from hauberk.cli.probe.options import choice_options, config_option, pacing_options, target_options

_EXAMPLES = """
\b
Examples:
  hauberk probe plan http://127.0.0.1:8000/v1 --suite full
  hauberk probe plan TARGET --suite standard --price-in 0.5 --price-out 1.5
  hauberk probe plan TARGET --family jailbreak --json
"""


@click.command("plan", epilog=_EXAMPLES)
@click.argument("target", required=False)
@target_options
@choice_options
@pacing_options
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
@language_option
@config_option
def command(**given: Any) -> None:
    """Say how many requests, tokens and how much money a run takes, at most and usually. Sends nothing."""
    from hauberk.cli.probe.parts import asked_attacker, asked_judge, asked_target, attacks_of, opened, plan_of, spooled, told
    from hauberk.cli.probe.table import settings_of, table_of
    from hauberk.cli.probe.words import nothing_to_ask, plan_lines
    from hauberk.probe.engine.estimate import estimate

    with told():
        table = table_of(given["config"], given)
        settings = settings_of(table)
        helper, other = asked_attacker(table), asked_judge(table)
        target = opened(asked_target(table), settings)
        attacker = opened(helper, settings) if helper.spec else None
        if other.spec:
            opened(other, settings)  # what is wrong with its address is said now, not when the run begins
        attacks = attacks_of(table.attack_files, settings.choice)
        plan = plan_of(spooled(table, settings.choice), attacks, settings, target, attacker)
        found, misfits = estimate(plan, settings, judged=bool(table.judge), rounds=target.abilities.rounds), plan.misfits()
    if given["as_json"]:
        made = {"target": target.name, **msgspec.to_builtins(found), "misfits": msgspec.to_builtins(misfits)}
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))
        return
    if not found.cases:
        raise UserError(nothing_to_ask(misfits))
    for line in plan_lines(target.name, found, settings, misfits, language_of(given["lang"])):
        click.echo(line)
