"""What a plan will take, before anything is sent."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from hauberk.probe.engine import tokens
from hauberk.probe.engine.plan import Planned
from hauberk.probe.engine.settings import RunSettings
from hauberk.probe.engine.talk import OPINION
from hauberk.probe.goal import Harm, Help
from hauberk.probe.judges.refine import AROUND, MAX_SHOWN, MOST_ASKED
from hauberk.probe.targets.estimate import estimated_tokens

USUAL_ANSWER = 160  # tokens
USUAL_SECONDS = 4.0  # for one request to a hosted model
CHARACTERS = 4  # of a token of the judging model's prompt
USUALLY_UNSURE = 0.3  # of the words on harm and help that the judging model is asked about


class Taken(msgspec.Struct):
    """Requests to the target, the attacker and the judging model, tokens of all three, and money."""

    requests: float = 0
    advice: float = 0
    prompt: float = 0
    completion: float = 0
    cost: float = 0
    opinions: float = 0


class Estimate(msgspec.Struct):
    """What a plan takes at most and usually. Retries of failed requests come on top; a budget bounds them too.

    `seconds` is the usual time at the given concurrency, were each request to take `USUAL_SECONDS`.
    """

    cases: int
    twins: int
    most: Taken
    usual: Taken
    seconds: float
    families: dict[str, int]
    risks: dict[str, int]


def estimate(plan: Iterable[Planned], settings: RunSettings, *, judged: bool = False, rounds: int = 1) -> Estimate:
    """One pass over the plan.

    Args:
        plan: The cases.
        settings: Of the run.
        judged: Whether a model is asked where the judges are unsure.
        rounds: Most requests to the target that one answer takes, where we carry its tool calls out.
    """
    most, usual = Taken(), Taken()
    families: Counter[str] = Counter()
    risks: Counter[str] = Counter()
    cases = twins = 0
    for planned in plan:
        cases += 1
        twins += bool(planned.case.twin_of)
        families[planned.case.family] += 1
        risks[planned.case.risk] += 1
        _add(most, usual, planned, settings, rounds)
        if judged and isinstance(planned.case.goal, Harm | Help):
            _ask(most, planned, settings, MOST_ASKED)
            _ask(usual, planned, settings, MOST_ASKED * USUALLY_UNSURE)
    seconds = usual.requests * USUAL_SECONDS / max(1, settings.pacing.concurrency)
    return Estimate(cases, twins, most, usual, seconds, dict(families), dict(risks))


def _add(most: Taken, usual: Taken, planned: Planned, settings: RunSettings, rounds: int) -> None:
    seed, cost = planned.seed, planned.attack.cost
    bound = settings.sampling.max_tokens
    whole = (seed.text, seed.system, seed.context, seed.task, settings.sampling.system)
    largest = sum(map(tokens.most, whole)) * max(1.0, cost.growth) + 3 * cost.extra + tokens.PREAMBLE
    common = sum(map(estimated_tokens, whole)) * cost.growth + cost.extra / 4 + tokens.PER_MESSAGE
    _take(most, cost.requests * rounds, cost.advice, largest, bound, settings)
    share = cost.usual / cost.requests if cost.requests else 0.0
    _take(usual, cost.usual, cost.advice * share, common, min(bound, USUAL_ANSWER), settings)


def _take(taken: Taken, requests: float, advice: float, prompt: float, answer: float, settings: RunSettings) -> None:
    """Later requests of a conversation hold what came before."""
    before = max(0.0, requests - 1) * requests / 2
    asked = requests * prompt + before * (prompt + answer)
    advised = advice * (2 * prompt + answer)
    taken.requests += requests
    taken.advice += advice
    taken.prompt += asked + advised
    taken.completion += (requests + advice) * answer
    taken.cost += settings.prices.of(asked, requests * answer) + settings.attacker_prices.of(advised, advice * answer)


def _ask(taken: Taken, planned: Planned, settings: RunSettings, times: float) -> None:
    """The judging model sees request and answer, both shortened, and says one letter."""
    asked, answered = tokens.most(planned.seed.text), settings.sampling.max_tokens * CHARACTERS
    prompt = times * (AROUND + min(MAX_SHOWN, asked) + min(MAX_SHOWN, answered)) / CHARACTERS
    taken.opinions += times
    taken.prompt += prompt
    taken.completion += times * OPINION
    taken.cost += settings.judge_prices.of(prompt, times * OPINION)
