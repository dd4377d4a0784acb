"""The report for pull requests and tickets, in Markdown."""

from collections.abc import Iterator

from hauberk.probe.grades.correct import sensitivity, specificity
from hauberk.probe.report import show
from hauberk.probe.report.compare import Direction
from hauberk.probe.report.plain import family_title
from hauberk.probe.report.view import View
from hauberk.probe.report.words import BANKS, DIRECTIONS, MEASURES, OUTCOMES, STANDINGS, WORDS
from hauberk.report.md import code, escaped

ROWS = 100


def render(view: View, language: str) -> bytes:
    """`view` as Markdown; what a target said is escaped or set in code."""
    return ("\n".join(_lines(view, language)) + "\n").encode("utf-8")


def _lines(view: View, language: str) -> Iterator[str]:
    graded = view.graded
    yield f"# {WORDS['title'][language]}: {code(view.target)}"
    yield ""
    for line in graded.inconclusive:
        yield f"**{WORDS['inconclusive'][language]}**: {escaped(line)}"
        yield ""
    yield f"| | {WORDS['corrected'][language]} | {WORDS['seen'][language]} | {WORDS['grade'][language]} |"
    yield "|---|---|---|---|"
    yield f"| {WORDS['overall'][language]} | {show.rate(graded.overall)} | | {show.grade(graded.grade, language)} |"
    refusal = graded.over_refusal
    yield (
        f"| {WORDS['over-refusal'][language]} | {show.rate(refusal.true)} | {show.rate(refusal.seen)}"
        f" | {show.grade(graded.over_refusal_grade, language)} |"
    )
    yield ""
    ends = [f"{OUTCOMES[end.value][language]} {number}" for end, number in graded.outcomes.items() if number]
    yield " · ".join([*ends, f"{WORDS['not-assessable'][language]} {graded.not_assessable}"])
    yield from _heat(view, language)
    yield from _risks(view, language)
    yield from _attacks(view, language)
    yield from _standards(view, language)
    yield from _changes(view, language)
    yield from _judges(view, language)
    for title, rows in ((WORDS["misfits"], view.misfits), (WORDS["notices"], view.notices)):
        if rows:
            yield from ("", f"## {title[language]}", "")
            yield from (f"- {escaped(row)}" for row in rows[:ROWS])
    yield from ("", WORDS["scale"][language], "", f"hauberk {escaped(view.tool)} · {code(view.run)} · {escaped(view.suite)}")


def _heat(view: View, language: str) -> Iterator[str]:
    cells = {(cell.risk, cell.family): cell for cell in view.graded.cells}
    families = sorted({family for _, family in cells})
    if not cells:
        return
    yield from ("", f"## {WORDS['heat'][language]}", "")
    yield "| | " + " | ".join(family_title(family, language) for family in families) + " |"
    yield "|---" * (len(families) + 1) + "|"
    for risk in sorted({risk for risk, _ in cells}):
        row: list[str] = []
        for family in families:
            cell = cells.get((risk, family))
            known = cell is not None and cell.success.trials
            row.append(
                f"{show.percent(cell.success.true.rate)} % ({cell.success.trials})" if cell and known else "-" if cell else ""
            )
        yield f"| {escaped(risk)} | " + " | ".join(row) + " |"


def _risks(view: View, language: str) -> Iterator[str]:
    rows = view.graded.risks
    if not rows:
        return
    related = any(rated.relative for rated in rows)
    titles = [WORDS[word][language] for word in ("corrected", "cases", "grade", *(["relative"] if related else []), "over-refusal")]
    yield from ("", f"## {WORDS['risks'][language]}", "", f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|")
    for rated in rows[:ROWS]:
        known = rated.success.trials
        row = [show.rate(rated.success.true) if known else "-", str(known), show.grade(rated.grade, language) if known else "-"]
        if related:
            row.append(show.relative(rated.relative, language) if rated.relative else "-")
        row.append(show.rate(rated.over_refusal.true) if rated.over_refusal else "-")
        yield f"| {escaped(rated.name)} | {' | '.join(row)} |"


def _judges(view: View, language: str) -> Iterator[str]:
    if not view.graded.accuracy:
        return
    yield from ("", f"## {WORDS['judges'][language]}", "")
    yield "| " + " | ".join(WORDS[word][language] for word in ("judge", "sensitivity", "specificity", "data")) + " |"
    yield "|---|---|---|---|"
    for one in view.graded.accuracy:
        found = f"{show.percent(sensitivity(one))} % ({one.true_positive + one.false_negative})"
        spared = f"{show.percent(specificity(one))} % ({one.true_negative + one.false_positive})"
        yield f"| {escaped(one.judge)} | {found} | {spared} | {escaped(one.data)} |"


def _attacks(view: View, language: str) -> Iterator[str]:
    if view.graded.attacks:
        yield from ("", f"## {WORDS['attacks'][language]}", "")
        yield f"| | {WORDS['corrected'][language]} | {WORDS['cases'][language]} | {WORDS['grade'][language]} |"
        yield "|---|---|---|---|"
    for rated in view.graded.attacks[:ROWS]:
        name = view.titles[rated.name][language] if rated.name in view.titles else rated.name
        value = show.rate(rated.success.true) if rated.success.trials else "-"
        yield f"| {escaped(name)} | {value} | {rated.success.trials} | {rated.grade.grade or '-'} |"


def _standards(view: View, language: str) -> Iterator[str]:
    for assessed in view.graded.assessed:
        profile = assessed.profile
        yield from ("", f"## {profile.title_zh if language == 'zh' else profile.title_en}", "")
        for one in assessed.checked:
            need = one.requirement
            bar = f"≥ {need.at_least:.0%}" if need.at_least is not None else f"≤ {need.at_most or 0:.0%}"
            title = need.title_zh if language == "zh" else need.title_en
            more = f"; {told}" if (told := show.settling(one.more, language)) else ""
            value = show.rate(one.rate.true) if one.rate.trials else "-"
            yield f"- {need.clause} {title} ({bar}): {value}: **{STANDINGS[one.standing.value][language]}**{more}"
        for covered in assessed.covered:
            state = STANDINGS["met" if covered.met else "missed"][language]
            there = f"({BANKS[covered.coverage.bank][language]}): {covered.total} / {covered.coverage.total}"
            yield f"- {covered.coverage.clause} {WORDS['coverage'][language]} {there}: **{state}**"


def _changes(view: View, language: str) -> Iterator[str]:
    if not view.compared:
        return
    yield from ("", f"## {WORDS['changes'][language]}: {code(view.compared)}", "")
    moved = [change for change in view.changes if change.direction is not Direction.SAME]
    if not moved:
        yield DIRECTIONS["same"][language]
    for change in moved[:ROWS]:
        before = show.rate(change.before.true) if change.before and change.before.trials else "-"
        after = show.rate(change.after.true) if change.after and change.after.trials else "-"
        name = escaped(f"{MEASURES[change.what][language]} {change.name}".strip())
        yield f"- {name}: {before} → {after}: **{DIRECTIONS[change.direction.value][language]}** (p = {change.chance:.3g})"
