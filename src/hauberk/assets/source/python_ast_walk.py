"""Follows the statements of a Python module: what is bound, which functions there are, who calls whom and when."""

import ast

from hauberk.assets.budget import Budget
from hauberk.assets.source.python_ast_eval import Evaluator
from hauberk.assets.source.python_ast_scope import FUNCTION, IMPORT, INSTALL, LOAD, MAIN, Class, Function, Scope
from hauberk.assets.source.python_ast_table import CALLERS, INSTALL_BASES, MODEL_BASES, ON_LOAD, TABLE, canonical
from hauberk.assets.source.python_ast_value import UNKNOWN, Value, operated, union

MAX_DEPTH = 60  # functions followed into functions
_ORDER = (IMPORT, INSTALL, LOAD, MAIN, FUNCTION)


class Walker(Evaluator):
    """Follows one module. Afterwards `calls`, `returned` and `phases()` say what it does and when."""

    def __init__(self, tree: ast.Module, budget: Budget) -> None:
        super().__init__(budget)
        self.too_deep = 0
        self.globals: set[str] = set()
        self.reduced: list[tuple[ast.stmt, Value, int]] = []  # what __reduce__ methods return
        self._depth = 0
        self.functions = [
            Function(0, "<module>", tree, self.scope, IMPORT, walked=True),
            Function(1, "__main__", tree, self.scope, MAIN, walked=True),
        ]
        self._body(tree.body)
        number = 2
        while number < len(self.functions):  # grows while functions define functions
            self.walk_function(number, [], {})
            number += 1

    def phases(self) -> list[str]:
        """When each function runs: the earliest of its own phase and of those that call it."""
        phases = [function.phase for function in self.functions]
        for phase in _ORDER[:-1]:
            todo = [n for n, p in enumerate(phases) if p == phase]
            while todo:
                for callee in self.functions[todo.pop()].calls:
                    if _ORDER.index(phases[callee]) > _ORDER.index(phase):
                        phases[callee] = phase
                        todo.append(callee)
        return phases

    # -- statements --------------------------------------------------------------------------------------------------

    def _body(self, body: list[ast.stmt]) -> None:
        for statement in body:
            try:
                self._statement(statement)
            except RecursionError:
                self.too_deep += 1

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign():
                self._assign(node)
            case ast.Expr():
                self._bare(node)
            case ast.Return():
                self._return(node)
            case ast.If():
                self._if(node)
            case ast.For() | ast.AsyncFor():
                source = self.value(node.iter)
                items = source.items or (UNKNOWN,)
                self.bind(node.target, items[0]._replace(tags=source.tags))
                self._body([*node.body, *node.orelse])
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, value)
                self._body(node.body)
            case ast.Global():
                self.globals.update(node.names)
            case _:
                self._any_statement(node)

    def _any_statement(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
            elif isinstance(child, ast.stmt):
                self._body([child])
            elif isinstance(child, ast.excepthandler | ast.match_case | ast.pattern):
                self._any_statement(child)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                self._set(alias.asname or name, Value(ref=canonical(name)))
                continue
            module = "." * node.level + (node.module or "")
            if alias.name == "*":
                for path in TABLE:
                    if path.startswith(f"{module}.") and "." not in path[len(module) + 1 :]:
                        self._set(path[len(module) + 1 :], Value(ref=path))
                continue
            path = f"{module}{alias.name}" if module.endswith(".") else f"{module}.{alias.name}"
            self._set(alias.asname or alias.name, Value(ref="os.environ" if path == "os.environ" else canonical(path)))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [self.value(d) for d in node.decorator_list]
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.value(default)
        number = self.define(node.name, node)
        for decorator in decorators:
            if decorator.function >= 0:
                self.reach(decorator.function)
            if decorator.ref in CALLERS:
                self.reach(number)
        self._set(node.name, Value(function=number))

    def define(self, name: str, node: ast.AST) -> int:
        """Adds a function of this file. Returns its number."""
        number = len(self.functions)
        here = self.scope
        phase = LOAD if name in ON_LOAD and here.owner <= 1 else FUNCTION
        if here.is_class and here.cls is not None:
            here.cls.methods[name] = number
            if any(MODEL_BASES.search(base) for base in here.cls.bases):
                phase = LOAD
            if name in {"run", "initialize_options", "finalize_options"} and INSTALL_BASES & set(here.cls.bases):
                phase = INSTALL
        scope = Scope(number, here, cls=here.cls)
        self.functions.append(Function(number, name, node, scope, phase))
        return number

    def _class(self, node: ast.ClassDef) -> None:
        bases = tuple(self.value(b).ref.rpartition(".")[2] or _last_name(b) for b in node.bases)
        for other in (*node.decorator_list, *(k.value for k in node.keywords)):
            self.value(other)
        cls = Class(node.name, bases)
        outer = self.scope
        self.scope = Scope(outer.owner, outer, cls=cls, is_class=True)
        self._body(node.body)
        self.scope = outer
        made = cls.methods.get("__init__", cls.methods.get("__new__", -1))
        self._set(node.name, Value(function=made))

    def _assign(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        if isinstance(node, ast.AnnAssign):
            self.value(node.annotation)
        value = self.value(node.value)
        if isinstance(node, ast.AugAssign):
            before = self.value(node.target)
            value = operated(node.op, before, value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self.bind(target, value)

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assigns `value` to `target`."""
        match target:
            case ast.Name():
                self._set(target.id, value._replace(literal=False))
            case ast.Tuple() | ast.List():
                items = value.items if value.items is not None and len(value.items) == len(target.elts) else None
                for number, part in enumerate(target.elts):
                    self.bind(part, items[number] if items else Value(tags=value.tags, ref=f"{value.ref}[]" if value.ref else ""))
            case ast.Attribute(value=ast.Name(id="self" | "cls")) if self.scope.cls is not None:
                self.scope.cls.kept[target.attr] = value
            case ast.Attribute(value=ast.Name(id=name)):
                self.kept[f"{name}.{target.attr}"] = value
            case ast.Starred():
                self.bind(target.value, Value(tags=value.tags))
            case _:
                self.value(target)

    def _set(self, name: str, value: Value) -> None:
        if name in self.globals:
            self.functions[0].scope.names[name] = value
        self.scope.names[name] = value

    def _bare(self, node: ast.Expr) -> None:
        self.value(node.value)
        called = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(called, ast.Call):
            for call in reversed(self.calls):
                if call.node is called:
                    call.bare = True
                    break

    def _return(self, node: ast.Return) -> None:
        value = self.value(node.value)
        function = self.functions[self.scope.owner]
        old = function.result
        function.result = value if old is UNKNOWN else Value(tags=old.tags | value.tags)
        if function.name in {"__reduce__", "__reduce_ex__"}:
            self.reduced.append((node, value, function.number))

    def _if(self, node: ast.If) -> None:
        self.value(node.test)
        if _is_main(node.test) and self.scope.owner == 0:
            outer = self.scope
            self.scope = Scope(1, outer, names=outer.names, cls=outer.cls)
            self._body(node.body)
            self.scope = outer
            self._body(node.orelse)
            return
        self._body([*node.body, *node.orelse])

    # -- functions ---------------------------------------------------------------------------------------------------

    def walk_function(self, number: int, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        """Follows a function of this file, once. Returns what it may return."""
        function = self.functions[number]
        if function.walked or self._depth >= MAX_DEPTH:
            return function.result
        function.walked = True
        node, outer = function.node, self.scope
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        self.scope = function.scope
        self._depth += 1
        _parameters(function, node, arguments, keywords)
        if isinstance(node, ast.Lambda):
            function.result = self.value(node.body)
        else:
            self._body(node.body)
        self._depth -= 1
        self.scope = outer
        return function.result


def _parameters(function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, arguments: list[Value],
                keywords: dict[str, Value]) -> None:  # fmt: skip
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    if names and names[0] in {"self", "cls"}:
        names = names[1:]
    scope = function.scope
    for name in (*names, *(a.arg for a in node.args.kwonlyargs)):
        scope.names[name] = keywords.get(name, UNKNOWN)
    for name, value in zip(names, arguments, strict=False):
        scope.names[name] = value
    for extra in (node.args.vararg, node.args.kwarg):
        if extra is not None:
            scope.names[extra.arg] = Value(tags=union([*arguments, *keywords.values()]))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_main(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main(part) for part in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = [test.left, test.comparators[0]]
    names = [s.id for s in sides if isinstance(s, ast.Name)]
    return names == ["__name__"] and any(isinstance(s, ast.Constant) and s.value == "__main__" for s in sides)
