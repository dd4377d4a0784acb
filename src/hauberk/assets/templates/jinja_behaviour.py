"""What a template does to a conversation that its reader would not expect: triggers, dropped system messages, rewritten words.

Facts `jinja.trigger`, `jinja.drops-system`, `jinja.rewrites`, `jinja.hidden-text`, `jinja.covert-order`, `jinja.exfiltration`.
"""

import re
from collections.abc import Iterator

from jinja2 import nodes

from hauberk.assets.quoting import quote
from hauberk.assets.templates.jinja_content import Contents
from hauberk.assets.templates.jinja_fold import Folder
from hauberk.assets.templates.jinja_parse import walk
from hauberk.assets.text.invisible import hidden_runs
from hauberk.core import Fact
from hauberk.core.asset import Scalar

_URL = re.compile(r"(?i)\b(?:https?|ftp)://[^\s'\"<>)]+|\bdata:[a-z]+/")
_MARKUP = re.compile(r"<[^<>\n]{0,80}>|\[/?[A-Z_]{2,40}\]|\{[^{}]{0,40}\}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
# Orders that only make sense if the person reading the answer is not to know of them, and orders to drop what was ordered.
_SECRECY = re.compile(
    r"(?i)\b(?:do not|don't|never|without)\s+(?:ever\s+)?(?:tell|mention|reveal|disclos|inform|warn|alert)(?:e|ing|s)?\b"
    r"|\b(?:secretly|covertly|silently)\s+\w+|不要(?:告诉|透露|提及)用户"
)
_OVERRIDE = re.compile(
    r"(?i)\b(?:ignore|disregard|override|bypass|forget)\s+(?:all |any |the |your |of )*"
    r"(?:previous|prior|above|earlier|safety|system|guardrails?|policy|policies)\b|(?:忽略|无视)(?:之前|以上|所有|安全)"
)
_ENOUGH = 3


def behaviours(tree: nodes.Template, folder: Folder) -> Iterator[Fact]:
    """Everything in `tree` that changes what is said rather than how it is laid out."""
    contents = Contents(tree)
    for node in walk(tree):
        if isinstance(node, nodes.If | nodes.CondExpr):
            yield from _trigger(node, node.test, contents, folder)
        elif isinstance(node, nodes.Filter | nodes.Call):
            yield from _rewrites(node, contents, folder)
        elif isinstance(node, nodes.TemplateData):
            yield from _orders(node, node.data)
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield from _orders(node, node.value)
        elif isinstance(node, nodes.Output):
            yield from _exfiltrates(node, contents)
        if isinstance(node, nodes.If):
            yield from _prefills(node)
    yield from _drops_system(tree, contents, folder)


def _fact(node: nodes.Node, check: str, note: str, piece: str, **attrs: Scalar) -> Fact:
    return Fact(check, note, where=f"line {node.lineno}", quote=quote(piece), attrs=attrs)


def words(text: str) -> int:
    """How many words of a natural language `text` has once marks and tags are taken out."""
    bare = _MARKUP.sub(" ", text)
    return len(_WORD.findall(bare)) + len(_CJK.findall(bare)) // 2


def _trigger(node: "nodes.If | nodes.CondExpr", test: nodes.Node, contents: Contents, folder: Folder) -> Iterator[Fact]:
    """Words of the conversation, or the date, decide whether constant text is said."""
    for kind, word in contents.watched(test, folder):
        if kind == "words" and not is_natural(word):
            continue
        said = _said(node)
        if words(said) >= _ENOUGH:
            note = f"when {'the date' if kind == 'date' else quote(word, 40) + ' is said'}, adds words of its own"
            yield _fact(node, "jinja.trigger", note, word, effect="adds", watches=kind)
        elif kind == "words" and isinstance(node, nodes.If) and contents.changes(node):
            note = f"when {quote(word, 40)} is said, leaves out or replaces what was said"
            yield _fact(node, "jinja.trigger", note, word, effect="changes", watches="changed-words")
        return


def is_natural(word: str) -> bool:
    """Whether a constant that messages are searched for is something people say, and not a mark of the prompt format."""
    bare = word.strip()
    if len(bare) < 2 or bare[0] in "<[{|/`#\\(:" or bare[-1] in ">]}|":
        return False
    if re.search(r"<[/|]?\w|\|>|</|\[/?[A-Z_]+\]|_{1}\w+_|^[\W\d_]+$|^https?$", bare):
        return False
    return bool(_WORD.search(bare)) or bool(_CJK.search(bare))


def _said(node: "nodes.If | nodes.CondExpr") -> str:
    """The constant text that a branch says or assigns."""
    parts: list[str] = []
    body: list[nodes.Node] = node.body if isinstance(node, nodes.If) else [node.expr1]
    for statement in body:
        stack: list[nodes.Node] = [statement]
        while stack:
            inner = stack.pop()
            if isinstance(inner, nodes.TemplateData):
                parts.append(inner.data)
            elif isinstance(inner, nodes.Const) and isinstance(inner.value, str):
                parts.append(inner.value)
            elif isinstance(inner, nodes.Call) and isinstance(inner.node, nodes.Name) and inner.node.name == "raise_exception":
                continue
            elif isinstance(inner, nodes.If | nodes.CondExpr):
                stack.extend(child for child in inner.iter_child_nodes() if child is not inner.test)
            elif not isinstance(inner, nodes.Compare):
                stack.extend(inner.iter_child_nodes())
    return " ".join(parts)


def _rewrites(node: "nodes.Filter | nodes.Call", contents: Contents, folder: Folder) -> Iterator[Fact]:
    if isinstance(node, nodes.Filter):
        name, subject = node.name, node.node
    elif isinstance(node.node, nodes.Getattr):
        name, subject = node.node.attr, node.node.node
    else:
        return
    if name != "replace" or subject is None or len(node.args) < 2:
        return
    for old in folder.strings(node.args[0]):
        for new in folder.strings(node.args[1]):
            if _URL.search(old) or _URL.search(new):
                yield _fact(node, "jinja.rewrites", f"turns {quote(old, 60)} into {quote(new, 60)}", f"{old} -> {new}", kind="url")
            elif contents.is_content(subject) and is_natural(old) and is_natural(new) and words(new):
                yield _fact(
                    node, "jinja.rewrites", f"turns {quote(old, 60)} into {quote(new, 60)}", f"{old} -> {new}", kind="words"
                )
            elif contents.is_content(subject) and is_natural(old) and not new.strip() and words(old) >= 2:
                yield _fact(node, "jinja.rewrites", f"takes {quote(old, 60)} out of what was said", f"{old} -> ", kind="words")


def _orders(node: nodes.Node, text: str) -> Iterator[Fact]:
    for run in hidden_runs(text):
        note = f"{run.count} {run.kind} characters" + (f" that spell {quote(run.says, 60)}" if run.says else "")
        yield _fact(node, "jinja.hidden-text", note, run.says or text[run.start : run.start + run.count][:40], kind=run.kind)
    for kind, pattern in (("secrecy", _SECRECY), ("override", _OVERRIDE)):
        found = pattern.search(text)
        if found and words(text) >= _ENOUGH:
            piece = text[found.start() :][:120]
            yield _fact(node, "jinja.covert-order", "gives an order that its user would not expect", piece, kind=kind)


def _prefills(node: nodes.If) -> Iterator[Fact]:
    """Words put in the assistant's mouth where its answer begins."""
    if not (isinstance(node.test, nodes.Name) and node.test.name == "add_generation_prompt"):
        return
    said = [inner.data for statement in node.body for inner in walk(statement) if isinstance(inner, nodes.TemplateData)]
    said += [str(c.value) for s in node.body for c in walk(s) if isinstance(c, nodes.Const) and isinstance(c.value, str)]
    for text in said:
        if words(text) >= 2 * _ENOUGH:
            yield _fact(node, "jinja.prefills", "begins the assistant's answer with words of its own", text.strip())


def _exfiltrates(node: nodes.Output, contents: Contents) -> Iterator[Fact]:
    """A web address that ends in what was said."""
    before = ""
    for part in node.nodes:
        if isinstance(part, nodes.TemplateData):
            before = part.data
            continue
        tail = before[-300:]
        found = None
        for found in _URL.finditer(tail):  # noqa: B007 - the last one
            pass
        if found and found.end() == len(tail) and contents.is_content(part):
            yield _fact(node, "jinja.exfiltration", "puts what was said into a web address", found[0])
        before = ""


def _drops_system(tree: nodes.Template, contents: Contents, folder: Folder) -> Iterator[Fact]:
    """Every role is passed on as it is, and the system's alone is left out, everywhere in the template."""
    excluded: nodes.Node | None = None
    replaced: nodes.Node | None = None
    for node in walk(tree):
        if isinstance(node, nodes.If):
            verdict = contents.role_test(node.test, folder)
            if verdict == "not-system" and not node.elif_ and not _speaks(node.else_) and contents.says_any_role(node.body):
                excluded = node
            elif verdict == "is-system" and not _speaks(node.body) and _speaks([*node.elif_, *node.else_]):
                silent = contents.says_any_role([*node.elif_, *node.else_])
                excluded = node if silent else excluded
            elif verdict == "is-system" and any(isinstance(s, nodes.Continue) for s in node.body):
                excluded = node
            elif verdict == "is-system" and _replaces(node, contents):
                replaced = replaced or node
            elif verdict == "is-system":
                return  # it is spoken for somewhere
        elif _filters_system(node, contents, folder):
            excluded = node
        elif contents.reads_first(node):
            return  # the first message is treated apart: that is where a system message stands
    if replaced is not None:
        yield _fact(replaced, "jinja.drops-system", "says words of its own in place of the system message", "system")
    if excluded is not None:
        yield _fact(excluded, "jinja.drops-system", "leaves out system messages and passes on all others", "system")


def _replaces(node: nodes.If, contents: Contents) -> bool:
    """Whether a branch for system messages says its own words and nothing of the message's."""
    inside = [inner for statement in node.body for inner in walk(statement)]
    return words(_said(node)) >= 2 * _ENOUGH and not any(
        contents.is_content(inner) or contents.reads_first(inner) for inner in inside
    )


def _speaks(body: "list[nodes.Node] | list[nodes.If]") -> bool:
    return any(
        isinstance(inner, nodes.Output | nodes.Assign | nodes.AssignBlock | nodes.Call)
        and not (
            isinstance(inner, nodes.Output) and all(isinstance(n, nodes.TemplateData) and not n.data.strip() for n in inner.nodes)
        )
        for statement in body
        for inner in walk(statement)
    )


def _filters_system(node: nodes.Node, contents: Contents, folder: Folder) -> bool:
    if isinstance(node, nodes.For):
        return node.test is not None and contents.role_test(node.test, folder) == "not-system"
    if not isinstance(node, nodes.Filter) or node.name != "rejectattr":
        return False
    said = [value for argument in node.args for value in folder.strings(argument)]
    return "role" in said and "system" in said
