"""The verdict in two lines, for a terminal whose report went to a file."""

from hauberk.core import Run
from hauberk.report.ansi import Paint
from hauberk.report.plain import verdict_lines
from hauberk.report.view import view_of
from hauberk.rules import RulePack


def render(run: Run, pack: RulePack, language: str) -> bytes:
    """The verdict and the counts."""
    del pack
    return ("\n".join(verdict_lines(view_of(run), language, Paint(colour=False))) + "\n").encode("utf-8")
