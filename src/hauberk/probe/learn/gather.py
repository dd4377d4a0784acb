"""From finished runs to samples: what was sent in the cases that got through."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hauberk.assets.chat import Role
from hauberk.core.wellformed import well_formed_text
from hauberk.probe.engine.folder import prompts, read_manifest
from hauberk.probe.engine.reading import results, transcripts
from hauberk.probe.learn.masked import LEAST, remains
from hauberk.probe.learn.near import Seen
from hauberk.probe.learn.sample import Ordinary, Sample, plain
from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange

CONFIDENCE = 0.8
MOST = 20_000
"""Cases of one run that are read."""
MOST_EACH = 200
"""Samples of one attack."""
MOST_TWINS = 2_000
LONGEST = 200_000
"""Characters of a sample."""
_ORDINARY = frozenset({"plain", "indirect-injection", "agent-hijack"})
"""Families whose harmless twin is ordinary as a whole; of others only the request is, and the attack stands round it."""


class Gathered(msgspec.Struct, frozen=True):
    """Samples in a fixed order, ordinary texts of the twins, the runs they are from (id, target, digest), and what was left out."""

    samples: tuple[Sample, ...]
    twins: tuple[Ordinary, ...]
    runs: tuple[dict[str, str], ...]
    left_out: dict[str, int]


def gather(run_folders: Sequence[str], confidence: float = CONFIDENCE) -> Gathered:
    """Samples of all runs, without near-duplicates. Raises EngineError.

    Args:
        run_folders: Of finished runs.
        confidence: The least that the judge must have.
    """
    samples: list[Sample] = []
    twins: dict[str, Ordinary] = {}
    left_out: Counter[str] = Counter()
    seen = Seen()
    runs: list[dict[str, str]] = []
    for folder in run_folders:
        manifest = read_manifest(folder)
        runs.append({"id": manifest.id, "target": manifest.target, "digest": manifest.digest, "tool": manifest.tool})
        reading = _Reading(folder, confidence, left_out)
        for sample in reading.samples(manifest.id):
            if seen.count(sample) >= MOST_EACH:
                left_out[f"more than {MOST_EACH} samples of one attack"] += 1
            elif not seen.is_new(sample):
                left_out["nearly the same as another"] += 1
            else:
                samples.append(sample)
        for ordinary in reading.ordinary[: MOST_TWINS - len(twins)]:
            twins.setdefault(plain(ordinary.text), ordinary)
    samples.sort(key=lambda sample: (sample.attack, sample.seed, sample.case, sample.text))
    return Gathered(tuple(samples), tuple(twins.values()), tuple(runs), dict(sorted(left_out.items())))


class _Reading:
    """One run."""

    def __init__(self, folder: str, confidence: float, left_out: Counter[str]) -> None:
        self._folder, self._confidence, self._left_out = folder, confidence, left_out
        self.ordinary: list[Ordinary] = []

    def samples(self, run: str) -> Iterator[Sample]:
        """Those of the run, in the order of their cases; `ordinary` is there when the first is."""
        through, harmless = self._chosen()
        said = transcripts(self._folder, [one.case.id for one in (*through, *harmless)])
        texts = prompts(self._folder, {one.case.seed for one in (*through, *harmless)})
        self._read_twins(harmless, said, texts)
        known = {plain(one.text) for one in self.ordinary}
        for result in through:
            exchange = _judged(said[result.case.id], result.at)
            request = texts.get(result.case.seed, "")
            if exchange is None or exchange.reply is None:
                self._left_out["no transcript"] += 1
            elif _echoes(exchange):
                self._left_out["the answer only repeats what was sent"] += 1
            else:
                yield from self._of(result, exchange, request, known, run)

    def _chosen(self) -> tuple[list[Result], list[Result]]:
        """Cases that got through, and harmless ones whose requests are ordinary."""
        through: list[Result] = []
        harmless: list[Result] = []
        for result in results(self._folder):
            if result.case.wanted:
                if len(harmless) < MOST_TWINS and (result.case.family in _ORDINARY or result.case.twin_of):
                    harmless.append(result)
            elif result.outcome in {Outcome.COMPLIED, Outcome.PARTIAL}:
                if result.judgement is None or result.judgement.confidence < self._confidence:
                    self._left_out["the judge is not sure enough"] += 1
                elif len(through) >= MOST:
                    self._left_out[f"more than {MOST} cases in one run"] += 1
                else:
                    through.append(result)
        through.sort(key=lambda result: result.case.id)
        return through, harmless

    def _read_twins(self, harmless: list[Result], said: dict[str, tuple[Exchange, ...]], texts: dict[str, str]) -> None:
        for result in harmless:
            case = result.case
            group = f"{case.attack}:{case.seed}"
            if case.family in _ORDINARY:
                for exchange in said[case.id]:
                    for message in exchange.request.messages:
                        if message.role in {Role.USER, Role.TOOL, Role.DOCUMENT} and message.text.strip():
                            text = well_formed_text(message.text[:LONGEST])
                            self.ordinary.append(Ordinary(text, message.role, group, "twins", held=False))
            elif request := texts.get(case.seed, "").strip():
                self.ordinary.append(Ordinary(well_formed_text(request[:LONGEST]), Role.USER, case.seed, "twins", held=False))

    def _of(self, result: Result, exchange: Exchange, request: str, known: set[str], run: str) -> Iterator[Sample]:
        case, judgement = result.case, result.judgement
        kept = False
        for role, text in _messages(exchange, request, known):
            if remains(text, request) < LEAST or plain(text) in known:
                continue
            kept = True
            yield Sample(
                well_formed_text(text[:LONGEST]),
                role,
                case.lang,
                case.family,
                case.attack,
                case.id,
                case.seed,
                request=well_formed_text(request[:LONGEST]),
                risk=case.risk,
                judge=judgement.judge if judgement else "",
                confidence=judgement.confidence if judgement else 0.0,
                outcome=result.outcome.value,
                run=run,
            )
        if not kept:
            self._left_out["asked as it is: there is no attack to learn"] += 1


def _messages(exchange: Exchange, request: str, known: set[str]) -> Iterator[tuple[Role, str]]:
    """The messages that carry the attack: tool results with the order in them, else the user's last words."""
    foreign = [message for message in exchange.request.messages if message.role.foreign and message.text.strip()]
    planted = [message for message in foreign if request and plain(request) in plain(message.text)]
    if foreign and not planted:
        planted = [message for message in foreign if plain(message.text) not in known]
    if planted:
        yield from dict.fromkeys((message.role, message.text) for message in planted)
        return
    said = [message for message in exchange.request.messages if message.role is Role.USER and message.text.strip()]
    if said:
        yield Role.USER, said[-1].text


def _judged(exchanges: tuple[Exchange, ...], at: int) -> Exchange | None:
    number = at if at >= 0 else len(exchanges) + at
    return exchanges[number] if 0 <= number < len(exchanges) else None


def _echoes(exchange: Exchange) -> bool:
    """Whether the answer is a piece of what was sent: it does nothing that was asked."""
    answer = plain(exchange.reply.text) if exchange.reply and not exchange.reply.calls else ""
    return len(answer) >= LEAST and any(answer in plain(message.text) for message in exchange.request.messages)


def requests_of(samples: Iterable[Sample]) -> frozenset[str]:
    """The seeds' own words, plain."""
    return frozenset(plain(sample.request) for sample in samples if sample.request)
