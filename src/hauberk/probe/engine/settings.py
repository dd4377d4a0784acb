"""What a run is made with: everything that a manifest keeps, and nothing secret."""

import msgspec


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Which seeds and attacks are crossed. Empty tuples choose everything.

    Attributes:
        suite: Name of the suite it came from, for reports.
        per_risk: Seeds of each risk (and number of TC260-003) at most, chosen by `seed`; 0 takes all.
        per_cell: Cases of each risk, family and language at most, their twins aside; 0 takes all.
        trials: Repetitions of each seed under each attack.
        limit: Cases in all at most, chosen evenly by `seed`, not counting twins; 0 takes all.
        seed: Decides every choice that is left to chance.
        tc260: Only seeds with a number of TC260-003.
        twins: Whether the harmless twins of cases are planned with them.
    """

    suite: str = ""
    banks: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    per_risk: int = 0
    per_cell: int = 0
    trials: int = 1
    limit: int = 0
    seed: int = 0
    tc260: bool = False
    twins: bool = True


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How the target is asked. `system` is the application's system prompt, which the target puts where there is none."""

    max_tokens: int = 512
    temperature: float = 0.0
    system: str = ""


class Pacing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How fast: most requests in flight, seconds for one request, tries of one request."""

    concurrency: int = 8
    timeout: float = 60.0
    tries: int = 4


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The budget; None sets no bound. Requests, tokens and money count over all sittings of a run, seconds in each.

    `requests` are those to the target. Tokens and money count those of the attacker and the judging model, too.
    """

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Money for a million tokens, in whatever currency the budget is in."""

    prompt: float = 0.0
    completion: float = 0.0

    def of(self, prompt: float, completion: float) -> float:
        """What so many tokens cost."""
        return (prompt * self.prompt + completion * self.completion) / 1e6


class RunSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Everything about a run but its target."""

    choice: Choice = Choice()
    sampling: Sampling = Sampling()
    pacing: Pacing = Pacing()
    limits: Limits = Limits()
    prices: Prices = Prices()
    attacker_prices: Prices = Prices()
    judge_prices: Prices = Prices()
