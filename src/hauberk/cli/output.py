"""Where results go: stdout or a file, in the format asked for or the one the file's name says."""

import os
import sys
from importlib import import_module

import click

from hauberk.cli.errors import UserError
from hauberk.core import Run
from hauberk.rules import RulePack

FORMATS = ("plain", "json", "sarif", "html", "md", "cyclonedx")
_BY_SUFFIX = {
    ".json": "json", ".sarif": "sarif", ".html": "html", ".htm": "html", ".md": "md", ".txt": "plain", ".cdx": "cyclonedx",
}  # fmt: skip

format_option = click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), help="Default: what -o's name says, else plain."
)
output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="Write the result here; the verdict still goes to the terminal."
)
language_option = click.option("--lang", type=click.Choice(("en", "zh")), help="Language of the report. Default: your locale's.")


def language_of(chosen: str | None) -> str:
    """The language asked for, else the locale's, else English."""
    if chosen:
        return chosen
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def format_of(chosen: str | None, output: str | None) -> str:
    """The format asked for, else the one the output's name says, else plain."""
    if chosen:
        return chosen
    name = (output or "").lower()
    if name.endswith((".cdx.json", ".bom.json")):
        return "cyclonedx"
    return _BY_SUFFIX.get(os.path.splitext(name)[1], "plain")


def rendered(run: Run, pack: RulePack, name: str, language: str, *, colour: bool = False) -> bytes:
    """`run` in the format called `name`."""
    module = import_module(f"hauberk.report.{name}")
    if name == "plain":
        return module.render(run, pack, language, colour=colour)
    if name == "cyclonedx":
        from hauberk.assets.configs.model_card import read_cards

        return module.render(run, pack, language, cards=read_cards(a.uri for a in run.assets if a.kind == "repository"))
    return module.render(run, pack, language)


def wants_colour() -> bool:
    """Whether stdout is a terminal that has not asked for plain text."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def emit(data: bytes, output: str | None) -> None:
    """Writes to `output`, whole or not at all, or to stdout. Raises UserError when it cannot be written."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    temporary = f"{output}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, output)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise UserError(f"{output}: cannot be written: {(error.strerror or str(error)).lower()}") from error
