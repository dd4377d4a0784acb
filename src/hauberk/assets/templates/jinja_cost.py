"""What in a template makes rendering it take unbounded time or memory (CVE-2025-61620 and its class). Facts `jinja.cost`."""

import re
from collections.abc import Iterator

from jinja2 import nodes

from hauberk.assets.quoting import quote
from hauberk.assets.templates.jinja_fold import HUGE, Folder
from hauberk.assets.templates.jinja_parse import walk
from hauberk.core import Fact

CHECK = "jinja.cost"
MANY_ROUNDS = 1_000_000
LONG_TEXT = 10_000_000
DOUBLINGS = 20
_WIDE = re.compile(r"%[#0\- +]*(\d{7,})|\{[^{}]{0,40}:[^{}]{0,8}?(\d{7,})")
_WIDE_FILTERS = frozenset(
    {
        "center", "indent", "batch", "slice", "format", "ljust", "rjust", "zfill", "expandtabs", "tojson", "lipsum",
        "wordwrap",
    }
)  # fmt: skip


def costs(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Everything in `tree` that costs more than any prompt needs."""
    for node in walk(tree):
        if isinstance(node, nodes.Pow | nodes.Mul):
            yield from _product(node, folder)
        elif isinstance(node, nodes.Call):
            yield from _range(node, folder)
            yield from _wide_call(node, folder)
        elif isinstance(node, nodes.Filter):
            yield from _wide_filter(node, folder)
        elif isinstance(node, nodes.Mod):
            yield from _wide_pattern(node, node.left, folder)
        elif isinstance(node, nodes.For):
            yield from _growth(node, folder)
            yield from _endless_loop(node, folder)
    yield from _nests(tree, folder)
    yield from _piled(tree, folder)
    yield from _recursion(tree, folder)


def _fact(node: nodes.Node, kind: str, note: str, piece: str = "") -> Fact:
    return Fact(CHECK, note, where=f"line {node.lineno}", quote=quote(piece or kind), attrs={"kind": kind})


def _product(node: nodes.BinExpr, folder: Folder) -> Iterator[Fact]:
    if isinstance(node, nodes.Pow):
        if any(abs(value) >= HUGE for value in folder.numbers(node)):
            yield _fact(node, "power", "raises a number to a power too large to compute", "**")
        return
    for one, other in ((node.left, node.right), (node.right, node.left)):
        sizes = [len(v) for v in folder.values(one) if isinstance(v, str | list)]
        times = folder.numbers(other)
        if sizes and times and max(sizes) * max(times) > LONG_TEXT:
            yield _fact(node, "repeat", f"repeats a text {max(times):.3g} times", "*")
            return
        # A text that depends on the conversation, repeated without end, is as long as one that does not.
        if not sizes and times and max(times) > 100 * LONG_TEXT and not folder.numbers(one):
            yield _fact(node, "repeat", f"multiplies what it is given {max(times):.3g} times", "*")
            return


def _range(node: nodes.Call, folder: Folder) -> Iterator[Fact]:
    rounds = _rounds_of_range(node, folder)
    if rounds > MANY_ROUNDS:
        yield _fact(node, "range", f"counts to {rounds:.3g}", "range")
    elif isinstance(node.node, nodes.Name) and node.node.name == "range":
        factors = [inner for argument in node.args for inner in walk(argument) if isinstance(inner, nodes.Mul)]
        if any(
            value > MANY_ROUNDS / 10 for inner in factors for side in (inner.left, inner.right) for value in folder.numbers(side)
        ):
            yield _fact(node, "range", "counts to a multiple of what it is given", "range")


def _rounds_of_range(node: nodes.Node, folder: Folder) -> float:
    if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range"):
        return 0
    bounds = [folder.numbers(argument) for argument in node.args[:3]]
    if not bounds or not all(bounds):
        # Only the end may be unknown: range(0, n) of a conversation is ordinary.
        return 0
    start, stop = (0, max(bounds[0])) if len(bounds) == 1 else (min(bounds[0]), max(bounds[1]))
    step = min((abs(value) for value in bounds[2] if value), default=1) if len(bounds) == 3 else 1
    return abs(stop - start) / step


def _wide_call(node: nodes.Call, folder: Folder) -> Iterator[Fact]:
    name = node.node.attr if isinstance(node.node, nodes.Getattr) else getattr(node.node, "name", "")
    if name not in _WIDE_FILTERS:
        return
    if isinstance(node.node, nodes.Getattr) and name == "format":
        yield from _wide_pattern(node, node.node.node, folder)
        return
    yield from _wide_arguments(node, [*node.args, *(pair.value for pair in node.kwargs)], name, folder)


def _wide_filter(node: nodes.Filter, folder: Folder) -> Iterator[Fact]:
    if node.name == "format" and node.node is not None:
        yield from _wide_pattern(node, node.node, folder)
    elif node.name in _WIDE_FILTERS:
        yield from _wide_arguments(node, [*node.args, *(pair.value for pair in node.kwargs)], node.name, folder)


def _wide_arguments(node: nodes.Node, arguments: list[nodes.Expr], name: str, folder: Folder) -> Iterator[Fact]:
    widest = max((value for argument in arguments for value in folder.numbers(argument)), default=0)
    if widest > LONG_TEXT / 10:
        yield _fact(node, "width", f"pads a text to {widest:.3g} characters", name)


def _wide_pattern(node: nodes.Node, subject: nodes.Node, folder: Folder) -> Iterator[Fact]:
    for pattern in folder.strings(subject):
        found = _WIDE.search(pattern)
        if found:
            yield _fact(node, "width", "pads a text to a width no prompt needs", found[0])


def _growth(node: nodes.For, folder: Folder) -> Iterator[Fact]:
    """A text made of two or more of itself, round after round."""
    rounds = _rounds(node, folder)
    if rounds is not None and rounds < DOUBLINGS:
        return
    for inner in _below(node.body):
        if isinstance(inner, nodes.Assign) and (name := _variable(inner.target)) and _grows(inner.node, name):
            yield _fact(inner, "growth", f"doubles {quote(name, 40)} with every round of a loop", name)


def _rounds(node: nodes.For, folder: Folder) -> float | None:
    """How often a loop goes round, None when that depends on the data."""
    rounds = _rounds_of_range(node.iter, folder)
    if rounds:
        return rounds
    known = [len(v) for v in folder.values(node.iter) if isinstance(v, str | list)]
    return max(known) if known else None


def _below(body: list[nodes.Node]) -> Iterator[nodes.Node]:
    for statement in body:
        yield from walk(statement)


def _variable(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.NSRef):
        return f"{node.name}.{node.attr}"
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""


def _grows(value: nodes.Node, name: str) -> bool:
    """Whether `value` concatenates `name` with itself, multiplies it, or replaces parts of it by it."""
    if isinstance(value, nodes.Add | nodes.Concat | nodes.List | nodes.Tuple):
        return _count(value, name) >= 2
    if isinstance(value, nodes.Mul | nodes.Pow):
        return _count(value, name) >= 2 or (isinstance(value, nodes.Pow) and _count(value, name) >= 1)
    if isinstance(value, nodes.Call) and isinstance(value.node, nodes.Getattr):
        arguments = sum(_count(argument, name) for argument in value.args)
        return value.node.attr in {"replace", "join", "format"} and arguments + _count(value.node.node, name) >= 2
    if isinstance(value, nodes.Filter) and value.name in {"replace", "join", "format"}:
        return _count(value, name) >= 2
    return False


def _count(value: nodes.Node, name: str) -> int:
    """How often `name` adds its own text to `value`; a test or a length of it adds nothing."""
    total = 0
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.NSRef) and _variable(node) == name:
            total += 1
            continue
        if isinstance(node, nodes.CondExpr):
            stack.extend(branch for branch in (node.expr1, node.expr2) if branch is not None)
        elif isinstance(node, nodes.Filter) and node.name in {"length", "count"}:
            continue
        elif not isinstance(node, nodes.Compare | nodes.Test | nodes.Getitem):
            stack.extend(node.iter_child_nodes())
    return total


def _endless_loop(node: nodes.For, folder: Folder) -> Iterator[Fact]:
    """A recursive loop that calls itself on a list of its own making."""
    for inner in _below(node.body) if node.recursive else ():
        if not isinstance(inner, nodes.Call) or not isinstance(inner.node, nodes.Name) or inner.node.name != "loop":
            continue
        if any(value for argument in inner.args for value in folder.values(argument)):
            yield _fact(inner, "recursion", "a recursive loop that calls itself on the same list", "loop")


def _nests(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Constant loops inside constant loops whose rounds multiply beyond bound."""
    stack: list[tuple[nodes.Node, float, bool]] = [(tree, 1, False)]
    while stack:
        node, product, told = stack.pop()
        if isinstance(node, nodes.For) and (rounds := _rounds(node, folder)):
            product *= rounds
            if product > MANY_ROUNDS and rounds <= MANY_ROUNDS and not told:
                told = True
                yield _fact(node, "nest", f"loops within loops go round {product:.3g} times", "for")
        stack.extend((child, product, told) for child in node.iter_child_nodes())


def _piled(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Variables made of several of the ones before, without any loop: text that grows tenfold a line."""
    sizes: dict[str, float] = {}
    for node in walk(tree):
        if not isinstance(node, nodes.Assign) or not (name := _variable(node.target)):
            continue
        size = min(_size(node.node, sizes, folder), 1e30)
        if size > LONG_TEXT >= sizes.get(name, 0):
            yield _fact(node, "growth", f"makes {quote(name, 40)} {size:.3g} characters long", name)
        sizes[name] = max(size, sizes.get(name, 0))


def _size(value: nodes.Node, sizes: dict[str, float], folder: Folder) -> float:
    """How long a text `value` is at least, as far as constants and variables tell."""
    total = 0.0
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            total += len(node.value)
        elif _variable(node) in sizes:
            total += sizes[_variable(node)]
        elif isinstance(node, nodes.Add | nodes.Concat | nodes.List | nodes.Tuple):
            stack.extend(node.iter_child_nodes())
        elif isinstance(node, nodes.Filter) and node.name in {"upper", "lower", "string", "trim", "safe", "join"} and node.node:
            stack.append(node.node)
        elif isinstance(node, nodes.Mul):
            times = max((abs(n) for side in (node.left, node.right) for n in folder.numbers(side)), default=0)
            known = max((len(v) for side in (node.left, node.right) for v in folder.strings(side)), default=0)
            known = max(known, *(sizes.get(_variable(side), 0) for side in (node.left, node.right)))
            total += times * known
    return total


def _recursion(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Macros that call themselves with no condition between: rendering them never ends."""
    macros = {node.name: node for node in walk(tree) if isinstance(node, nodes.Macro)}
    calls = {name: _unguarded(macro.body, folder) for name, macro in macros.items()}
    for name, macro in macros.items():
        seen: set[str] = set()
        stack = list(calls[name])
        while stack:
            called = stack.pop()
            if called == name:
                yield _fact(macro, "recursion", f"the macro {quote(name, 40)} calls itself without condition", name)
                break
            if called in macros and called not in seen:
                seen.add(called)
                stack.extend(calls[called])


def _unguarded(body: list[nodes.Node], folder: Folder) -> set[str]:
    """The names called whatever the data are."""
    names: set[str] = set()
    stack: list[nodes.Node] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            names.add(node.node.name)
        stack.extend(_always(node, folder))
    return names


def _always(node: nodes.Node, folder: Folder) -> Iterator[nodes.Node]:
    """The parts of `node` that are rendered whatever the data are."""
    if isinstance(node, nodes.If | nodes.CondExpr):
        decided = folder.values(node.test)
        yield node.test
        if decided and all(decided):
            yield from node.body if isinstance(node, nodes.If) else (node.expr1,)
    elif isinstance(node, nodes.For):
        yield node.iter
        if _rounds(node, folder):
            yield from node.body
    elif isinstance(node, nodes.And | nodes.Or):
        yield node.left
    elif not isinstance(node, nodes.Macro):
        yield from node.iter_child_nodes()
