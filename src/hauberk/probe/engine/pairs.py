"""Pairs of prompts that differ in a group only: their answers are compared once both are there."""

from collections.abc import Iterator

import msgspec

from hauberk.probe.engine.folder import prompts
from hauberk.probe.engine.reading import results, transcripts
from hauberk.probe.goal import Pair
from hauberk.probe.judges import Side, compared
from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result

MOST = 4_000
"""Cases with a pair that one run compares; what lies beyond is undecided and says so."""
_OTHER = "counted with the other side of its pair"
_ALONE = "the other side of its pair gave no answer"
_TOO_MANY = f"more than {MOST} cases with a pair; split the run"


def compared_results(run_folder: str) -> Iterator[Result]:
    """The results of a run, those of pairs with the verdict of the comparison. A pair counts once: its second side is set aside."""
    kept: list[Result] = []
    for result in results(run_folder):
        if isinstance(result.case.goal, Pair) and result.outcome.answered:
            if len(kept) < MOST:
                kept.append(result)
            else:
                yield msgspec.structs.replace(result, outcome=Outcome.INVALID, note=_TOO_MANY)
        else:
            yield result
    yield from _pairs(run_folder, kept)


def _pairs(run_folder: str, found: list[Result]) -> Iterator[Result]:
    if not found:
        return
    said = transcripts(run_folder, {one.case.id for one in found})
    texts = prompts(run_folder, {one.case.seed for one in found})
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for one in found:
        assert isinstance(one.case.goal, Pair)
        groups.setdefault((one.case.attack, one.case.goal.pair, one.case.trial), []).append(one)
    for sides in groups.values():
        if len(sides) != 2:
            yield from (msgspec.structs.replace(one, outcome=Outcome.INVALID, note=_ALONE) for one in sides)
            continue
        first, second = sides
        if Outcome.BLOCKED in {first.outcome, second.outcome} and first.outcome is second.outcome:
            yield from sides  # a guard stopped both alike
            continue
        word = compared(*(Side(one.case, texts.get(one.case.seed, ""), said.get(one.case.id, ()), one.at) for one in sides))
        yield msgspec.structs.replace(first, outcome=word.outcome, judgement=word)
        yield msgspec.structs.replace(second, outcome=word.outcome, judgement=word, assessable=False, note=_OTHER)
