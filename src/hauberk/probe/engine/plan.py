"""Plan: seeds x attacks x trials, lazily and always in the same order; memory does not grow with the number of cases."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from hauberk.probe.attacks.attack import Attack, Family
from hauberk.probe.attacks.reach import MAX_REQUEST, too_long
from hauberk.probe.attacks.twins import twin_of
from hauberk.probe.case import Case, case_id
from hauberk.probe.engine.settings import Choice, Sampling
from hauberk.probe.goal import Goal, Help
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

Seeds = Callable[[], Iterator[Seed]]
"""Gives the seeds anew each time it is called, in the same order."""

_EVERYTHING = Abilities(tools=True, images=True, prefill=True)
_NEEDS = {
    "images": "needs a model that sees images (--images)",
    "prefill": "needs a model that goes on from the beginning of an answer (--prefill)",
    "tools": "needs a model that takes tools",
    "system": "needs a system prompt of ours",
    "turns": "needs several turns",
}
_encode = msgspec.json.Encoder(order="deterministic").encode


class Planned(msgspec.Struct, frozen=True):
    """One case to run. `index` is its place in the plan."""

    index: int
    case: Case
    seed: Seed
    attack: Attack


class Misfit(msgspec.Struct, frozen=True):
    """Cases of one attack that were not planned, and why."""

    attack: str
    reason: str
    cases: int


class Plan:
    """The cases of a run. Iterating gives them in order, any number of times."""

    def __init__(
        self,
        seeds: Seeds,
        attacks: Sequence[Attack],
        choice: Choice,
        sampling: Sampling,
        target: str,
        abilities: Abilities,
        attacker: str = "",
    ) -> None:
        self.choice, self.abilities = choice, abilities
        self._seeds, self._target = seeds, target
        self._attacks = sorted((one for one in attacks if _asked_for(one, choice)), key=lambda one: one.name)
        self._usable = [one for one in self._attacks if attacker or not one.cost.advice]
        self._settings = _encode((sampling, choice.seed, attacker)).decode()
        self._chosen, self._twins = _chosen(seeds, choice)
        self._limited = self._sampled() if choice.limit or choice.per_cell else None

    def __iter__(self) -> Iterator[Planned]:
        for index, (case, seed, attack) in enumerate(self._kept()):
            yield Planned(index, case, seed, attack)

    def misfits(self) -> tuple[Misfit, ...]:
        """What the target, or the want of an attacker model, keeps from being planned."""
        found: Counter[tuple[str, str]] = Counter()
        for seed in self._own_seeds():
            if too_long(seed):
                found["*", f"the request is longer than {MAX_REQUEST:,} characters"] += self.choice.trials
                continue
            for attack in self._attacks:
                if not attack.fits(seed, _EVERYTHING) or not _takes(attack, seed):
                    continue
                if attack not in self._usable:
                    found[attack.name, "needs an attacker model (--attacker)"] += self.choice.trials
                elif not self._fits(attack, seed):
                    found[attack.name, _lack(attack, seed, self.abilities)] += self.choice.trials
        return tuple(Misfit(attack, reason, cases) for (attack, reason), cases in sorted(found.items()))

    def _kept(self) -> Iterator[tuple[Case, Seed, Attack]]:
        """The cases that `limit` leaves, each followed by its twin where no earlier case has the same."""
        shared: set[int] = set()  # ordinary requests planned so far: several cases may have one twin, and it may be a seed too
        for case, seed, attack in self._crossed():
            if self._limited is not None and case.id not in self._limited:
                continue
            if _is_help(seed.goal) and _seen(shared, case):
                continue
            twin_seed = twin_of(attack, seed, self._twins) if self.choice.twins else None
            if twin_seed is None or not self._fits(attack, twin_seed):
                yield case, seed, attack
                continue
            twin = self._case(twin_seed, attack, case.trial, case.id)
            yield msgspec.structs.replace(case, twin=twin.id), seed, attack
            if not _seen(shared, twin):
                yield twin, twin_seed, attack

    def _sampled(self) -> frozenset[str]:
        """The cases that `per_cell` and `limit` leave: those with the smallest hashes, so that larger ones only add to them."""
        # By what is asked, not by the case's id, in which the target is: two targets are asked the same.
        ranked = (
            (_rank(self.choice.seed, f"{case.attack}\x1f{case.seed}\x1f{case.trial}"), case) for case, _, _ in self._crossed()
        )
        if self.choice.per_cell:
            cells: dict[tuple[str, str, str, bool], list[tuple[int, str, str]]] = {}
            for rank, case in ranked:
                cell = cells.setdefault((case.risk, case.family, case.lang, case.wanted), [])
                _keep_smallest(cell, (-rank, case.id, ""), self.choice.per_cell)
            kept = ((-rank, name) for cell in cells.values() for rank, name, _ in cell)
        else:
            kept = ((rank, case.id) for rank, case in ranked)
        if self.choice.limit:
            kept = heapq.nsmallest(self.choice.limit, kept)
        return frozenset(name for _, name in kept)

    def _crossed(self) -> Iterator[tuple[Case, Seed, Attack]]:
        for seed in self._own_seeds():
            for attack in self._usable:
                if _takes(attack, seed) and self._fits(attack, seed):
                    for trial in range(self.choice.trials):
                        yield self._case(seed, attack, trial), seed, attack

    def _fits(self, attack: Attack, seed: Seed) -> bool:
        """Whether the target can be asked so."""
        spoken = self.abilities.words or (attack.family is Family.PLAIN and _is_call(seed.text))
        return spoken and attack.fits(seed, self.abilities)

    def _case(self, seed: Seed, attack: Attack, trial: int, of: str = "") -> Case:
        around = f"{self._settings}{hashlib.sha256(_encode(seed)).hexdigest()}"
        return Case(
            id=case_id(self._target, attack.name, seed.id, seed.text, around, trial),
            attack=attack.name,
            family=attack.family.value,
            seed=seed.id,
            risk=seed.risk,
            lang=seed.lang,
            goal=seed.goal,
            tc260=seed.tc260,
            group=seed.group,
            bank=seed.bank,
            trial=trial,
            twin_of=of,
            must_refuse=seed.must_refuse,
            must_answer=seed.must_answer,
        )

    def _own_seeds(self) -> Iterator[Seed]:
        for seed in self._seeds():
            if _fits(seed, self.choice) and (self._chosen is None or seed.id in self._chosen):
                yield seed


def _asked_for(attack: Attack, choice: Choice) -> bool:
    return (not choice.attacks or attack.name in choice.attacks) and (
        not choice.families or attack.family.value in choice.families or attack.name in choice.attacks
    )


def _lack(attack: Attack, seed: Seed, abilities: Abilities) -> str:
    """What a target with `abilities` lacks for `attack`."""
    if not abilities.words:
        return "needs a model: the target only takes calls of its tools; --tools-from gives them to a model"
    for name, text in _NEEDS.items():
        if attack.fits(seed, msgspec.structs.replace(abilities, **{name: True})):
            return text
    return "needs what the target cannot take"


def _is_call(text: str) -> bool:
    """Whether `text` is a call of a tool, as an MCP server alone takes it."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return isinstance(found, dict) and "tool" in found


def _takes(attack: Attack, seed: Seed) -> bool:
    """Ordinary requests are asked plainly; under an attack they come as the twins of harmful ones."""
    return attack.family is Family.PLAIN or not _is_help(seed.goal)


def _fits(seed: Seed, choice: Choice) -> bool:
    return (
        (not choice.risks or seed.risk in choice.risks)
        and (not choice.langs or seed.lang in choice.langs)
        and (not choice.tc260 or bool(seed.tc260))
    )


def _chosen(seeds: Seeds, choice: Choice) -> tuple[frozenset[str] | None, dict[str, Seed]]:
    """Ids of the seeds that sampling leaves (None: all), and the twins they need."""
    wanted: set[str] = set()
    ids = None
    if choice.per_risk:
        strata: dict[tuple[str, str, bool, bool, bool], list[tuple[int, str, str]]] = {}
        for seed in seeds():
            if _fits(seed, choice):
                stratum = (seed.risk, seed.tc260, seed.must_refuse, seed.must_answer, bool(seed.goal.wanted))
                _keep_smallest(strata.setdefault(stratum, []), (-_rank(choice.seed, seed.id), seed.id, seed.twin), choice.per_risk)
        ids = frozenset(seed_id for kept in strata.values() for _, seed_id, _ in kept)
        wanted = {twin for kept in strata.values() for _, _, twin in kept if twin}
    else:
        wanted = {seed.twin for seed in seeds() if seed.twin and _fits(seed, choice)}
    twins = {seed.id: seed for seed in seeds() if seed.id in wanted} if wanted and choice.twins else {}
    return ids, twins


def _keep_smallest(heap: list[tuple[int, str, str]], item: tuple[int, str, str], most: int) -> None:
    if len(heap) < most:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)


def _rank(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}\x1f{name}".encode("utf-8", "backslashreplace"), digest_size=8).digest(), "big")


def _seen(shared: set[int], case: Case) -> bool:
    """Whether `case` is in `shared`, and puts it there."""
    number = int(case.id[:15], 16)
    if number in shared:
        return True
    shared.add(number)
    return False


def _is_help(goal: Goal) -> bool:
    return isinstance(goal, Help)
