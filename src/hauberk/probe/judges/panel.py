"""All judges together: every case gets one word."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from hauberk.probe.case import Case
from hauberk.probe.judges.call import CallJudge
from hauberk.probe.judges.choice import ChoiceJudge
from hauberk.probe.judges.fact import FactJudge
from hauberk.probe.judges.flood import FloodJudge
from hauberk.probe.judges.judge import Accuracy, Judge, Judgement
from hauberk.probe.judges.marker import MarkerJudge
from hauberk.probe.judges.memorised import MemorisedJudge
from hauberk.probe.judges.pair import PairJudge
from hauberk.probe.judges.secret import SecretJudge
from hauberk.probe.judges.stance import StanceJudge
from hauberk.probe.judges.unsafe import UnsafeJudge
from hauberk.probe.judges.verdict import verdict
from hauberk.probe.outcome import Outcome
from hauberk.probe.targets.target import Exchange

_MEASURED = Path(__file__).with_name("accuracy.json")


class Judges:
    """Judges in order: the first that has something to say is heard."""

    def __init__(self, judges: Sequence[Judge], accuracy: Sequence[Accuracy] = ()) -> None:
        self._judges = tuple(judges)
        self._accuracy = tuple(accuracy)

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement:
        """The word on exchange `at` of `transcript` (-1: the last), whose undisguised request was `prompt`."""
        number = at if at >= 0 else len(transcript) + at
        reply = transcript[number].reply if 0 <= number < len(transcript) else None
        if reply is None:
            return verdict(Outcome.INVALID, 0.0, "none", "there is no reply to judge")
        if reply.blocked or (reply.finish == "content_filter" and not reply.text.strip()):
            return verdict(Outcome.BLOCKED, 1.0, "block", "a guard or content filter stopped it", quote=reply.blocked)
        for judge in self._judges:
            word = judge.judge(case, prompt, transcript, number)
            if word is not None:
                return word
        return verdict(Outcome.INVALID, 0.0, "none", f"no judge knows the goal {type(case.goal).__name__.lower()}")

    def accuracy(self) -> tuple[Accuracy, ...]:
        """How the judges did against people's labels; exact checks have no figures."""
        return self._accuracy


def default_judges(known_packages: Iterable[str] | None = None) -> Judges:
    """The judges that need no model but the one in the package.

    Args:
        known_packages: Names of packages that exist; without them no answer is judged for packages that it makes up.
    """
    exact = (MarkerJudge(), SecretJudge(), CallJudge(), FactJudge(), ChoiceJudge(), PairJudge(), FloodJudge(), MemorisedJudge())
    return Judges((StanceJudge(), *exact, UnsafeJudge(known_packages)), _measured())


@cache
def _measured() -> tuple[Accuracy, ...]:
    """The figures of `evals/probe/judges/run.py`."""
    return tuple(msgspec.json.decode(_MEASURED.read_bytes(), type=list[Accuracy]))
