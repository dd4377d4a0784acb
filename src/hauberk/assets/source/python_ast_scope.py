"""Scopes, functions and calls of one Python module while it is followed."""

import ast
from dataclasses import dataclass, field

from hauberk.assets.source.python_ast_value import UNKNOWN, Value

IMPORT, LOAD, INSTALL, MAIN, FUNCTION = "import", "load", "install", "main", "function"


@dataclass(slots=True)
class Function:
    """A function, lambda, or the module itself (number 0)."""

    number: int
    name: str
    node: ast.AST
    scope: "Scope"
    phase: str = FUNCTION  # how it would be reached if nothing in this file called it
    walked: bool = False
    result: Value = UNKNOWN
    calls: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class Class:
    """A class of this file: its methods by name, and what is kept on `self`."""

    name: str
    bases: tuple[str, ...] = ()
    methods: dict[str, int] = field(default_factory=dict[str, int])
    kept: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(slots=True)
class Scope:
    """Names of one module, class or function."""

    owner: int
    parent: "Scope | None" = None
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    cls: Class | None = None
    is_class: bool = False

    def get(self, name: str) -> Value | None:
        """What `name` is here or further out. A class body's names are not seen from its methods."""
        scope: Scope | None = self
        while scope is not None:
            if (scope is self or not scope.is_class) and name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None


@dataclass(slots=True)
class Call:
    """A call that was seen, with what its arguments may be."""

    node: ast.Call
    function: Value
    base: Value  # what the function is an attribute of
    arguments: list[Value]
    keywords: dict[str, Value]
    owner: int
    bare: bool = False  # its result is thrown away

    @property
    def ref(self) -> str:
        """The dotted name of what is called, "" when it is not known."""
        return self.function.ref

    @property
    def every(self) -> list[Value]:
        """All its arguments."""
        return [*self.arguments, *self.keywords.values()]
