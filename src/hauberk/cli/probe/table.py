"""The `[probe]` table of `hauberk.toml`, and what a command line says instead."""

import math
from pathlib import Path
from typing import Any

import msgspec

from hauberk.cli.errors import UserError
from hauberk.probe.engine.folder import RUNS
from hauberk.probe.engine.settings import Limits, Pacing, Prices, RunSettings, Sampling


class ProbeTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[probe]`: the names and meanings of the command's options."""

    target: str = ""
    model: str = ""
    api_key_env: str = ""
    system: str = ""
    header: tuple[str, ...] = ()
    proxy: str = ""
    ca: str = ""
    timeout: float = 60.0
    max_tokens: int = 512
    temperature: float = 0.0
    images: bool = False
    prefill: bool = False
    no_tools: bool = False
    stream: bool = False
    max_bytes: int | None = None
    tools_from: str = ""
    judge: str = ""
    judge_model: str = ""
    judge_key_env: str = ""
    attacker: str = ""
    attacker_model: str = ""
    attacker_key_env: str = ""
    suite: str = "quick"
    attacks: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    banks: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    seeds_folder: str = ""
    attack_files: str = ""
    per_risk: int | None = None
    per_cell: int | None = None
    limit: int = 0
    trials: int | None = None
    seed: int = 0
    no_twins: bool = False
    concurrency: int = 8
    tries: int = 4
    max_requests: int | None = None
    max_total_tokens: int | None = None
    max_cost: float | None = None
    max_seconds: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0
    attacker_price_in: float = 0.0
    attacker_price_out: float = 0.0
    judge_price_in: float = 0.0
    judge_price_out: float = 0.0
    fail_on: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    runs: str = RUNS
    store: str = ""


def table_of(config: str | None, given: dict[str, Any]) -> ProbeTable:
    """The table of the file named or found, with what `given` (a command's options) says instead. Raises UserError."""
    from hauberk.policy.config import find_config, load_config
    from hauberk.policy.errors import PolicyError

    try:
        loaded = load_config(config or find_config(Path.cwd()))
        table = msgspec.convert(loaded.probe, ProbeTable)
    except PolicyError as error:
        raise UserError(str(error)) from error
    except msgspec.ValidationError as error:
        raise UserError(f"{config or 'hauberk.toml'}: [probe]: {error}; see hauberk probe run --help") from error
    names = set(ProbeTable.__struct_fields__)
    # Not `in (None, (), False)`: 0 equals False, and --max-requests 0 or --per-cell 0 says something.
    said = {name: value for name, value in given.items() if name in names and not (value is None or value is False or value == ())}
    table = msgspec.structs.replace(table, **said)
    return table if table.store else msgspec.structs.replace(table, store=loaded.scan.store)


def settings_of(table: ProbeTable) -> RunSettings:
    """What the engine takes. Raises UserError."""
    from hauberk.probe.engine.errors import EngineError
    from hauberk.probe.engine.suite import suite_of

    try:
        base = suite_of(table.suite).choice()
    except EngineError as error:
        raise UserError(str(error)) from error
    # Naming attacks or families replaces the suite's: somebody who asks for one attack wants no other.
    named = bool(table.attacks or table.families)
    choice = msgspec.structs.replace(
        base,
        attacks=tuple("+".join(map(str.strip, name.split("+"))) for name in table.attacks) if named else base.attacks,
        families=table.families if named else base.families,
        risks=table.risks or base.risks,
        banks=table.banks or base.banks,
        langs=table.langs or base.langs,
        per_risk=base.per_risk if table.per_risk is None else table.per_risk,
        per_cell=base.per_cell if table.per_cell is None else table.per_cell,
        trials=table.trials or base.trials,
        limit=table.limit,
        seed=table.seed,
        twins=not table.no_twins,
    )
    made = RunSettings(
        choice=choice,
        sampling=Sampling(table.max_tokens, table.temperature, table.system),
        pacing=Pacing(table.concurrency, table.timeout, table.tries),
        limits=Limits(table.max_requests, table.max_total_tokens, table.max_cost, table.max_seconds),
        prices=Prices(table.price_in, table.price_out),
        attacker_prices=Prices(table.attacker_price_in, table.attacker_price_out),
        judge_prices=Prices(table.judge_price_in, table.judge_price_out),
    )
    return _countable(made)


def paced(settings: RunSettings, given: dict[str, Any], table: ProbeTable) -> RunSettings:
    """The settings of an earlier sitting, with what the command line now says of pace, budget and prices. Raises UserError."""

    def new(name: str, old: Any) -> Any:
        return old if given.get(name) is None else getattr(table, name)

    pacing, limits = settings.pacing, settings.limits
    of, of_attacker, of_judge = settings.prices, settings.attacker_prices, settings.judge_prices
    made = msgspec.structs.replace(
        settings,
        pacing=Pacing(new("concurrency", pacing.concurrency), new("timeout", pacing.timeout), new("tries", pacing.tries)),
        limits=Limits(
            new("max_requests", limits.requests),
            new("max_total_tokens", limits.tokens),
            new("max_cost", limits.cost),
            new("max_seconds", limits.seconds),
        ),
        prices=Prices(new("price_in", of.prompt), new("price_out", of.completion)),
        attacker_prices=Prices(new("attacker_price_in", of_attacker.prompt), new("attacker_price_out", of_attacker.completion)),
        judge_prices=Prices(new("judge_price_in", of_judge.prompt), new("judge_price_out", of_judge.completion)),
    )
    return _countable(made)


def _countable(settings: RunSettings) -> RunSettings:
    """`settings`, whose bounds can be kept. Raises UserError: without prices, money would never count against its bound."""
    limits, prices = settings.limits, (settings.prices, settings.attacker_prices, settings.judge_prices)
    numbers = (settings.sampling.temperature, settings.pacing.timeout, limits.cost or 0, limits.seconds or 0)
    if not all(map(math.isfinite, (*numbers, *(price for one in prices for price in (one.prompt, one.completion))))):
        raise UserError("temperature, time-out, budgets and prices take finite numbers; leave a budget away for no bound")
    if limits.cost is not None and not any(one.prompt or one.completion for one in prices):
        raise UserError("--max-cost needs prices: say what a million tokens cost with --price-in and --price-out")
    return settings
