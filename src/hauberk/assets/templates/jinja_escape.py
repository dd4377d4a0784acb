"""What in a template reaches out of the template: Python's internals, files, other templates (CVE-2024-34359 and its class).

Facts `jinja.escape`; attribute `way` says how, `certain` whether nothing harmless looks like it.
"""

import re
from collections.abc import Callable, Iterator

from jinja2 import nodes

from hauberk.assets.quoting import quote
from hauberk.assets.templates.jinja_fold import Folder
from hauberk.assets.templates.jinja_parse import DEBUG_CALL, walk
from hauberk.core import Fact
from hauberk.core.asset import Scalar

CHECK = "jinja.escape"
DUNDER = re.compile(r"__[a-zA-Z][a-zA-Z0-9_]*__")
# Attributes that lead from a value to code, frames and globals without two underscores; Jinja's own sandbox refuses them too.
_INTERNAL = frozenset(
    {
        "mro", "func_globals", "func_code", "func_closure", "func_defaults", "im_class", "im_func", "im_self", "gi_frame",
        "gi_code", "gi_yieldfrom", "cr_frame", "cr_code", "cr_await", "ag_frame", "ag_code", "ag_await", "tb_frame",
        "tb_next", "f_globals", "f_locals", "f_builtins", "f_back", "f_code", "co_code", "co_consts",
    }
)  # fmt: skip
# What a template engine never hands to a template, and code that evaluates strings in a template's name would.
_PYTHON = frozenset(
    {
        "getattr", "setattr", "eval", "exec", "execfile", "compile", "open", "globals", "locals", "vars", "breakpoint",
        "import_module", "memoryview", "popen", "system", "os", "sys", "subprocess", "importlib", "shutil", "socket",
        "builtins", "ctypes", "pickle",
    }
)  # fmt: skip
_ACTIONS = frozenset(
    {
        "popen", "system", "spawnl", "spawnv", "execv", "execve", "execl", "check_output", "check_call", "Popen", "urlopen",
        "urlretrieve", "b64decode", "import_module", "get_data", "load_module", "exec_module", "subclasses",
    }
)  # fmt: skip
# Objects that every Jinja environment or web framework puts in reach, and whose attributes lead to their module's globals.
_GLOBALS = frozenset(
    {
        "cycler", "joiner", "namespace", "lipsum", "self", "request", "dict", "range", "url_for", "get_flashed_messages",
        "raise_exception", "strftime_now",
    }
)  # fmt: skip
_ATTRIBUTE_FILTERS = frozenset(
    {
        "map", "sort", "groupby", "sum", "min", "max", "unique",
    }
)  # fmt: skip
_TEST_FILTERS = frozenset({"selectattr", "rejectattr"})
_ESCAPED_FIELD = re.compile(r"\{[^{}]*(?:\.|\[)\s*_{1,2}[a-zA-Z]\w*")


def escapes(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Everything in `tree` that leaves the template."""
    for node in walk(tree):
        looks = _LOOKS.get(type(node))
        for look in looks or ():
            yield from look(node, folder)


def _fact(node: nodes.Node, way: str, note: str, piece: str, *, certain: bool = True) -> Fact:
    return Fact(CHECK, note, where=f"line {node.lineno}", quote=quote(piece), attrs={"way": way, "certain": certain})


def _member(node: nodes.Node, name: str, way: str) -> Iterator[Fact]:
    """A member reached by `name`, which may be a dotted path."""
    for part in re.split(r"[.\[\]]", name[:4096]):
        if DUNDER.fullmatch(part):
            yield _fact(node, way, f"reaches {part}, which leads to Python's internals", part)
        elif part in _INTERNAL:
            yield _fact(node, way, f"reaches {part}, which leads to frames, code or classes", part)
        elif part.startswith("_" if way == "attribute" else "__") and part.strip("_"):
            yield _fact(node, "private", f"reaches the private attribute {quote(part, 60)}", part)


def _getattr(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    del folder
    assert isinstance(node, nodes.Getattr)
    yield from _member(node, node.attr, "attribute")


def _getitem(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    assert isinstance(node, nodes.Getitem)
    if isinstance(node.arg, nodes.Slice):
        return
    for key in folder.strings(node.arg):
        yield from _member(node, key, "subscript")


def _filter(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    assert isinstance(node, nodes.Filter)
    if node.name == "attr":
        yield from _attr(node, node.args[0] if node.args else None, folder)
    for position, argument in enumerate(node.args):
        if node.name in _TEST_FILTERS and position == 0:
            yield from _names(node, argument, folder)
        if node.name == "map" and "attr" in folder.strings(node.args[0]) and position:
            yield from _names(node, argument, folder)
    for pair in node.kwargs:
        if pair.key in {"attribute", "name"} and node.name in _ATTRIBUTE_FILTERS:
            yield from _names(node, pair.value, folder)
    if node.name in {"sort", "sum", "groupby", "min", "max", "unique"}:
        for argument in node.args:
            yield from _names(node, argument, folder)


def _names(node: nodes.Node, argument: nodes.Node, folder: Folder) -> Iterator[Fact]:
    for name in folder.strings(argument):
        yield from _member(node, name, "filter")


def _attr(node: nodes.Node, argument: nodes.Node | None, folder: Folder) -> Iterator[Fact]:
    names = folder.strings(argument)
    for name in names:
        yield from _member(node, name, "filter")
    if argument is not None and not names:
        hidden = any((piece.strip() and not piece.strip("_")) or "__" in piece for piece in _pieces(argument))
        yield _fact(node, "computed", "takes an attribute whose name is only known when it runs", "|attr(...)", certain=hidden)


def _call(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    assert isinstance(node, nodes.Call)
    target = node.node
    if isinstance(target, nodes.Name):
        if target.name == DEBUG_CALL:
            yield _fact(node, "debug", "prints the whole context, filters and tests of the engine", "{% debug %}")
        elif target.name in _PYTHON and target.ctx == "load":
            yield _fact(node, "python", f"calls Python's {target.name}", target.name)
        elif target.name == "chr":
            yield _fact(node, "python", "builds text from character codes", "chr", certain=False)
    if isinstance(target, nodes.Getattr | nodes.Getitem):
        name = target.attr if isinstance(target, nodes.Getattr) else next(iter(folder.strings(target.arg)), "")
        if name in _ACTIONS:
            yield _fact(node, "action", f"calls {name}", name)
        if name in {"format", "format_map"}:
            yield from _format(node, target.node, folder)


def _format(node: nodes.Node, subject: nodes.Node, folder: Folder) -> Iterator[Fact]:
    for pattern in folder.strings(subject):
        found = _ESCAPED_FIELD.search(pattern)
        if found:
            yield _fact(node, "format", "walks attributes inside a format string", found[0])


def _name(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    del folder
    assert isinstance(node, nodes.Name)
    if node.ctx == "load" and DUNDER.fullmatch(node.name):
        yield _fact(node, "python", f"names Python's {node.name}", node.name)


def _of_global(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    """An attribute of something that is a function or class, not data."""
    assert isinstance(node, nodes.Getattr | nodes.Getitem)
    subject = node.node
    if not isinstance(subject, nodes.Name) or subject.name not in _GLOBALS | {"os", "subprocess", "sys"}:
        return
    name = node.attr if isinstance(node, nodes.Getattr) else next(iter(folder.strings(node.arg)), "")
    if subject.name == "dict" and name in {"fromkeys", ""}:
        return
    certain = subject.name not in {"self", "request", "dict", "os", "sys"}
    if subject.name in {"self", "request", "namespace"} and not name.startswith("_") and name not in _INTERNAL | {"application"}:
        certain = False
    piece = f"{subject.name}.{name}"
    yield _fact(node, "global", f"reaches into {subject.name}, which is code and not data", piece, certain=certain)


def _template(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    """Another template or file, which a chat template has no business with."""
    assert isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends)
    names = folder.strings(node.template)
    word = type(node).__name__.lower()
    for name in names or ("",):
        ordinary = name.rpartition(".")[2] in {"html", "j2", "jinja", "jinja2", "txt", "md", "xml", "yaml", "yml", "json", "sql"}
        certain = not ordinary or name.startswith(("/", "~")) or ".." in name
        yield _fact(node, "include", f"{word}s {quote(name, 80) or 'a computed name'}", f"{word} {name}", certain=certain)


def _built(node: nodes.Node, folder: Folder) -> Iterator[Fact]:
    """A name of Python's internals put together from pieces, which only hiding explains."""
    if isinstance(node, nodes.Filter) and node.name in {"trim", "safe", "string", "list", "tojson"}:
        return
    for value in folder.strings(node):
        found = DUNDER.search(value)
        if found and not any(found[0] in piece for piece in _pieces(node)):
            yield _fact(node, "built", f"spells {found[0]} in pieces", found[0])


def _pieces(node: nodes.Node) -> Iterator[str]:
    for inner in walk(node):
        if isinstance(inner, nodes.Const) and isinstance(inner.value, str):
            yield inner.value


_LOOKS: dict[type[nodes.Node], tuple[Callable[[nodes.Node, Folder], Iterator[Fact]], ...]] = {
    nodes.Getattr: (_getattr, _of_global),
    nodes.Getitem: (_getitem, _of_global),
    nodes.Filter: (_filter, _built),
    nodes.Call: (_call, _built),
    nodes.Name: (_name,),
    nodes.Concat: (_built,),
    nodes.Add: (_built,),
    nodes.Mod: (_built,),
    nodes.Include: (_template,),
    nodes.Import: (_template,),
    nodes.FromImport: (_template,),
    nodes.Extends: (_template,),
}

_LEXICAL = re.compile(
    r"(?:\.\s*|\[\s*['\"]|attr\(\s*['\"])(?P<member>__[a-z]+__|(?:\\x5f|\\u005f){2}[a-z]+)"
    r"|\|\s*attr\s*\(\s*(?P<attr>[^)]{0,40})\)"
    r"|\b(?P<name>__(?:builtins|import|globals|class)__)\b"
    r"|\{%-?\s*(?P<tag>debug|include|import|extends)\b[^%]{0,60}"
)


def lexical_escapes(source: str) -> Iterator[Fact]:
    """The same by spelling alone, for a text that does not parse as Jinja."""
    for number, match in enumerate(_LEXICAL.finditer(source)):
        if number >= 20:
            return
        line = source.count("\n", 0, match.start()) + 1
        certain = match.lastgroup in {"member", "name"}
        attrs: dict[str, Scalar] = {"way": "lexical", "certain": certain}
        yield Fact(CHECK, "spells a way out of the template", where=f"line {line}", quote=quote(match[0]), attrs=attrs)
