"""Which expressions of a template stand for what was said: a message's content, whatever variable carries it."""

from collections.abc import Iterator

from jinja2 import nodes

from hauberk.assets.templates.jinja_fold import Folder
from hauberk.assets.templates.jinja_parse import walk

_KEYS = frozenset({"content", "text", "prompt", "query", "instruction", "question", "input"})
_SAME_TEXT = frozenset(
    {
        "lower", "upper", "trim", "strip", "string", "safe", "title", "capitalize", "lstrip", "rstrip", "default", "d",
        "replace",
    }
)  # fmt: skip
_TESTS = frozenset(
    {"in", "equalto", "eq", "==", "match", "search", "regex_search", "regex_match", "select", "count"}
)  # fmt: skip
_SEARCHES = frozenset({"startswith", "endswith", "find", "index", "count", "rfind"})


class Contents:
    """Follows what was said through a template's variables."""

    def __init__(self, tree: nodes.Template) -> None:
        self._names: set[str] = set()
        self._parts: set[str] = set()  # loop variables over a content that is a list of parts
        self._first: set[int] = set()
        assigned = [node for node in walk(tree) if isinstance(node, nodes.Assign) and isinstance(node.target, nodes.Name)]
        loops = [node for node in walk(tree) if isinstance(node, nodes.For) and isinstance(node.target, nodes.Name)]
        for _ in range(3):  # a name set from a name set from a content
            for loop in loops:
                assert isinstance(loop.target, nodes.Name)
                if self.is_content(_split(loop.iter)):
                    self._names.add(loop.target.name)
                elif self.is_content(loop.iter):
                    self._parts.add(loop.target.name)
            for node in assigned:
                assert isinstance(node.target, nodes.Name)
                if node.target.name not in self._parts and self.is_content(node.node):
                    self._names.add(node.target.name)

    def is_content(self, node: nodes.Node | None) -> bool:
        """Whether `node` is what somebody said, perhaps in lower case or trimmed."""
        for _ in range(12):
            if isinstance(node, nodes.Filter) and node.name in _SAME_TEXT:
                node = node.node
            elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _SAME_TEXT:
                node = node.node.node
            elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
                node = node.node
            elif isinstance(node, nodes.Or | nodes.And):
                node = node.left
            else:
                break
        if isinstance(node, nodes.Filter) and node.name in {"join", "map", "list", "select", "reject"}:
            return self._gathered(node)
        if isinstance(node, nodes.Getattr):
            return node.attr in _KEYS
        if isinstance(node, nodes.Getitem):
            return isinstance(node.arg, nodes.Const) and node.arg.value in _KEYS
        if isinstance(node, nodes.Concat | nodes.Add):
            return any(self.is_content(child) for child in node.iter_child_nodes())
        return isinstance(node, nodes.Name) and node.name in self._names and node.name not in self._parts

    def _gathered(self, node: nodes.Filter) -> bool:
        """Whether a chain of filters gathers the contents of many messages."""
        inner: nodes.Node | None = node
        while isinstance(inner, nodes.Filter):
            named = [*inner.args, *(pair.value for pair in inner.kwargs if pair.key == "attribute")]
            if inner.name == "map" and any(isinstance(one, nodes.Const) and one.value in _KEYS for one in named):
                return True
            inner = inner.node
        return False

    def watched(self, test: nodes.Node, folder: Folder) -> Iterator[tuple[str, str]]:
        """What `test` looks for: ("words", a constant) in what was said, ("date", how) in the calendar."""
        for node in walk(test):
            if isinstance(node, nodes.Compare):
                yield from self._compared(node, folder)
            elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _SEARCHES:
                if self.is_content(node.node.node):
                    yield from (("words", word) for argument in node.args for word in folder.strings(argument))
            elif isinstance(node, nodes.Filter) and node.name in {"selectattr", "rejectattr"} and len(node.args) >= 3:
                if any(name in _KEYS for name in folder.strings(node.args[0])):
                    yield from (("words", word) for word in folder.strings(node.args[2]))
            elif isinstance(node, nodes.Test | nodes.Filter) and node.name in _TESTS and self.is_content(node.node):
                yield from (("words", word) for argument in node.args for word in folder.strings(argument))

    def _compared(self, node: nodes.Compare, folder: Folder) -> Iterator[tuple[str, str]]:
        operand = node.ops[0]
        sides = (node.expr, operand.expr)
        if any(_is_date(inner) for side in sides for inner in walk(side)):
            if any(folder.values(side) for side in sides):
                yield "date", operand.op
            return
        if operand.op not in {"in", "notin", "eq", "ne"}:
            return
        for one, other in (sides, sides[::-1]):
            if self.is_content(one):
                for value in folder.values(other):
                    listed = value if isinstance(value, list) else [value]
                    yield from (("words", word) for word in listed if isinstance(word, str))

    def changes(self, node: nodes.If) -> bool:
        """Whether an `if` says something of its own instead of what was said: one branch speaks it, another does not."""
        branches = [node.body, *(branch.body for branch in node.elif_), node.else_]
        spoken = [self._speaks(branch) for branch in branches]
        return any(spoken) and not spoken[0] and bool(_words_of(node.body))

    def _speaks(self, body: list[nodes.Node]) -> bool:
        return any(self.is_content(inner) for statement in body for inner in walk(statement))

    def says_any_role(self, body: "list[nodes.Node] | list[nodes.If]") -> bool:
        """Whether `body` prints a message's role as it stands, so that it serves every role."""
        for statement in body:
            for output in walk(statement):
                if isinstance(output, nodes.Output) and any(_is_role(inner) for part in output.nodes for inner in walk(part)):
                    return True
        return False

    def role_test(self, test: nodes.Node, folder: Folder) -> str:
        """`is-system`, `not-system` or "" for a test of a message's role."""
        negated = False
        while isinstance(test, nodes.Not):
            test, negated = test.node, not negated
        for node in walk(test):
            if not isinstance(node, nodes.Compare):
                continue
            operand = node.ops[0]
            sides = (node.expr, operand.expr)
            if not any(_is_role(side) for side in sides):
                continue
            values = [value for side in sides for value in folder.values(side)]
            named = [one for value in values for one in (value if isinstance(value, list) else [value])]
            if "system" in named or "developer" in named:
                different = operand.op in {"ne", "notin"}
                return "not-system" if different != negated else "is-system"
        return ""

    def reads_first(self, node: nodes.Node) -> bool:
        """Whether `node` takes the first message, or all but it, apart."""
        if not isinstance(node, nodes.Getitem) or not isinstance(node.node, nodes.Name):
            return False
        if isinstance(node.arg, nodes.Slice):
            return isinstance(node.arg.start, nodes.Const) and node.arg.start.value == 1
        return isinstance(node.arg, nodes.Const) and node.arg.value == 0


def _split(node: nodes.Node) -> nodes.Node | None:
    """What a call of `split` takes apart."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in {"split", "splitlines"}:
        return node.node.node
    return None


def _is_role(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Getattr):
        return node.attr == "role"
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Const) and node.arg.value == "role"
    return isinstance(node, nodes.Name) and node.name == "role"


def _is_date(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in {"strftime_now", "now"}


def _words_of(body: list[nodes.Node]) -> bool:
    return any(
        (isinstance(inner, nodes.TemplateData) and any(c.isalpha() for c in inner.data))
        or (isinstance(inner, nodes.Const) and isinstance(inner.value, str) and any(c.isalpha() for c in inner.value))
        for statement in body
        for inner in walk(statement)
    )
