"""From options to targets, attacks, seeds and a plan."""

import re
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hauberk.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Generator

    from hauberk.cli.probe.table import ProbeTable
    from hauberk.probe.attacks.attack import Attack
    from hauberk.probe.engine.folder import Asked
    from hauberk.probe.engine.plan import Plan, Seeds
    from hauberk.probe.engine.settings import Choice, RunSettings
    from hauberk.probe.engine.spool import Spool
    from hauberk.probe.targets.target import Target

_SECRET = re.compile(r"auth|key|token|secret|cookie|passw", re.IGNORECASE)


@contextmanager
def told() -> "Generator[None]":
    """Turns what goes wrong in the probe's rooms into a UserError."""
    from hauberk.detect.learnt import LearntFileError
    from hauberk.probe.attacks import AttackFileError, CompositionError
    from hauberk.probe.engine.errors import EngineError
    from hauberk.probe.grades import ProfileError
    from hauberk.probe.learn import LearnError
    from hauberk.probe.seeds import SeedError
    from hauberk.probe.targets.target import TargetError
    from hauberk.store import StoreError

    wrong = (
        AttackFileError,
        CompositionError,
        EngineError,
        LearnError,
        LearntFileError,
        ProfileError,
        SeedError,
        StoreError,
        TargetError,
    )
    try:
        yield
    except wrong as error:
        raise UserError(" ".join(str(error).split())) from error


def asked_target(table: "ProbeTable") -> "Asked":
    """The target's spec and options. Raises UserError for a secret in them."""
    if not table.target:
        raise UserError("no target; name one, for example http://127.0.0.1:8000/v1, or go on with --resume")
    options = {
        "model": table.model,
        "api_key_env": table.api_key_env,
        "system": table.system,
        "headers": _headers(table.header),
        "tools_from": table.tools_from,
        "images": table.images,
        "prefill": table.prefill,
        "tools": not table.no_tools,
        "stream": table.stream,
        "max_bytes": table.max_bytes,
    }
    return _asked(table.target, options, table)


def asked_attacker(table: "ProbeTable") -> "Asked":
    """The attacker's, empty when there is none."""
    from hauberk.probe.engine.folder import Asked

    if not table.attacker:
        return Asked()
    return _asked(table.attacker, {"model": table.attacker_model, "api_key_env": table.attacker_key_env}, table)


def asked_judge(table: "ProbeTable") -> "Asked":
    """The judging model's, empty when there is none."""
    from hauberk.probe.engine.folder import Asked

    if not table.judge:
        return Asked()
    return _asked(table.judge, {"model": table.judge_model, "api_key_env": table.judge_key_env}, table)


def opened(asked: "Asked", settings: "RunSettings") -> "Target":
    """The target that was asked for. Nothing is sent yet. Raises TargetError."""
    from hauberk.probe.targets import TargetOptions, open_target

    pacing = settings.pacing
    bounds: dict[str, Any] = {
        "timeout": pacing.timeout,
        "max_stream_seconds": min(120.0, pacing.timeout * 0.95),
        "concurrency": pacing.concurrency,
    }
    return open_target(asked.spec, msgspec.convert({**asked.options, **bounds}, TargetOptions))


def storable(asked: "Asked") -> "Asked":
    """What may stand in a file: an address with a query may hold a key, so it has to be named again."""
    return msgspec.structs.replace(asked, spec="") if "?" in asked.spec else asked


def spooled(table: "ProbeTable", choice: "Choice") -> "Spool":
    """The seeds of the banks chosen (all that ship, and those of the folder, when none is). Raises SeedError, UserError."""
    from hauberk.probe.engine.spool import Spool
    from hauberk.probe.seeds import load, own_names
    from hauberk.probe.seeds.own import own_banks

    folder = Path(table.seeds_folder) if table.seeds_folder else None
    if folder is not None and not folder.is_dir():
        raise UserError(f"{folder}: no such folder of banks")
    if folder is not None and not choice.banks and not own_banks(folder):
        raise UserError(f"{folder}: no folder with a bank.yaml in it; a public set that lies there is asked with --bank NAME")
    return Spool.of(load(choice.banks or own_names(folder), folder))


def attacks_of(folder: str, choice: "Choice") -> "tuple[Attack, ...]":
    """The attacks there are, and those put together by name. Raises UserError for a name that is none."""
    from hauberk.probe.attacks import all_attacks, compose, with_folder
    from hauberk.probe.attacks.attack import Family

    known: Mapping[str, Attack] = with_folder(folder) if folder else all_attacks()
    families = tuple(family.value for family in Family)
    wrong = [name for name in choice.families if name not in families]
    if wrong:
        raise UserError(f"no family of attacks is called {wrong[0]!r}; there are {', '.join(families)}")
    put_together = {name: compose(name, known) for name in choice.attacks if name not in known}
    return (*known.values(), *put_together.values())


def plan_of(
    seeds: "Seeds", attacks: "tuple[Attack, ...]", settings: "RunSettings", target: "Target", attacker: "Target | None"
) -> "Plan":
    """The plan of a run."""
    from hauberk.probe.engine.plan import Plan

    name = attacker.name if attacker is not None else ""
    return Plan(seeds, attacks, settings.choice, settings.sampling, target.name, target.abilities, name)


def _asked(spec: str, options: dict[str, Any], table: "ProbeTable") -> "Asked":
    from hauberk.probe.engine.folder import Asked
    from hauberk.probe.targets import TargetOptions

    if re.match(r"\w+://[^/@]*@", table.proxy) and "${" not in table.proxy:
        raise UserError("--proxy: put its password into a variable and write ${NAME}")
    default = TargetOptions()
    said = {**options, "proxy": table.proxy, "ca": table.ca}
    return Asked(spec, {name: value for name, value in said.items() if value is not None and value != getattr(default, name)})


def _headers(lines: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UserError(f"--header {name.strip()[:40]!r}: write 'Name: value'")
        if _SECRET.search(name) and "${" not in value:
            raise UserError(f"--header {name.strip()}: put the secret into a variable and write '{name.strip()}: ${{NAME}}'")
        headers[name.strip()] = value.strip()
    return headers
