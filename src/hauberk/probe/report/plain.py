"""The report for a terminal: the verdict first."""

from collections.abc import Iterator

from hauberk.probe.grades.graded import Graded, Rated
from hauberk.probe.grades.profile import Assessed
from hauberk.probe.outcome import Outcome
from hauberk.probe.report import show
from hauberk.probe.report.compare import Direction
from hauberk.probe.report.view import View
from hauberk.probe.report.words import BANKS, DIRECTIONS, FAMILIES, MEASURES, OUTCOMES, STANDINGS, WORDS
from hauberk.report.ansi import Paint
from hauberk.report.printable import printable, shortened

ROWS = 30
_WIDE = 28


def render(view: View, language: str, *, colour: bool = False) -> bytes:
    """`view` as text; nothing that a target said reaches the terminal unescaped."""
    return ("\n".join(_lines(view, language, Paint(colour=colour))) + "\n").encode("utf-8")


def _lines(view: View, language: str, paint: Paint) -> Iterator[str]:
    graded = view.graded
    yield from headline(graded, language, paint)
    yield ""
    yield from _table(WORDS["risks"][language], graded.risks, language, paint)
    yield from _table(WORDS["attacks"][language], graded.attacks, language, paint)
    yield from _knowledge(graded, language, paint)
    for assessed in graded.assessed:
        yield from _standing(assessed, language, paint)
    yield from _changes(view, language, paint)
    for title, rows in ((WORDS["misfits"], view.misfits), (WORDS["notices"], view.notices)):
        if rows:
            yield paint("bold", title[language])
            yield from (f"  {printable(row)}" for row in rows[:ROWS])
            yield ""
    yield paint("dim", WORDS["scale"][language])
    yield paint("dim", f"hauberk {view.tool} · {printable(view.target)} · {printable(view.suite)} · {printable(view.run)}")


def headline(graded: Graded, language: str, paint: Paint) -> Iterator[str]:
    """What a person reads first: both rates with their grades, how the cases ended, and what is missing."""
    for line in graded.inconclusive:
        yield paint("block", WORDS["inconclusive"][language]) + f": {printable(line)}"
    for word, interval, grade in (
        ("overall", graded.overall, graded.grade),
        ("over-refusal", graded.over_refusal.true, graded.over_refusal_grade),
    ):
        shown = show.grade(grade, language)
        yield f"{WORDS[word][language]}  {paint('bold', show.rate(interval))}  {WORDS['grade'][language]} {paint('bold', shown)}"
    ends = [f"{OUTCOMES[end.value][language]} {number}" for end, number in graded.outcomes.items() if number]
    if graded.not_assessable:
        ends.append(f"{WORDS['not-assessable'][language]} {graded.not_assessable}")
    tokens = graded.prompt_tokens + graded.completion_tokens
    yield paint("dim", " · ".join(ends))
    yield paint("dim", f"{graded.requests:,} {WORDS['requests'][language]} · {tokens:,} {WORDS['tokens'][language]}")


def _table(title: str, rows: tuple[Rated, ...], language: str, paint: Paint) -> Iterator[str]:
    if not rows:
        return
    yield paint("bold", title)
    for rated in rows[:ROWS]:
        trials = rated.success.trials
        name = f"{rated.name:<{_WIDE}}"
        if not trials:
            yield f"  {name} -  {paint('dim', _ends(rated.outcomes, language))}"
            continue
        grade = rated.grade.grade or "-"
        told = f"{trials} {WORDS['cases'][language]}"
        if rated.relative:
            told += f" · {WORDS['relative'][language]}: {show.relative(rated.relative, language)}"
        if rated.over_refusal:
            told += f" · {WORDS['over-refusal'][language]} {show.rate(rated.over_refusal.true)}"
        yield f"  {name} {show.rate(rated.success.true):<22} {grade}  {paint('dim', told)}"
    if len(rows) > ROWS:
        yield f"  … {len(rows) - ROWS}"
    yield ""


def _ends(outcomes: dict[Outcome, int], language: str) -> str:
    return " · ".join(f"{OUTCOMES[end.value][language]} {number}" for end, number in outcomes.items() if number)


def _knowledge(graded: Graded, language: str, paint: Paint) -> Iterator[str]:
    if graded.knowledge:
        yield paint("bold", WORDS["knowledge"][language])
        for one in graded.knowledge:
            name = printable(f"{one.bank} {one.category}".strip())
            told = f"{one.trials} {WORDS['cases'][language]}"
            yield f"  {name:<{_WIDE}} {show.rate(one.accuracy)}  {paint('dim', told)}"
        yield ""


def _standing(assessed: Assessed, language: str, paint: Paint) -> Iterator[str]:
    profile = assessed.profile
    yield paint("bold", profile.title_zh if language == "zh" else profile.title_en)
    styles = {"met": "admit", "missed": "block", "undecided": "hold"}
    for one in assessed.checked:
        need = one.requirement
        bar = f"≥ {need.at_least:.0%}" if need.at_least is not None else f"≤ {need.at_most or 0:.0%}"
        title = need.title_zh if language == "zh" else need.title_en
        word = paint(styles[one.standing.value], STANDINGS[one.standing.value][language])
        more = f" · {told}" if (told := show.settling(one.more, language)) else ""
        value = show.rate(one.rate.true) if one.rate.trials else "-"
        yield f"  {need.clause} {title} ({bar}): {value}, {one.rate.trials} {WORDS['cases'][language]}: {word}{more}"
    for covered in assessed.covered:
        coverage = covered.coverage
        state = STANDINGS["met" if covered.met else "missed"][language]
        yield (
            f"  {coverage.clause} {WORDS['coverage'][language]} ({BANKS[coverage.bank][language]}): {covered.total}"
            f" {WORDS['of'][language]} {coverage.total}, {len(covered.short)} {WORDS['short'][language]}: {state}"
        )
    yield ""


def _changes(view: View, language: str, paint: Paint) -> Iterator[str]:
    moved = [change for change in view.changes if change.direction is not Direction.SAME]
    if not view.compared:
        return
    yield paint("bold", f"{WORDS['changes'][language]}: {shortened(view.compared)}")
    for change in moved[:ROWS]:
        before = show.percent(change.before.true.rate) if change.before and change.before.trials else "-"
        after = show.percent(change.after.true.rate) if change.after and change.after.trials else "-"
        style = {"worse": "block", "better": "admit"}.get(change.direction.value, "hold")
        word = paint(style, DIRECTIONS[change.direction.value][language])
        name = f"{MEASURES[change.what][language]} {change.name}".strip()
        yield f"  {name:<{_WIDE}} {before} % → {after} %  {word}  {paint('dim', f'p = {change.chance:.3g}')}"
    if not moved:
        yield f"  {DIRECTIONS['same'][language]}"
    yield ""


def family_title(name: str, language: str) -> str:
    """The family's name in `language`."""
    return FAMILIES[name][language] if name in FAMILIES else printable(name)
