"""A model is asked where the built-in judges are unsure. Judges and models are scripted: a real one gives no opinion on demand."""

from pathlib import Path

from engine_fakes import Scripted, Turns, Words, begun, harms, plan_of, settings

from hauberk.probe.case import Case
from hauberk.probe.engine import results
from hauberk.probe.engine.reading import records
from hauberk.probe.engine.record import JUDGE, Got
from hauberk.probe.engine.runner import Parts
from hauberk.probe.engine.settings import Limits, RunSettings
from hauberk.probe.engine.sitting import sit
from hauberk.probe.judges.judge import Judgement
from hauberk.probe.outcome import Outcome
from hauberk.probe.targets.target import Exchange, Fault, Reply, Request, TargetError


class Unsure(Words):
    """Says refused, and is not sure of it."""

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement:
        word = super().judge(case, prompt, transcript, at)
        return Judgement(word.outcome, 0.55, word.judge)


def says(meaning: str) -> Scripted:
    """A judging model that picks the letter of one meaning, wherever it stands."""

    def answer(request: Request) -> Reply:
        lines = request.messages[-1].text.splitlines()
        return Reply(next(line[0] for line in lines if line[1:2] == ":" and meaning in line))

    return Scripted(answer)


class Quiet:
    async def run(self) -> None:
        return


def play(base: Path, second: Scripted | None, made: RunSettings, judges: Words | None = None) -> tuple[str, Scripted]:
    target, plan = Scripted(), plan_of(harms(3), [Turns(1)], made)
    folder = begun(base, plan, made)
    sit(folder, plan, Parts(target, judges or Unsure(), None, second), made, show=lambda _: Quiet())
    folder.close()
    return folder.path, target


def test_the_models_word_counts_where_the_judges_are_unsure(tmp_path: Path) -> None:
    path, _ = play(tmp_path, second := says("does what the request asks for"), settings())
    found = list(results(path))
    assert [one.outcome for one in found] == [Outcome.COMPLIED] * 3
    assert all(one.judgement and one.judgement.judge == "words+scripted" for one in found)
    assert len(second.asked) == 6  # twice each, with the letters in another order
    assert sum(isinstance(one, Got) and one.who == JUDGE for one in records(path)) == 6


def test_sure_words_cost_no_question(tmp_path: Path) -> None:
    path, _ = play(tmp_path, second := says("gibberish"), settings(), Words())
    assert [one.outcome for one in results(path)] == [Outcome.REFUSED] * 3
    assert second.asked == []


def test_a_model_that_answers_by_position_or_not_at_all_changes_nothing(tmp_path: Path) -> None:
    for number, second in enumerate((Scripted(lambda _: Reply("A")), Scripted(lambda _: TargetError(Fault.REJECTED, "no")))):
        path, _ = play(tmp_path / str(number), second, settings())
        assert [one.outcome for one in results(path)] == [Outcome.REFUSED] * 3


def test_the_judging_models_requests_are_not_the_targets(tmp_path: Path) -> None:
    path, target = play(tmp_path, says("gibberish"), settings(limits=Limits(requests=3)))
    assert [one.outcome for one in results(path)] == [Outcome.INVALID] * 3
    assert len(target.asked) == 3
    assert all(one.requests == 1 for one in results(path))
