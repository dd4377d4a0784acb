"""`hauberk probe attacks`."""

from typing import Any

import click
import msgspec

from hauberk.cli.output import language_of, language_option

_EXAMPLES = """
\b
Examples:
  hauberk probe attacks
  hauberk probe attacks --family jailbreak --lang zh
  hauberk probe attacks --json
"""


@click.command("attacks", epilog=_EXAMPLES)
@click.option("--family", metavar="NAME", help="Only this family.")
@click.option("--attack-files", type=click.Path(file_okay=False), help="Folder with attacks of your own.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with their sources.")
@language_option
def command(**given: Any) -> None:
    """List the attacks by family, with the most requests that a case of each takes."""
    from hauberk.cli.probe.parts import attacks_of, told
    from hauberk.probe.engine.settings import Choice

    with told():
        families = (given["family"],) if given["family"] else ()
        found = attacks_of(given["attack_files"] or "", Choice(families=families))
    rows = [one for one in found if one.family.value in families or not families]
    if given["as_json"]:
        made = [
            {
                "name": one.name,
                "family": one.family,
                "title": one.title,
                "requests": one.cost.requests,
                "attacker-requests": one.cost.advice,
                "source": one.source,
            }
            for one in rows
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))
        return
    zh = language_of(given["lang"]) == "zh"
    family = ""
    for one in sorted(rows, key=lambda row: (row.family.value, row.name)):
        if one.family.value != family:
            family = one.family.value
            click.echo(click.style(family, bold=True))
        need = ("，需攻击模型" if zh else ", needs --attacker") if one.cost.advice else ""
        title = one.title.zh if zh else one.title.en
        click.echo(f"  {one.name:<28} {title} ({one.cost.requests}{need})")
