"""`hauberk probe seeds`."""

from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec

from hauberk.cli.errors import UserError

_EXAMPLES = """
\b
Examples:
  hauberk probe seeds                          the banks, with licence and source
  hauberk probe seeds --seeds ./banks          and those of your own
  hauberk probe seeds --bank tc260 --json      every seed of one bank
"""


@click.command("seeds", epilog=_EXAMPLES)
@click.option("--bank", metavar="NAME|FILE", help="The seeds of this bank.")
@click.option("--seeds", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder with further banks.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one line each.")
def command(**given: Any) -> None:
    """List the banks of seeds: how many there are, in which languages and of which risks, and whose they are."""
    from hauberk.cli.probe.parts import told

    with told():
        if given["folder"] is not None and not given["folder"].is_dir():
            raise UserError(f"{given['folder']}: no such folder of banks")
        if given["bank"]:
            _bank(given["bank"], given["folder"], as_json=given["as_json"])
        else:
            _banks(given["folder"], as_json=given["as_json"])


def _bank(name: str, folder: Path | None, *, as_json: bool) -> None:
    from hauberk.probe.seeds import load
    from hauberk.report.printable import printable

    for seed in load((name,), folder):
        if as_json:
            click.echo(msgspec.json.encode(seed))
        else:
            click.echo(f"{seed.id:<28} {seed.risk:<20} {seed.tc260:<6} {printable(seed.text)[:160]}")


def _banks(folder: Path | None, *, as_json: bool) -> None:
    from hauberk.probe.seeds import banks, load, missing

    for bank in banks(folder).values():
        langs: Counter[str] = Counter()
        risks: set[str] = set()
        away = missing(bank.name, folder)
        for seed in () if away else load((bank.name,), folder):
            langs[seed.lang] += 1
            risks.add(seed.tc260 or seed.risk)
        if as_json:
            made = {**msgspec.structs.asdict(bank), "seeds": langs.total(), "langs": dict(langs), "risks": sorted(risks)}
            click.echo(msgspec.json.encode(made))
            continue
        if away:
            note = f"; {bank.note}" if bank.note else ""
            click.echo(
                f"{bank.name:<20} not here: clone {bank.source} and name its folder (--seeds), {bank.licence}{note}: {bank.title}"
            )
            continue
        told = ", ".join(f"{lang} {count:,}" for lang, count in sorted(langs.items()))
        click.echo(f"{bank.name:<20} {langs.total():>6,} seeds ({told}), {len(risks)} risks, {bank.licence}: {bank.title}")
