"""Follows the expressions of a Python module: names through aliases, constants through decoders, calls to their target."""

import ast
import builtins
from collections.abc import Callable

from hauberk.assets.budget import Budget
from hauberk.assets.source.python_ast_scope import Call, Class, Function, Scope
from hauberk.assets.source.python_ast_table import CALLERS, DECODERS, FETCHES, SECRET_PATH, canonical, does
from hauberk.assets.source.python_ast_value import (
    MAX_TEXT,
    NO_TAGS,
    NOTHING,
    UNKNOWN,
    Value,
    constant,
    decoded_constant,
    joined,
    method_of_constant,
    operated,
    union,
)

_BUILTINS = frozenset(dir(builtins)) | {"execfile", "raw_input", "unicode", "reload", "get_ipython", "__builtins__"}
_NAMESPACES = frozenset({"builtins.globals", "builtins.locals", "builtins.vars"})
_WHOLE_ENVIRON = frozenset({"builtins.dict", "builtins.str", "builtins.repr", "json.dumps", "copy.copy", "copy.deepcopy"})
_PATH_JOINS = frozenset({"os.path.join", "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.Path().joinpath"})
_PATH_SAME = frozenset({
    "os.path.expanduser", "os.path.expandvars", "os.path.abspath", "os.path.realpath", "os.path.normpath",
    "os.fspath", "builtins.str", "shlex.split", "textwrap.dedent", "builtins.bytes", "builtins.bytearray",
})  # fmt: skip
MAX_ITEMS = 4096
MAX_UNROLLED = 20_000  # turns of comprehensions over constants, in one file


class Evaluator:
    """Tells what expressions may be. `calls` holds every call that was met."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.functions: list[Function] = []
        self.classes: dict[str, Class] = {}
        self.calls: list[Call] = []
        self.scope: Scope = Scope(0)
        self._unrolled = 0
        self.kept: dict[str, Value] = {}  # attributes that were set on anything but `self`

    # -- expressions -------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None) -> Value:
        """What `node` may be; every call inside it is noted."""
        if node is None:
            return UNKNOWN
        self.budget.tick(1024)
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return constant(node.value, literal=True)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Subscript():
                return self._subscript(node)
            case _:
                return self._compound(node)

    def _compound(self, node: ast.expr) -> Value:
        match node:
            case ast.List() | ast.Tuple() | ast.Set():
                return self._sequence(node)
            case ast.Dict():
                values = [self.value(v) for v in (*(k for k in node.keys if k), *node.values)]
                return Value(items=tuple(values[-len(node.values) :])[:MAX_ITEMS], tags=union(values)) if values else UNKNOWN
            case ast.JoinedStr():
                return self._text(node)
            case ast.IfExp():
                return self._either(node)
            case ast.BoolOp():
                return self._any(node)
            case ast.NamedExpr():
                return self._walrus(node)
            case ast.UnaryOp(op=ast.USub()):
                value = self.value(node.operand)
                return constant(-value.const, value.tags) if isinstance(value.const, int) else Value(tags=value.tags)
            case ast.Lambda():
                return Value(function=self.define("<lambda>", node))
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return self._comprehension(node)
            case _:
                return self._other(node)

    def _other(self, node: ast.AST) -> Value:
        found: list[Value] = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found.append(self.value(child))
            elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.boolop | ast.unaryop):
                found.append(self._other(child))
        return Value(tags=union(found)) if found else UNKNOWN

    def _name(self, node: ast.Name) -> Value:
        found = self.scope.get(node.id)
        if found is not None:
            return found
        return Value(ref=canonical(f"builtins.{node.id}")) if node.id in _BUILTINS else UNKNOWN

    def _attribute(self, node: ast.Attribute) -> Value:
        if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"} and self.scope.cls is not None:
            cls = self.scope.cls
            if node.attr in cls.methods:
                return Value(function=cls.methods[node.attr])
            if node.attr in cls.kept:
                return cls.kept[node.attr]
        if isinstance(node.value, ast.Name) and f"{node.value.id}.{node.attr}" in self.kept:
            return self.kept[f"{node.value.id}.{node.attr}"]
        return self.attribute(self.value(node.value), node.attr)

    def _callee(self, node: ast.expr) -> tuple[Value, Value]:
        """What is called, and what it is an attribute of."""
        own = (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id in {"self", "cls"} or f"{node.value.id}.{node.attr}" in self.kept)
        )
        if isinstance(node, ast.Attribute) and not own:
            base = self.value(node.value)
            return self.attribute(base, node.attr), base
        return self.value(node), UNKNOWN

    def attribute(self, base: Value, name: str) -> Value:
        """`base.name`."""
        if base.ref in {"os", "posix", "nt"} and name in {"environ", "environb"}:
            return Value(ref="os.environ", tags=base.tags)
        if name in {"__dict__", "__builtins__"} and base.ref:
            return base.tagged("indirect") if name == "__dict__" else Value(ref="builtins", tags=base.tags | {"indirect"})
        if name == "__globals__":
            return Value(ref="builtins.globals()", tags=base.tags | {"indirect"})
        if base.ref:
            return Value(ref=canonical(f"{base.ref}.{name}"), tags=base.tags)
        if base.function >= 0 and name in {"__call__", "start", "run"}:
            return base
        return Value(tags=base.tags, const=base.const if name == "parent" else NOTHING)

    def _binary(self, node: ast.BinOp) -> Value:
        # A long chain of additions leans to the left: followed without recursion.
        chain: list[tuple[ast.operator, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            chain.append((left.op, left.right))
            left = left.left
        result = self.value(left)
        for operator, right in reversed(chain):
            other = self.value(right)
            if isinstance(operator, ast.Div) and (result.ref.startswith("pathlib.") or result.const is not NOTHING):
                result = joined([result, constant("/"), other])
            else:
                result = operated(operator, result, other)
        return result

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        items = tuple(self.value(item) for item in node.elts)
        if len(items) > MAX_ITEMS:
            return Value(tags=union(list(items)))
        return Value(items=items, tags=union(list(items)))

    def _text(self, node: ast.JoinedStr) -> Value:
        return joined([self.value(v.value) if isinstance(v, ast.FormattedValue) else self.value(v) for v in node.values])

    def _either(self, node: ast.IfExp) -> Value:
        test, body, other = (self.value(n) for n in (node.test, node.body, node.orelse))
        del test
        best = body if body.ref or body.const is not NOTHING or body.function >= 0 else other
        return best._replace(tags=body.tags | other.tags)

    def _any(self, node: ast.BoolOp) -> Value:
        values = [self.value(v) for v in node.values]
        best = next((v for v in reversed(values) if v.ref or v.const is not NOTHING), UNKNOWN)
        return best._replace(tags=union(values))

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        self.scope.names[node.target.id] = value
        return value

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            step = self.value(node.slice.step)
            lower, upper = self.value(node.slice.lower), self.value(node.slice.upper)
            return self._sliced(base, lower, upper, step)
        key = self.value(node.slice)
        if base.ref == "os.environ":
            return Value(ref="os.environ[]", tags=base.tags)
        if key.text and (base.ref in {"sys.modules", "builtins.globals()", "builtins"} or "indirect" in base.tags):
            return self._looked_up(base, key)
        sequence = base.items
        if sequence is not None and isinstance(key.const, int) and -len(sequence) <= key.const < len(sequence):
            return sequence[key.const]
        if sequence is not None and not isinstance(key.const, int):  # a table: the worst of what it holds
            worst = next((v for v in sequence if does(v.ref)), None) or next((v for v in sequence if v.function >= 0), UNKNOWN)
            return worst._replace(tags=base.tags)
        if isinstance(base.const, str | bytes) and isinstance(key.const, int) and -len(base.const) <= key.const < len(base.const):
            return constant(base.const[key.const], base.tags)
        return Value(tags=base.tags | key.tags, ref=f"{base.ref}[]" if base.ref else "")

    def _looked_up(self, base: Value, key: Value) -> Value:
        tags = base.tags | {"indirect" if key.literal else "hidden"}
        if base.ref == "sys.modules":
            return Value(ref=canonical(key.text), tags=tags)
        if base.ref == "builtins.globals()":
            found = self.scope.get(key.text)
            return found.tagged(*tags) if found else Value(ref=canonical(f"builtins.{key.text}"), tags=tags)
        return Value(ref=canonical(f"{base.ref}.{key.text}"), tags=tags)

    def _sliced(self, base: Value, lower: Value, upper: Value, step: Value) -> Value:
        data = base.const if isinstance(base.const, str | bytes) else base.items
        bounds = [v.const if isinstance(v.const, int) else None for v in (lower, upper, step)]
        if data is None or bounds[2] == 0:
            return Value(tags=base.tags)
        piece = data[slice(*bounds)]
        return Value(items=piece, tags=base.tags) if isinstance(piece, tuple) else constant(piece, base.tags)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
        first = node.generators[0]
        source = self.value(first.iter)
        for generator in node.generators[1:]:
            self.value(generator.iter)
        mapped = len(node.generators) == 1 and not first.ifs and isinstance(first.target, ast.Name)
        items = _items(source) if mapped and self._unrolled + _length(source) <= MAX_UNROLLED else None
        if items is None or not isinstance(first.target, ast.Name):
            for generator in node.generators:
                self.bind(generator.target, Value(tags=source.tags))
            return Value(tags=self.value(node.elt).tags | source.tags)
        self._unrolled += len(items)
        before = self.scope.names.get(first.target.id)
        made: list[Value] = []
        seen = len(self.calls)
        for item in items:
            self.scope.names[first.target.id] = item
            made.append(self.value(node.elt))
            if item is not items[-1]:
                del self.calls[seen:]  # the same calls again for each item
        if before is not None:
            self.scope.names[first.target.id] = before
        return Value(items=tuple(made), tags=union(made) | source.tags)

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Value:
        function, base = self._callee(node.func)
        arguments = [self.value(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        keywords = {k.arg or "**": self.value(k.value) for k in node.keywords}
        if function.ref.startswith("operator.methodcaller:") and arguments and arguments[0].ref:
            function = self.attribute(arguments[0], function.ref.partition(":")[2]).tagged("hidden")
        call = Call(node, function, base, arguments, keywords, self.scope.owner)
        self.calls.append(call)
        return self._result(call)

    def _result(self, call: Call) -> Value:
        every = [*call.arguments, *call.keywords.values()]
        tags = union(every)
        function = call.function
        if function.function >= 0:
            return self._own(call, tags)
        if call.ref in CALLERS:
            for value in every:
                if value.function >= 0:
                    self.reach(value.function)
        if call.ref:
            return self._of_ref(call, tags)
        return self._of_method(call, function, tags)

    def _own(self, call: Call, tags: frozenset[str]) -> Value:
        number = call.function.function
        self.reach(number)
        result = self.walk_function(number, call.arguments, call.keywords)
        return result._replace(tags=result.tags | tags)

    def _of_method(self, call: Call, function: Value, tags: frozenset[str]) -> Value:
        node = call.node.func
        if isinstance(node, ast.Attribute):
            base = call.base
            if isinstance(base.const, str | bytes):
                made = method_of_constant(base.const, node.attr, call.arguments)
                return constant(made, base.tags | tags) if made is not NOTHING else Value(tags=base.tags | tags)
            tags |= base.tags
        return Value(tags=function.tags | tags)

    def _of_ref(self, call: Call, tags: frozenset[str]) -> Value:
        ref, arguments = call.ref, call.arguments
        special = _SPECIAL.get(ref)
        made = special(self, call) if special else None
        if made is not None:
            return made._replace(tags=made.tags | tags)
        if ref in DECODERS:
            value = decoded_constant(ref, arguments)
            decoded = tags | call.function.tags | ({"decoded"} if not _plain_codec(ref, arguments) else NO_TAGS)
            return constant(value, decoded) if value is not NOTHING else Value(ref=f"{ref}()", tags=decoded)
        if ref in _WHOLE_ENVIRON and arguments and arguments[0].ref == "os.environ":
            tags |= {"environ"}
        if ref in _PATH_JOINS:
            pieces = [p for a in arguments for p in (a, constant("/"))][:-1]
            return joined(pieces)._replace(ref="pathlib.Path()" if ref.startswith("pathlib") else "", tags=tags)
        if ref.endswith(".joinpath") and ref.startswith("pathlib."):
            return joined([p for a in (call.base, *arguments) for p in (a, constant("/"))][:-1])._replace(tags=tags)
        if ref in FETCHES:
            return Value(ref=f"{ref}()", tags=tags | {"fetched"})
        if ref in _PATH_SAME and arguments:
            return arguments[0]._replace(tags=tags, literal=False)
        if does(ref) == "network":
            tags |= {"network"}
        if ref.startswith("socket.socket()"):
            tags |= {"socket"} if ref.endswith((".fileno", ".makefile")) else NO_TAGS
            tags |= {"network"} if ".recv" in ref else NO_TAGS
        return Value(ref=f"{ref}()" if len(ref) < 200 else "", tags=tags | (call.function.tags - {"hidden", "indirect"}))

    def reach(self, number: int) -> None:
        """Notes that the function that is being followed may call the one with this number."""
        self.functions[self.scope.owner].calls.add(number)

    # -- given by the walker -----------------------------------------------------------------------------------------

    def define(self, name: str, node: ast.AST) -> int:
        """Adds a function of this file. Returns its number."""
        raise NotImplementedError

    def walk_function(self, number: int, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        """Follows a function of this file, once. Returns what it may return."""
        raise NotImplementedError

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assigns `value` to `target`."""
        raise NotImplementedError


def _plain_codec(ref: str, arguments: list[Value]) -> bool:
    return ref == "codecs.decode" and (
        len(arguments) < 2 or arguments[1].text.lower().replace("_", "-") in {"utf-8", "utf8", "ascii", "latin-1"}
    )


def _length(value: Value) -> int:
    if value.items is not None:
        return len(value.items)
    return len(value.const) if isinstance(value.const, str | bytes) else 0


def _items(value: Value) -> tuple[Value, ...] | None:
    if value.items is not None:
        return value.items
    if isinstance(value.const, str | bytes) and len(value.const) <= MAX_ITEMS:
        return tuple(constant(c, value.tags) for c in value.const)
    return None


# -- calls whose result says more than their name --------------------------------------------------------------------


def _import(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    if not call.arguments:
        return None
    name = call.arguments[0]
    if not name.text:
        return Value(ref="", tags=name.tags | {"hidden"})
    tag = "indirect" if name.literal else "hidden"
    inline = isinstance(call.node.func, ast.Name)  # __import__; importlib.import_module is what one is told to use
    return Value(ref=canonical(name.text), tags=frozenset({tag}) if inline or tag == "hidden" else NO_TAGS)


def _getattr(evaluator: Evaluator, call: Call) -> Value | None:
    if len(call.arguments) < 2 or not call.arguments[1].text:
        return None
    base, name = call.arguments[0], call.arguments[1]
    found = evaluator.attribute(base, name.text)
    return found.tagged("indirect" if name.literal else "hidden")


def _namespace(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    if call.arguments and call.arguments[0].ref:
        return call.arguments[0].tagged("indirect")
    return Value(ref="builtins.globals()")


def _character(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    number = call.arguments[0].const if call.arguments else NOTHING
    return constant(chr(number), frozenset({"decoded"})) if isinstance(number, int) and 0 <= number < 0x110000 else None


def _ordinal(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    text = call.arguments[0].const if call.arguments else NOTHING
    return constant(ord(text)) if isinstance(text, str | bytes) and len(text) == 1 else None


def _bytes(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    items = call.arguments[0].items if call.arguments else None
    if items is None:
        return None
    numbers = [v.const for v in items]
    if all(isinstance(n, int) and 0 <= n < 256 for n in numbers):
        return constant(bytes(numbers), frozenset({"decoded"}))
    return None


def _mapped(evaluator: Evaluator, call: Call) -> Value | None:
    if len(call.arguments) != 2:
        return None
    function, source = call.arguments
    items = _items(source)
    if items is None or len(items) > MAX_ITEMS or function.ref not in {"builtins.chr", "builtins.int", "builtins.ord"}:
        return None
    step = _SPECIAL.get(function.ref)
    made = [(step(evaluator, _with(call, [i])) if step else i) or UNKNOWN for i in items]
    return Value(items=tuple(made), tags=union(made))


def _with(call: Call, arguments: list[Value]) -> Call:
    return Call(call.node, call.function, call.base, arguments, {}, call.owner)


def _reversed(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    items = _items(call.arguments[0]) if call.arguments else None
    return Value(items=items[::-1]) if items is not None else None


def _first(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    return call.arguments[0] if call.arguments else None


def _partial(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    return call.arguments[0]._replace(const=NOTHING) if call.arguments else None


def _method_caller(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    name = call.arguments[0] if call.arguments else UNKNOWN
    return Value(ref=f"operator.methodcaller:{name.text}") if name.text.isidentifier() else None


def _opened(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    path = call.arguments[0] if call.arguments else UNKNOWN
    tags = path.tags - {"decoded"}
    return Value(ref="builtins.open()", tags=tags | {"secret"} if SECRET_PATH.search(path.text) else tags)


def _string_join(evaluator: Evaluator, call: Call) -> Value | None:
    del evaluator
    value = method_of_constant("", "join", call.arguments) if call.arguments else NOTHING
    return constant(value) if isinstance(value, str) and len(value) <= MAX_TEXT else None


_SPECIAL: dict[str, Callable[[Evaluator, Call], Value | None]] = {
    "importlib.import_module": _import,
    "pydoc.locate": _import,
    "pkgutil.resolve_name": _import,
    "builtins.getattr": _getattr,
    **dict.fromkeys(_NAMESPACES, _namespace),
    "builtins.chr": _character,
    "builtins.unichr": _character,
    "builtins.ord": _ordinal,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "builtins.map": _mapped,
    "builtins.reversed": _reversed,
    "builtins.compile": _first,
    "builtins.list": _first,
    "builtins.tuple": _first,
    "functools.partial": _partial,
    "operator.methodcaller": _method_caller,
    "operator.attrgetter": _method_caller,
    "builtins.open": _opened,
    "io.open": _opened,
    "string.join": _string_join,
}
