"""What a report of a probe is made from."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from hauberk.assets.chat import Role
from hauberk.core import Text
from hauberk.probe.case import Case
from hauberk.probe.grades.graded import Graded
from hauberk.probe.grades.tally import REACHED
from hauberk.probe.judges.judge import Judgement
from hauberk.probe.outcome import Outcome
from hauberk.probe.report.compare import Change
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange, Message

EACH = 3  # samples of one attack, risk and outcome
MOST = 400  # samples of a report
MOST_TEXT = 20_000  # characters of one message that a sample keeps


class Sample(msgspec.Struct, frozen=True):
    """One case with its transcript. `exchanges` may be cut: `left` messages' worth of characters were left out."""

    case: Case
    outcome: Outcome
    prompt: str
    exchanges: tuple[Exchange, ...]
    judgement: Judgement | None = None
    assessable: bool = True
    note: str = ""


class View(msgspec.Struct, frozen=True):
    """One run, ready to be shown.

    Attributes:
        run: Id of the run.
        target: Whom it was held against.
        suite: Name of the suite, or what was chosen instead.
        started, ended: ISO 8601 UTC.
        tool: Version of Hauberk.
        graded: The figures.
        titles: Attack -> its name in both languages.
        samples: Cases with transcripts, those that got through first.
        left: Cases without one.
        misfits: Attacks that the target cannot take, and why.
        notices: Lines for the reader.
        changes: Differences from another run, when one was named.
        compared: That run's id and target.
    """

    run: str
    target: str
    suite: str
    started: str
    ended: str
    tool: str
    graded: Graded
    titles: dict[str, Text] = {}
    samples: tuple[Sample, ...] = ()
    left: int = 0
    misfits: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    compared: str = ""


def telling(results: Iterable[Result], each: int = EACH, most: int = MOST) -> tuple[list[Result], int]:
    """The results to show with their transcripts, and how many are left out.

    Attacks that got through come first, then partial ones, errors, refused ordinary requests and the rest; `each` of one
    attack, risk and outcome. One pass; memory is bounded by the number of kinds.
    """
    seen: Counter[tuple[str, str, Outcome, bool]] = Counter()
    kept: list[Result] = []
    total = 0
    for result in results:
        total += 1
        kind = (result.case.attack, result.case.risk, result.outcome, result.case.wanted)
        seen[kind] += 1
        if seen[kind] <= each:
            kept.append(result)
    kept.sort(key=lambda one: (_order(one), one.case.attack, one.case.id))
    return kept[:most], total - min(len(kept), most)


def _order(result: Result) -> int:
    if result.case.wanted:
        return 3 if result.outcome not in REACHED else 5
    return {Outcome.COMPLIED: 0, Outcome.PARTIAL: 1, Outcome.ERROR: 2}.get(result.outcome, 4)


def sampled(
    results: Iterable[Result],
    transcript: Callable[[str], tuple[Exchange, ...]],
    prompt: Callable[[str], str],
    each: int = EACH,
    most: int = MOST,
) -> tuple[tuple[Sample, ...], int]:
    """Samples with their transcripts (`transcript`: case id -> exchanges; `prompt`: seed id -> its text), and how many are left."""
    chosen, left = telling(results, each, most)
    made = [
        Sample(
            one.case,
            one.outcome,
            prompt(one.case.seed),
            tuple(_bounded(exchange) for exchange in transcript(one.case.id)),
            one.judgement,
            one.assessable,
            one.note,
        )
        for one in chosen
    ]
    return tuple(made), left


def unfolded(exchanges: Sequence[Exchange]) -> list[tuple[tuple[Message, ...], Exchange]]:
    """Each exchange with the messages that the one before it did not show: requests hold the whole conversation."""
    made: list[tuple[tuple[Message, ...], Exchange]] = []
    known: tuple[Message, ...] = ()
    for exchange in exchanges:
        sent = exchange.request.messages
        same = 0
        while same < min(len(known), len(sent)) and known[same] == sent[same]:
            same += 1
        fresh = sent[same:]
        if same and fresh and fresh[0].role is Role.ASSISTANT:
            fresh = fresh[1:]  # the answer just shown
        made.append((fresh, exchange))
        known = sent
    return made


def _bounded(exchange: Exchange) -> Exchange:
    """The exchange without pictures and with long texts cut, which is said in the text."""
    messages = tuple(msgspec.structs.replace(message, text=cut(message.text), images=()) for message in exchange.request.messages)
    request = msgspec.structs.replace(exchange.request, messages=messages)
    reply = exchange.reply and msgspec.structs.replace(exchange.reply, text=cut(exchange.reply.text))
    return msgspec.structs.replace(exchange, request=request, reply=reply)


def cut(text: str, most: int = MOST_TEXT) -> str:
    """`text`, or its beginning with a note of what was left out."""
    return text if len(text) <= most else f"{text[:most]} […{len(text) - most} characters left out]"
