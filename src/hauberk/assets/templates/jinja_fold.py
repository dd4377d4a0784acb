"""Works out what constant expressions of a template come to, within bounds: the strings an attacker spells in pieces."""

import re
from collections.abc import Callable, Sequence

from jinja2 import nodes

from hauberk.assets.budget import Budget
from hauberk.assets.templates.jinja_parse import walk

LONG = 4096  # no string or list longer than this is built
MANY = 12  # possible values kept of one expression
DEEP = 24
HUGE = 1 << 62  # stands for every number that is larger


Value = str | int | float | bool | list["Value"] | None


class Folder:
    """The constants of one template. `values(expr)` are the values it may come to; empty when that depends on the data."""

    def __init__(self, tree: nodes.Template, budget: Budget) -> None:
        self._budget = budget
        self._sources: dict[str, list[nodes.Node]] = {}
        self._elements: dict[str, list[nodes.Node]] = {}
        self._cache: dict[int, tuple[Value, ...]] = {}
        macros: dict[str, list[str]] = {}
        calls: list[nodes.Call] = []
        for node in walk(tree):
            if isinstance(node, nodes.Assign):
                self._assign(node.target, node.node)
            elif isinstance(node, nodes.For) and isinstance(node.target, nodes.Name):
                self._elements.setdefault(node.target.name, []).append(node.iter)
            elif isinstance(node, nodes.AssignBlock):
                self._block(node)
            elif isinstance(node, nodes.Macro):
                macros[node.name] = [argument.name for argument in node.args]
            elif isinstance(node, nodes.Call):
                calls.append(node)
            elif isinstance(node, nodes.With):
                for target, value in zip(node.targets, node.values, strict=False):
                    self._assign(target, value)
        for call in calls:
            if isinstance(call.node, nodes.Name) and call.node.name in macros:
                for name, value in zip(macros[call.node.name], call.args, strict=False):
                    self._sources.setdefault(name, []).append(value)
            elif isinstance(call.node, nodes.Name) and call.node.name == "namespace":
                for pair in call.kwargs:
                    self._sources.setdefault(f".{pair.key}", []).append(pair.value)

    def _assign(self, target: nodes.Node, value: nodes.Node) -> None:
        if isinstance(target, nodes.Name):
            self._sources.setdefault(target.name, []).append(value)
        elif isinstance(target, nodes.NSRef):
            self._sources.setdefault(f".{target.attr}", []).append(value)
        elif isinstance(target, nodes.Tuple) and isinstance(value, nodes.Tuple):
            for one, other in zip(target.items, value.items, strict=False):
                self._assign(one, other)

    def _block(self, node: nodes.AssignBlock) -> None:
        """`{% set x %}...{% endset %}`: the text between, when it is nothing but output."""
        outputs = [one for one in node.body if isinstance(one, nodes.Output)]
        if len(outputs) == len(node.body):
            self._assign(node.target, nodes.Concat([part for output in outputs for part in output.nodes], lineno=node.lineno))

    def values(self, node: nodes.Node | None, depth: int = 0) -> tuple[Value, ...]:
        """The constant values `node` may take, at most a dozen; empty when unknown."""
        if node is None or depth > DEEP:
            return ()
        known = self._cache.get(id(node))
        if known is not None:
            return known
        self._budget.tick(512)
        self._cache[id(node)] = ()  # a variable that is made of itself has no constant value of its own
        fold = _FOLDS.get(type(node))
        found = tuple(fold(self, node, depth + 1))[:MANY] if fold else ()
        self._cache[id(node)] = found
        return found

    def strings(self, node: nodes.Node | None) -> tuple[str, ...]:
        """The strings among `values`."""
        return tuple(value for value in self.values(node) if isinstance(value, str))

    def numbers(self, node: nodes.Node | None) -> tuple[float, ...]:
        """The numbers among `values`."""
        return tuple(value for value in self.values(node) if isinstance(value, int | float))

    def entry(self, node: nodes.Node, key: Value, depth: int) -> tuple[Value, ...]:
        """What a dictionary written out in the template holds under `key`."""
        sources = self._sources.get(node.name, ()) if isinstance(node, nodes.Name) else (node,)
        pairs = [pair for source in sources[:MANY] if isinstance(source, nodes.Dict) for pair in source.items]
        found: list[Value] = []
        for pair in pairs[:LONG]:
            if key in self.values(pair.key, depth):
                found.extend(self.values(pair.value, depth))
        return tuple(found[:MANY])

    def of_name(self, name: str, depth: int) -> tuple[Value, ...]:
        """What the variable `name` may be set to."""
        found: list[Value] = []
        for source in self._sources.get(name, ())[:MANY]:
            found.extend(self.values(source, depth))
        for source in self._elements.get(name, ())[:MANY]:
            for value in self.values(source, depth):
                found.extend(value[:MANY] if isinstance(value, list) else list(value) if isinstance(value, str) else ())
        return tuple(found[:MANY])


def _const(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    del folder, depth
    assert isinstance(node, nodes.Const)
    value = node.value
    if isinstance(value, bool) or value is None:
        return (value,)
    if isinstance(value, int | float):
        return (_bounded(value),)
    return (value[:LONG],) if isinstance(value, str) else ()


def _data(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    del folder, depth
    assert isinstance(node, nodes.TemplateData)
    return (node.data[:LONG],)


def _name(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Name)
    return folder.of_name(node.name, depth)


def _items(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.List | nodes.Tuple)
    first: list[Value] = []
    for item in node.items[:LONG]:
        values = folder.values(item, depth)
        if not values:
            return ()
        first.append(values[0])
    return (first,)


def _concat(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Concat)
    whole: list[str] = [""]
    for item in node.nodes:
        values = folder.values(item, depth)
        if not values:
            return ()
        whole = [(left + _text(right))[:LONG] for left in whole for right in values][:MANY]
    return whole


def _binary(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.BinExpr)
    lefts, rights = folder.values(node.left, depth), folder.values(node.right, depth)
    found = (_operate(node.operator, left, right) for left in lefts for right in rights)
    return [value for value in found if value is not None][:MANY]


def _operate(operator: str, left: Value, right: Value) -> Value:
    if operator == "+":
        if isinstance(left, str) and isinstance(right, str):
            return (left + right)[:LONG]
        if isinstance(left, list) and isinstance(right, list):
            return (left + right)[:LONG]
    if operator == "%" and isinstance(left, str):
        return _percent(left, right if isinstance(right, list) else [right])
    if isinstance(left, str | list) or isinstance(right, str | list):
        return _repeat(left, right) if operator == "*" else None
    if left is None or right is None:
        return None
    return _arithmetic(operator, left, right)


def _repeat(left: Value, right: Value) -> Value:
    if isinstance(right, str | list):
        left, right = right, left
    if not isinstance(right, int) or isinstance(left, list):
        return None
    assert isinstance(left, str)
    return (left * max(0, min(right, LONG // max(1, len(left)))))[:LONG]


def _arithmetic(operator: str, left: float, right: float) -> Value:
    if operator == "**":
        return _power(left, right)
    if operator in {"/", "//", "%"} and right == 0:
        return None
    compute = _COMPUTE.get(operator)
    return _bounded(compute(left, right)) if compute else None


_COMPUTE: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def _power(left: float, right: float) -> Value:
    if abs(left) <= 1:
        return int(abs(left))
    if abs(right) > 64 or abs(left) >= HUGE:
        return HUGE if right > 0 else 0
    try:
        result = left**right
    except (OverflowError, ValueError, ZeroDivisionError):
        return HUGE
    return _bounded(result) if isinstance(result, int | float) else HUGE  # a negative base may give a complex number


def _bounded(value: float) -> float:
    if value != value:  # noqa: PLR0124 - not a number
        return 0
    return max(-HUGE, min(HUGE, value))


def _negative(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Neg)
    return [-v for v in folder.values(node.node, depth) if isinstance(v, int | float)]


def _conditional(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.CondExpr)
    return (*folder.values(node.expr1, depth), *folder.values(node.expr2, depth))


def _either(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Or | nodes.And)
    return (*folder.values(node.left, depth), *folder.values(node.right, depth))


def _attribute(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Getattr)
    # A namespace's field, whatever the namespace is called, or a dictionary's entry.
    return (*folder.of_name(f".{node.attr}", depth), *folder.entry(node.node, node.attr, depth))


def _subscript(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Getitem)
    found: list[Value] = []
    for value in folder.values(node.node, depth):
        if not isinstance(value, str | list):
            continue
        if isinstance(node.arg, nodes.Slice):
            found.append(_sliced(folder, value, node.arg, depth))
            continue
        found.extend(value[i] for i in folder.values(node.arg, depth) if isinstance(i, int) and -len(value) <= i < len(value))
    if not found and not isinstance(node.arg, nodes.Slice):
        for key in folder.values(node.arg, depth):
            found.extend(folder.entry(node.node, key, depth))
    return [value for value in found if value is not None]


def _sliced(folder: Folder, value: "str | list[Value]", node: nodes.Slice, depth: int) -> Value:
    bounds: list[int | None] = []
    for part in (node.start, node.stop, node.step):
        known = folder.values(part, depth) if part is not None else (None,)
        first = known[0] if known else 0
        if first is not None and not isinstance(first, int):
            return None
        bounds.append(first)
    return value[slice(bounds[0], bounds[1], bounds[2] or None)]


def _call(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Call)
    arguments = [folder.values(argument, depth) for argument in node.args]
    if not all(arguments):
        return ()
    first = [values[0] for values in arguments]
    if isinstance(node.node, nodes.Getattr):
        subjects = folder.values(node.node.node, depth)
        return [v for s in subjects if (v := _applied(node.node.attr, s, first)) is not None]
    if isinstance(node.node, nodes.Name) and node.node.name == "chr" and first:
        return [_character(first[0])]
    return ()


def _filter(folder: Folder, node: nodes.Node, depth: int) -> Sequence[Value]:
    assert isinstance(node, nodes.Filter)
    arguments = [folder.values(argument, depth) for argument in node.args]
    if not all(arguments) or node.node is None:
        return ()
    first = [values[0] for values in arguments]
    return [v for s in folder.values(node.node, depth) if (v := _applied(node.name, s, first)) is not None]


def _applied(name: str, subject: Value, arguments: list[Value]) -> Value:
    """What a method or a filter called `name` makes of a constant."""
    if name == "format" and isinstance(subject, str):
        return _percent(subject, arguments) if "%" in subject else _braces(subject, arguments)
    if name == "join":
        return _joined(subject, arguments)
    simple = _SIMPLE.get(name)
    if simple is not None and isinstance(subject, str | list):
        return simple(subject)
    if name == "replace" and isinstance(subject, str) and len(arguments) >= 2:
        return subject.replace(_text(arguments[0]), _text(arguments[1])[:64])[:LONG]
    if name == "split" and isinstance(subject, str):
        return list(subject.split(_text(arguments[0]) or None if arguments else None))
    return None


def _joined(subject: Value, arguments: list[Value]) -> Value:
    if isinstance(subject, list):  # the filter: parts|join(glue)
        return (_text(arguments[0]) if arguments else "").join(map(_text, subject))[:LONG]
    if isinstance(subject, str) and arguments and isinstance(arguments[0], list):  # the method: glue.join(parts)
        return subject.join(map(_text, arguments[0]))[:LONG]
    return subject if isinstance(subject, str) else None


def _reverse(subject: "str | list[Value]") -> Value:
    return subject[::-1]


_DIRECTIVE = re.compile(r"%(?:(?P<percent>%)|[#0\- +]*(?P<width>\d{0,3})(?:\.\d{1,2})?(?P<kind>[csdxXiu]))")


def _percent(pattern: str, arguments: list[Value]) -> Value:
    """`pattern % arguments` for the directives that spell text, without Python's own width handling."""
    left = list(arguments)

    def one(match: re.Match[str]) -> str:
        if match["percent"]:
            return "%"
        value = left.pop(0) if left else ""
        return _character(value) if match["kind"] == "c" else _text(value)

    return _DIRECTIVE.sub(one, pattern)[:LONG]


_FIELD = re.compile(r"\{(\d*)(?::c)?\}")


def _braces(pattern: str, arguments: list[Value]) -> Value:
    counter = iter(range(len(arguments)))

    def one(match: re.Match[str]) -> str:
        index = int(match[1][:4]) if match[1] else next(counter, -1)
        if not 0 <= index < len(arguments):
            return ""
        value = arguments[index]
        return _character(value) if ":c" in match[0] else _text(value)

    return _FIELD.sub(one, pattern)[:LONG]


def _character(value: Value) -> str:
    if isinstance(value, str):
        return value[:1]
    return chr(value) if isinstance(value, int) and 0 <= value < 0x110000 else ""


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return str(value)
    parts: list[str] = []
    stack: list[Value] = [value]
    for _ in range(LONG):  # lists may hold one another many times over
        if not stack:
            break
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(reversed(top[:LONG]))
        else:
            parts.append(str(top))
    return "".join(parts)[:LONG]


_SIMPLE: dict[str, Callable[["str | list[Value]"], Value]] = {
    "reverse": _reverse,
    "list": list,
    "first": lambda s: s[0] if s else None,
    "last": lambda s: s[-1] if s else None,
    "string": _text,
    "lower": lambda s: _text(s).lower(),
    "upper": lambda s: _text(s).upper(),
    "trim": lambda s: _text(s).strip(),
    "strip": lambda s: _text(s).strip(),
    "safe": lambda s: s,
    "length": len,
}

_FOLDS: dict[type[nodes.Node], Callable[[Folder, nodes.Node, int], Sequence[Value]]] = {
    nodes.Const: _const,
    nodes.TemplateData: _data,
    nodes.Name: _name,
    nodes.List: _items,
    nodes.Tuple: _items,
    nodes.Concat: _concat,
    nodes.Add: _binary,
    nodes.Sub: _binary,
    nodes.Mul: _binary,
    nodes.Div: _binary,
    nodes.FloorDiv: _binary,
    nodes.Mod: _binary,
    nodes.Pow: _binary,
    nodes.Neg: _negative,
    nodes.CondExpr: _conditional,
    nodes.Or: _either,
    nodes.And: _either,
    nodes.Getattr: _attribute,
    nodes.Getitem: _subscript,
    nodes.Call: _call,
    nodes.Filter: _filter,
}
