"""Jinja templates: chat templates, prompt templates, and every string in a configuration that is one. Parsed, never rendered."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.templates.jinja_behaviour import behaviours
from hauberk.assets.templates.jinja_cost import costs
from hauberk.assets.templates.jinja_escape import escapes, lexical_escapes
from hauberk.assets.templates.jinja_fold import Folder
from hauberk.assets.templates.jinja_parse import MAX_SOURCE, UnparsedTemplateError, count_nodes, parse
from hauberk.assets.text.invisible import hidden_runs
from hauberk.assets.text.textual import decoded
from hauberk.core import Asset, Fact, Gap, GapReason

_MARK = re.compile(r"\{\{|\{%")


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of the template `asset` holds. A text that is no template by Jinja's rules is looked at by spelling, with a Gap."""
    assert asset.content is not None
    if asset.content.size > 4 * MAX_SOURCE:
        raise ReadError(GapReason.TOO_LARGE, f"a template of {asset.content.size} bytes", check="jinja.too-large")
    yield from template_facts(decoded(asset.content.read()), asset.uri, budget)


def template_facts(source: str, uri: str, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """The facts of one template."""
    try:
        tree = parse(source)
    except UnparsedTemplateError as error:
        yield from lexical_escapes(source)
        yield from _hidden(source)
        note = f"line {error.line} is not Jinja ({quote(error.note, 100)}): looked at by spelling only"
        yield Gap(uri, GapReason.UNSUPPORTED, note)
        return
    count_nodes(tree)
    budget.check_time()
    folder = Folder(tree, budget)
    for look in (escapes, costs, behaviours):
        for fact in look(tree, folder):
            budget.tick(64)
            yield fact
    budget.check_time()


def is_template(text: str) -> bool:
    """Whether a string found in some configuration is to be read as a template."""
    return _MARK.search(text) is not None and ("}}" in text or "%}" in text)


def _hidden(source: str) -> Iterator[Fact]:
    for run in hidden_runs(source):
        note = f"{run.count} {run.kind} characters" + (f" that spell {quote(run.says, 60)}" if run.says else "")
        yield Fact("jinja.hidden-text", note, quote=quote(run.says or run.kind), attrs={"kind": run.kind})
