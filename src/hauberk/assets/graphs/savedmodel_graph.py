"""The nodes of a TensorFlow graph and where their text inputs come from: a constant of the file, or whoever runs it.

NodeDef: 1 name, 2 op, 3 input, 5 attr. AttrValue: 1 list, 2 s, 8 tensor, 10 func. TensorProto: 1 dtype, 4 content, 8 string_val.
"""

import re

import msgspec

from hauberk.assets.graphs.protobuf import LEN, Field, Wire

MAX_NODES = 400_000
_STRING_TYPE = 7
_MAX_STRING = 1 << 14
_MAX_TRACE = 300
_MAX_INPUTS = 4096


class Node(msgspec.Struct):
    """One node. `strings` are the texts it holds itself, by attribute; `calls` the functions it names."""

    name: str = ""
    op: str = ""
    inputs: list[str] = msgspec.field(default_factory=list[str])
    strings: list[tuple[str, str, int]] = msgspec.field(default_factory=list[tuple[str, str, int]])  # attribute, text, offset
    calls: list[str] = msgspec.field(default_factory=list[str])
    offset: int = 0


class Scope(msgspec.Struct):
    """A graph or the body of a function: its nodes by name, and the names of its arguments in order."""

    name: str = ""
    nodes: dict[str, Node] = msgspec.field(default_factory=dict[str, Node])
    arguments: list[str] = msgspec.field(default_factory=list[str])


class Sources(msgspec.Struct):
    """What a value is made of: the constants of the file, and whether the caller has a say."""

    constants: list[str] = msgspec.field(default_factory=list[str])
    dynamic: bool = False
    default: bool = False  # a constant is the default of a placeholder, which the caller may replace
    asset: bool = False  # a constant that the loader replaces by the place of a file in assets/


def read_node(wire: Wire, field: Field, depth: int) -> Node:
    """The NodeDef in `field`."""
    node = Node(offset=field.start)
    for part in wire.inside(field, depth):
        if part.number == 1:
            node.name = wire.text(part, 1024)
        elif part.number == 2:
            node.op = wire.text(part, 256)
        elif part.number == 3:
            if len(node.inputs) < _MAX_INPUTS:
                node.inputs.append(wire.text(part, 1024))
        elif part.number == 5:
            _attribute(wire, part, depth, node)
    return node


def _attribute(wire: Wire, field: Field, depth: int, node: Node) -> None:
    key = ""
    for part in wire.inside(field, depth):
        if part.number == 1:
            key = wire.text(part, 256)
        elif part.number == 2 and part.wire == LEN:
            _value(wire, part, depth + 1, node, key)


def _value(wire: Wire, field: Field, depth: int, node: Node, key: str) -> None:
    if depth > 40:
        return
    for part in wire.inside(field, depth):
        if part.wire != LEN:
            continue
        if part.number == 2 and part.size:
            if not key.startswith("_output_shapes"):
                node.strings.append((key, wire.text(part, _MAX_STRING), part.start))
        elif part.number == 8:
            _tensor(wire, part, depth + 1, node, key)
        elif part.number == 10:
            node.calls.append(_function_name(wire, part, depth + 1))
        elif part.number == 1:
            _list(wire, part, depth + 1, node, key)


def _list(wire: Wire, field: Field, depth: int, node: Node, key: str) -> None:
    for part in wire.inside(field, depth):
        if part.wire != LEN:
            continue
        if part.number == 2:
            if len(node.strings) < 4096:
                node.strings.append((key, wire.text(part, _MAX_STRING), part.start))
        elif part.number == 8:
            _tensor(wire, part, depth + 1, node, key)
        elif part.number == 9:
            node.calls.append(_function_name(wire, part, depth + 1))


def _function_name(wire: Wire, field: Field, depth: int) -> str:
    return next((wire.text(part, 1024) for part in wire.inside(field, depth) if part.number == 1), "")


def _tensor(wire: Wire, field: Field, depth: int, node: Node, key: str) -> None:
    content: Field | None = None
    dtype = 0
    for part in wire.inside(field, depth):
        if part.number == 1:
            dtype = part.value
        elif part.number == 4:
            content = part
        elif part.number == 8 and part.wire == LEN and len(node.strings) < 4096:
            node.strings.append((key, wire.text(part, _MAX_STRING), part.start))
    if dtype == _STRING_TYPE and content is not None and content.size:
        node.strings.append((key, wire.text(content, _MAX_STRING), content.start))


class Program:
    """All scopes of a SavedModel, for following a value through function calls."""

    def __init__(self) -> None:
        self.scopes: dict[str, Scope] = {}
        self.saver_paths: set[str] = set()  # nodes that the saver feeds with the checkpoint's path
        self.assets: set[str] = set()  # nodes that the loader feeds with the place of an asset
        self._callers: dict[str, list[tuple[Scope, Node]]] | None = None

    def sources(self, scope: Scope, references: list[str]) -> Sources:
        """Where the values `references` (as inputs are written) come from."""
        found = Sources()
        stack = [(scope, reference) for reference in references]
        seen: set[tuple[str, str]] = set()
        while stack:
            where, reference = stack.pop()
            name = reference.split(":", 1)[0]
            if name.startswith("^") or (where.name, name) in seen:
                continue
            seen.add((where.name, name))
            if len(seen) > _MAX_TRACE:
                found.dynamic = True
                break
            node = where.nodes.get(name)
            if node is None:
                stack.extend(self._outside(where, name, found))
            elif not where.name and name in self.assets:
                found.asset = True
            else:
                stack.extend(self._behind(where, node, found))
        return found

    def _behind(self, scope: Scope, node: Node, found: Sources) -> list[tuple[Scope, str]]:
        """The values that `node` makes its own of; what it is itself goes into `found`."""
        if node.op == "Const":
            found.constants.extend(text for _, text, _ in node.strings)
            found.dynamic = found.dynamic or (not scope.name and node.name in self.saver_paths)
            return []
        found.default = found.default or node.op == "PlaceholderWithDefault"
        found.dynamic = found.dynamic or not node.inputs
        behind = [(scope, reference) for reference in node.inputs]
        for call in (*node.calls[:4], node.op):
            body = self.scopes.get(call) if call else None
            if body is not None:
                behind.extend((body, inner.name) for inner in body.nodes.values() if inner.op == "Const" and inner.strings)
        return behind

    def _outside(self, scope: Scope, name: str, found: Sources) -> list[tuple[Scope, str]]:
        """The caller's side of an argument; the caller is whoever runs the model when no node calls the function."""
        if name not in scope.arguments:
            return []
        callers = self._callers_of(scope.name)
        if not callers:
            found.dynamic = True
        position = scope.arguments.index(name)
        outside: list[tuple[Scope, str]] = []
        for caller, node in callers:
            given = [i for i in node.inputs if not i.startswith("^")]
            if node.op in {"If", "StatelessIf", "Case", "StatelessCase"}:
                given = given[1:]
            if position < len(given):
                outside.append((caller, given[position]))
        return outside

    def _callers_of(self, function: str) -> list[tuple[Scope, Node]]:
        if self._callers is None:
            self._callers = {}
            for scope in self.scopes.values():
                for node in scope.nodes.values():
                    for call in (*node.calls, node.op):
                        if call not in self.scopes:
                            continue
                        self._callers.setdefault(call, []).append((scope, node))
        return self._callers.get(function, [])[:16]


def reach(sources: Sources) -> str:
    """One word for where a path comes from: "outside", "asset", "input", "default", "constant" or "nothing"."""
    if any(is_outside(text) for text in sources.constants):
        return "outside"
    if sources.asset:
        return "asset"
    if sources.dynamic:
        return "input"
    if any(sources.constants):
        return "default" if sources.default else "constant"
    return "nothing"


_OUTSIDE = re.compile(r"(?i)^(?:/|\\|~|[a-z]:[\\/]|file:|(?:https?|ftp|s3|gs|hdfs|viewfs|az|oss|grpc|tcp|ram)://|\$)")


def is_outside(text: str) -> bool:
    """An absolute path, an address, or a way up: nothing that lies inside the model's own directory."""
    if text.startswith("^") or "\n" in text:
        return False
    return bool(_OUTSIDE.match(text) and len(text) > 1) or ".." in re.split(r"[\\/]+", text)
