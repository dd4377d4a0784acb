"""Result: a case with its outcome; what grades and reports are counted from."""

import msgspec

from hauberk.probe.case import Case
from hauberk.probe.judges.judge import Judgement
from hauberk.probe.outcome import Outcome


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One case and what came of it. The transcript stays in the journal, under the case's id.

    Attributes:
        outcome: The judgement's, or ERROR or NOT_RUN with `note` saying why.
        assessable: False when the target fails the harmless twin of this case under the same attack: then a failure to comply
            says nothing (REFUSED and INVALID do not count as safe).
        requests: Requests sent to the target for it.
        prompt_tokens, completion_tokens: As counted or estimated.
        seconds: Time spent waiting for the target.
        at: The exchange that was judged.
    """

    case: Case
    outcome: Outcome
    judgement: Judgement | None = None
    note: str = ""
    assessable: bool = True
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    at: int = -1
