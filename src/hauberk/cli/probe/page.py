"""A run's folder as a report in any format."""

import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import click

from hauberk.cli.errors import UserError
from hauberk.cli.output import wants_colour

if TYPE_CHECKING:
    from hauberk.probe.engine.conclude import Conclusion
    from hauberk.probe.engine.folder import Manifest
    from hauberk.probe.grades import Graded, Profile
    from hauberk.probe.report.view import Sample, View

_BY_SUFFIX = {".json": "json", ".html": "html", ".htm": "html", ".md": "md", ".xml": "junit", ".sarif": "sarif", ".txt": "plain"}


def format_of(chosen: str | None, output: str | None) -> str:
    """The format asked for, else the one the output's name says, else plain."""
    return chosen or _BY_SUFFIX.get(os.path.splitext((output or "").lower())[1], "plain")


def profiles_of(names: Iterable[str]) -> "tuple[Profile, ...]":
    """The profiles called so, or in the files so named. Raises ProfileError, UserError."""
    from hauberk.probe.grades import profiles, read_profile

    known = profiles()
    found: list[Profile] = []
    for name in names:
        if name in known:
            found.append(known[name])
            continue
        try:
            with open(name, "rb") as file:
                found.append(read_profile(file.read(4 << 20), name))
        except OSError as error:
            raise UserError(f"no profile {name!r}; there are {', '.join(known)}, or name a .toml file") from error
    return tuple(found)


def page(
    path: str,
    manifest: "Manifest",
    conclusion: "Conclusion",
    form: str,
    language: str,
    *,
    notices: Iterable[str] = (),
    compared: "tuple[Manifest, Graded] | None" = None,
    colour: bool | None = None,
) -> bytes:
    """The run in `path` in the format `form`."""
    from hauberk.rules import load_pack

    lines = (*notices, *conclusion.checked.crossed, *conclusion.checked.unmeasured)
    if form == "sarif":
        from hauberk.probe.engine.conclude import run_of
        from hauberk.report import sarif

        pack = load_pack()
        return sarif.render(run_of(path, manifest, conclusion, pack.digest, lines), pack, language)
    # In SARIF they are gaps already.
    view = _view(path, manifest, conclusion, (*_missing(path, language), *lines), compared, with_samples=form in {"html", "json"})
    module = import_module(f"hauberk.probe.report.{form}")
    if form == "html":
        return module.render(view, load_pack(), language)
    if form == "plain":
        return module.render(view, language, colour=wants_colour() if colour is None else colour)
    return module.render(view, language)


def _missing(path: str, language: str) -> Iterator[str]:
    """Why there is no answer, a line each."""
    from hauberk.probe.engine.conclude import missing
    from hauberk.probe.report.words import OUTCOMES

    for one in missing(path):
        cases = "例" if language == "zh" else "case" if one.cases == 1 else "cases"
        yield f"{one.cases:,} {cases}, {OUTCOMES[one.outcome.value][language]}: {one.note}"


def _view(
    path: str,
    manifest: "Manifest",
    conclusion: "Conclusion",
    notices: tuple[str, ...],
    compared: "tuple[Manifest, Graded] | None",
    *,
    with_samples: bool,
) -> "View":
    from hauberk.core import Text
    from hauberk.probe.attacks import all_attacks
    from hauberk.probe.report.compare import compare
    from hauberk.probe.report.view import View

    samples, left = _samples(path) if with_samples else ((), 0)
    choice = manifest.settings.choice
    return View(
        run=manifest.id,
        target=manifest.target,
        suite=choice.suite or ", ".join((*choice.families, *choice.attacks)),
        started=manifest.started,
        ended=conclusion.ended,
        tool=manifest.tool,
        graded=conclusion.graded,
        titles={name: Text(en=attack.title.en, zh=attack.title.zh) for name, attack in all_attacks().items()},
        samples=samples,
        left=left,
        misfits=tuple(f"{one.attack}: {one.cases} cases: {one.reason}" for one in manifest.misfits),
        notices=notices,
        changes=compare(compared[1], conclusion.graded) if compared else (),
        compared=f"{compared[0].id} {compared[0].target}" if compared else "",
    )


def _samples(path: str) -> "tuple[tuple[Sample, ...], int]":
    """In two passes over the journal, however many samples there are."""
    from hauberk.probe.engine.folder import prompts
    from hauberk.probe.engine.pairs import compared_results
    from hauberk.probe.engine.reading import transcripts
    from hauberk.probe.grades import assessed
    from hauberk.probe.report.view import sampled, telling

    chosen, left = telling(assessed(lambda: compared_results(path)))
    said = transcripts(path, {one.case.id for one in chosen})
    texts = prompts(path, {one.case.seed for one in chosen})
    samples, _ = sampled(chosen, lambda case: said.get(case, ()), lambda seed: texts.get(seed, ""), each=len(chosen) + 1)
    return samples, left


def note(text: str) -> None:
    """One line for the person at the terminal."""
    click.echo(f"hauberk: {text}", err=True)
