"""Parses Jinja templates without ever rendering them: source in, syntax tree out.

Knows the tags that chat templates use beyond Jinja's own: `generation`, `break`, `continue`, `do`, and `debug`.
"""

from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser

from hauberk.assets.errors import ReadError
from hauberk.core import GapReason

MAX_SOURCE = 4 << 20
MAX_NODES = 400_000
DEBUG_CALL = "debug tag"  # the name a `{% debug %}` tag is given in the tree; no variable can be called so


class _ExtraTags(Extension):
    """`{% generation %}...{% endgeneration %}` marks the assistant's words; `{% debug %}` prints the whole context."""

    tags = {"generation", "debug"}  # noqa: RUF012 - as the base class declares it

    def parse(self, parser: Parser) -> nodes.Node:
        token = next(parser.stream)
        if token.value == "debug":
            name = nodes.Name(DEBUG_CALL, "load", lineno=token.lineno)
            return nodes.ExprStmt(nodes.Call(name, [], [], None, None, lineno=token.lineno), lineno=token.lineno)
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=token.lineno)


class UnparsedTemplateError(Exception):
    """The text is not a template that Jinja would accept."""

    def __init__(self, note: str, line: int) -> None:
        super().__init__(note)
        self.note = note
        self.line = line


@cache
def _environment() -> Environment:
    # Never rendered, so autoescape has no say; the sandbox would change nothing either.
    extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols", _ExtraTags]
    return Environment(trim_blocks=True, lstrip_blocks=True, extensions=extensions)  # noqa: S701


def parse(source: str) -> nodes.Template:
    """The syntax tree of `source`. Raises UnparsedTemplateError, and ReadError when it is too large or too deep."""
    if len(source) > MAX_SOURCE:
        raise ReadError(GapReason.TOO_LARGE, f"a template of {len(source)} characters", check="jinja.too-large")
    try:
        return _environment().parse(source)
    except TemplateError as error:
        raise UnparsedTemplateError(str(error.message), getattr(error, "lineno", 1) or 1) from error
    except RecursionError as error:
        raise ReadError(GapReason.TOO_DEEP, "a template nested deeper than any engine parses", check="jinja.too-deep") from error
    except (ValueError, OverflowError) as error:  # numbers and escapes that Python itself refuses
        raise UnparsedTemplateError(f"{type(error).__name__}: {error}"[:160], 1) from error


def walk(root: nodes.Node) -> Iterator[nodes.Node]:
    """Every node of the tree in document order, `root` first, without recursion."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(node.iter_child_nodes())))


def count_nodes(root: nodes.Node) -> int:
    """How many nodes the tree has. Raises ReadError past the bound."""
    total = 0
    for _ in walk(root):
        total += 1
        if total > MAX_NODES:
            raise ReadError(GapReason.TOO_LARGE, f"a template of more than {MAX_NODES} nodes", check="jinja.too-large")
    return total
