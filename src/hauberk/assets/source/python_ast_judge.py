"""From the calls of a Python module to facts: what runs when, and which calls together make a known kind of attack."""

import ast
import re
import sys
from collections.abc import Iterator

from hauberk.assets.quoting import quote
from hauberk.assets.source.known_packages import KNOWN_PACKAGES
from hauberk.assets.source.python_ast_scope import IMPORT, Call
from hauberk.assets.source.python_ast_table import CALLERS, PERSISTENT_PATH, SECRET_PATH, WRITERS, does, is_root
from hauberk.assets.source.python_ast_value import Value
from hauberk.assets.source.python_ast_walk import Walker
from hauberk.assets.source.shell_idioms import hostile, installs_packages, only_tells
from hauberk.core import Fact
from hauberk.core.asset import Scalar

_SENDS = frozenset({"data", "json", "files", "params", "content", "body", "headers", "cookies", "auth"})
_MEMORY = ("VirtualAlloc", "VirtualProtect", "RtlMoveMemory", "CreateThread", "CreateRemoteThread", "WriteProcessMemory",
           "NtAllocateVirtualMemory", "mprotect", "memfd_create")  # fmt: skip
_REMOVES = frozenset({"shutil.rmtree", "os.removedirs", "os.rmdir", "os.remove", "os.unlink"})
_MODES = frozenset("wax+")
_NETWORKS = ("socket.", "smtplib.", "ftplib.", "requests.", "httpx.", "http.client.", "aiohttp.", "paramiko.", "urllib3.")
_SENDERS = frozenset({"send", "sendall", "sendto", "sendmail", "send_message", "post", "put", "patch", "request", "write",
                      "storbinary", "storlines", "send_bytes"})  # fmt: skip
_ASKS = frozenset({"builtins.isinstance", "builtins.hasattr", "builtins.callable", "builtins.getattr", "builtins.setattr",
                   "builtins.id", "builtins.repr", "builtins.type", "functools.partial", "functools.wraps"})  # fmt: skip
_VERSION_FILE = re.compile(r"(?i)version|about|metadata|__init__|release|_meta\b")
_PROGRAM_FILE = re.compile(r"(?i)\.(?:py|pth|sh|bash|bat|cmd|ps1|so|dll|exe|service|desktop|plist)$")
_ROOT_CLASS = re.compile(r"__(?:base|bases|mro)__|\bmro\(\)|^object\b|__class__")
_WHEN = {
    "import": "when the module is imported",
    "load": "when the model is loaded or used",
    "install": "when the package is installed",
    "main": "when the file is run as a program",
}


class Judge:
    """Makes facts of what a `Walker` saw. `outer` is the phase of the code that runs this text, "" for a file."""

    def __init__(self, walker: Walker, source: bytes, outer: str = "", prefix: str = "") -> None:
        self.walker = walker
        self.outer = outer
        self.prefix = prefix
        self._source = source
        self._starts = [0]
        for line in source.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._phases = walker.phases()
        self.nested: list[tuple[str, str, str]] = []  # text, phase and place of code that this code runs
        self._written = _written_paths(walker.calls)

    def facts(self) -> Iterator[Fact]:
        """Every fact, in the order of the calls."""
        by_owner: dict[int, list[Call]] = {}
        for call in self.walker.calls:
            by_owner.setdefault(call.owner, []).append(call)
            yield from self._of_call(call)
        for calls in by_owner.values():
            yield from self._together(calls)
        for node, value, owner in self.walker.reduced:
            first = value.items[0] if value.items else value
            if does(first.ref) in {"command", "eval", "native"}:
                yield self._fact("code.reduce", f"__reduce__ returns {first.ref}", node, owner, name=first.ref)

    # -- one call ----------------------------------------------------------------------------------------------------

    def phase(self, owner: int) -> str:
        """When the code of `owner` runs."""
        phase = self._phases[owner]
        return self.outer if self.outer and phase == IMPORT else phase

    def _fact(self, check: str, note: str, node: ast.expr | ast.stmt, owner: int, **attrs: Scalar) -> Fact:
        line = node.lineno
        start = self._starts[min(line - 1, len(self._starts) - 1)]
        end = self._starts[min(line, len(self._starts) - 1)]
        piece = self._source[start:end].strip()
        where = f"{self.prefix}line {line}"
        offset = None if self.prefix else start + node.col_offset
        return Fact(check, note, offset=offset, where=where, quote=quote(piece), attrs={"phase": self.phase(owner), **attrs})

    def _call(self, call: Call, what: str, **attrs: Scalar) -> Fact:
        module, _, name = call.ref.rpartition(".")
        way = "computed" if "hidden" in call.function.tags else "looked-up" if "indirect" in call.function.tags else "plain"
        when = _WHEN.get(self.phase(call.owner), "in a function")
        note = f"{quote(call.ref, 80)} is called {when}"
        more: dict[str, Scalar] = {"module": module, "name": name, "how": "call", "does": what, "way": way, **attrs}
        return self._fact("code.call", note, call.node, call.owner, **more)

    def _of_call(self, call: Call) -> Iterator[Fact]:
        what = does(call.ref)
        if what == "command":
            yield from self._command(call)
        elif what == "eval":
            yield from self._eval(call)
        elif what == "unpickle":
            yield from self._unpickle(call)
        elif what == "network":
            yield from self._network(call)
        elif what == "native":
            if {"network", "fetched"} & _tags(call):
                yield self._fact("code.download-exec", "a library from the network is loaded", call.node, call.owner)
            yield self._call(call, what)
        else:
            yield from self._other(call)

    def _command(self, call: Call) -> Iterator[Fact]:
        text = command_text(call.arguments[0] if call.arguments else next(iter(call.keywords.values()), Value()))
        tags = _tags(call)
        if call.ref.startswith(("os.exec", "os.spawn")):
            text = command_text(Value(items=tuple(call.arguments)))
        if call.ref.startswith(("pip", "setuptools")):
            text = f"pip {text}"
        if what := hostile(text):
            note = f"a command {what}: {quote(text, 120)}"
            yield self._fact("code.hostile-command", note, call.node, call.owner, command=quote(text))
        if {"network", "fetched"} & tags:
            yield self._fact("code.download-exec", "what comes from the network is run as a command", call.node, call.owner)
        elif "decoded" in tags:
            yield self._fact("code.decode-exec", f"a decoded text is run as a command: {quote(text, 100)}", call.node, call.owner)
        yield self._call(
            call, "command", harmless=_is_harmless(call, text), installs=installs_packages(text), shell=_is_shell(call, text)
        )
        if (at := text.find(" -c ")) > 0 and "python" in text[:at] + call.ref:
            self.nested.append((text[at + 4 :].strip("'\""), self.phase(call.owner), f"line {call.node.lineno}, "))

    def _eval(self, call: Call) -> Iterator[Fact]:
        code = call.arguments[0] if call.arguments else Value()
        tags = code.tags
        if {"network", "fetched"} & tags:
            yield self._fact("code.download-exec", "what comes from the network is run as code", call.node, call.owner)
        elif "decoded" in tags:
            yield self._fact("code.decode-exec", f"a decoded text is run as code: {quote(code.text, 100)}", call.node, call.owner)
        if code.text:
            self.nested.append((code.text, self.phase(call.owner), f"line {call.node.lineno}, "))
        from_file = "builtins.open" in code.ref or ".read" in code.ref or call.ref.startswith("runpy.run_")
        source = "file" if from_file else "constant" if code.text else "computed"
        if source == "file" and _VERSION_FILE.search(ast.unparse(call.node.args[0])[:2000]):
            source = "version"
        yield self._call(call, "eval", source=source)

    def _unpickle(self, call: Call) -> Iterator[Fact]:
        tags = _tags(call)
        literal = bool(call.arguments) and isinstance(call.arguments[0].const, str | bytes) and call.ref.endswith("loads")
        literal = literal and self.phase(call.owner) in {"import", "load"}
        source = "network" if "network" in tags else "embedded" if "decoded" in tags or literal else "file"
        if call.ref.startswith("marshal.") and source == "file":
            source = "marshal"
        if any(k == "weights_only" and v.const is True for k, v in call.keywords.items()):
            return
        yield self._call(call, "unpickle", source=source)

    def _network(self, call: Call) -> Iterator[Fact]:
        tags = _tags(call)
        sent = frozenset({"environ", "secret"}) & tags
        posts = (
            bool(_SENDS & set(call.keywords))
            or len(call.arguments) > 1
            or bool(sent & call.arguments[0].tags if call.arguments else 0)
        )
        if sent and posts:
            what = "the whole environment" if "environ" in sent else "a file of credentials"
            yield self._fact("code.exfiltration", f"{what} is sent away by {quote(call.ref, 60)}", call.node, call.owner)
        yield self._call(call, "network")

    def _other(self, call: Call) -> Iterator[Fact]:
        ref = call.ref
        first = call.arguments[0] if call.arguments else Value()
        method = call.node.func.attr if isinstance(call.node.func, ast.Attribute) else ""
        if ref.startswith(_NETWORKS) and method in _SENDERS and {"environ", "secret"} & _tags(call):
            yield self._fact("code.exfiltration", "an environment or a file of credentials is sent away", call.node, call.owner)
        if ref in {"builtins.open", "io.open"} or method in {"write_text", "write_bytes", "open"}:
            yield from self._opened(call, first, method)
        elif method in WRITERS and (hit := next((v for v in call.every if PERSISTENT_PATH.search(v.text)), None)):
            yield self._fact("code.persistence", f"writes {quote(hit.text, 100)}, which is run later", call.node, call.owner)
        elif method == "__subclasses__" and _ROOT_CLASS.search(ast.unparse(call.node.func)[:500]):
            yield self._fact("code.object-graph", "every class of the process is searched for one", call.node, call.owner)
        elif ref in _REMOVES and (is_root(first.text) or first.text == "{os.path.expanduser}"):
            yield self._fact("code.destroys", f"{ref} of {quote(first.text, 60)}", call.node, call.owner)
        elif ref.startswith("ctypes.") and ref.rpartition(".")[2] in _MEMORY:
            yield self._fact("code.shellcode", f"{quote(ref, 80)} prepares memory to run machine code", call.node, call.owner)
        if ref not in _ASKS and "mock" not in ref and method not in {"object", "setattr", "patch"}:
            yield from self._passed(call)
        if ref == "torch.hub.load" or any(k == "trust_remote_code" and v.const is True for k, v in call.keywords.items()):
            yield self._fact("code.trusts-remote-code", "code from another repository will be run", call.node, call.owner)
        if call.bare and not self.outer and self.phase(call.owner) == IMPORT and _is_foreign(ref):
            yield self._fact("code.foreign-call", f"{quote(ref, 80)} is called when the module is imported", call.node, call.owner,
                             module=ref.partition(".")[0])  # fmt: skip

    def _passed(self, call: Call) -> Iterator[Fact]:
        """A command's function given to something that may call it."""
        for value in call.every:
            what = does(value.ref)
            if what == "command" or (what == "eval" and call.ref in CALLERS):
                passed = Call(call.node, value, call.base, [], {}, call.owner)
                yield self._call(passed, what, harmless=False, installs=False, shell=False, source="computed")

    def _opened(self, call: Call, first: Value, method: str) -> Iterator[Fact]:
        of_path = method == "open" and call.ref not in {"io.open", "codecs.open"}
        modes = call.arguments if of_path else call.arguments[1:]
        mode = "w" if method.startswith("write_") else (modes[0] if modes else call.keywords.get("mode", Value())).text
        path = call.base.text if of_path or method.startswith("write_") else first.text
        if set(mode) <= set("rwaxbt+U") and _MODES & set(mode):
            if PERSISTENT_PATH.search(path):
                yield self._fact("code.persistence", f"writes {quote(path, 100)}, which is run later", call.node, call.owner)
            elif _PROGRAM_FILE.search(path):
                yield self._fact("code.writes-program", f"writes {quote(path, 100)}", call.node, call.owner)
        elif SECRET_PATH.search(path):
            yield self._fact("code.reads-credentials", f"reads {quote(path, 100)}", call.node, call.owner)

    # -- calls that belong together ----------------------------------------------------------------------------------

    def _together(self, calls: list[Call]) -> Iterator[Fact]:
        refs = {c.ref for c in calls}
        connects = [
            c for c in calls if c.ref in {"socket.socket().connect", "socket.socket().connect_ex", "socket.create_connection"}
        ]
        shells = [c for c in calls if does(c.ref) == "command" or c.ref == "os.dup2"]
        if connects and shells and ("os.dup2" in refs or "pty.spawn" in refs or any("socket" in _tags(c) for c in shells)):
            yield self._fact("code.reverse-shell", "a shell is given to a remote host", connects[0].node, connects[0].owner)
        for call in calls:
            if does(call.ref) in {"command", "native"} or call.ref in {"runpy.run_path", "os.startfile"}:
                used = {t for a in call.node.args for t in _names_in(a)} | {v.text for v in call.every if v.text}
                if hit := used & self._written:
                    note = f"{quote(min(hit), 60)} is downloaded and then run"
                    yield self._fact("code.download-exec", note, call.node, call.owner)


def _is_harmless(call: Call, text: str) -> bool:
    """Whether a command only tells something, and its answer is used: to run one for its effect is another matter."""
    if call.ref == "os.system" or call.bare:
        return text in {"clear", "cls"}
    return bool(text) and only_tells(text)


def _is_shell(call: Call, text: str) -> bool:
    by_name = call.ref in {"os.system", "os.popen", "pty.spawn", "asyncio.create_subprocess_shell"} or call.ref.startswith(
        "ctypes."
    )
    asked = "shell" in call.keywords and call.keywords["shell"].const is not False
    return (
        by_name or asked or re.match(r"(?:/\S*/)?(?:(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh)\b", text) is not None
    )


def _tags(call: Call) -> frozenset[str]:
    found = call.base.tags
    for value in call.every:
        found |= value.tags
    return found


def command_text(value: Value) -> str:
    """A command as one line: a text, or a list of words; what is not known stands in braces."""
    if value.text:
        return value.text
    if value.items is None:
        return ""
    words = [v.text or (command_text(v) if v.items else f"{{{v.ref}}}") for v in value.items[:200]]
    return " ".join(words) if any(v.text or v.items for v in value.items) else ""


def _names_in(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield f"${part.id}"


def _written_paths(calls: list[Call]) -> set[str]:
    """Constants and names of paths into which something from the network was written."""
    written: set[str] = set()
    opened: dict[int, ast.expr] = {}
    for call in calls:
        if call.ref in {"urllib.request.urlretrieve", "urllib.urlretrieve", "wget.download"} and len(call.node.args) > 1:
            written |= {call.arguments[1].text, *_names_in(call.node.args[1])}
        if call.ref == "builtins.open" and call.node.args:
            opened[call.owner] = call.node.args[0]
            if text := call.arguments[0].text:
                opened[call.owner] = ast.copy_location(ast.Constant(text), call.node)
        if call.ref.endswith("open().write") and call.owner in opened and "network" in _tags(call):
            path = opened[call.owner]
            written |= {str(path.value)} if isinstance(path, ast.Constant) else set(_names_in(path))
    return written - {""}


# Methods that register or collect, and calls on what a call returned: told apart from a function called for its effect.
_COLLECTS = frozenset({"register", "update", "append", "add", "extend", "setdefault", "insert", "deprecated", "main", "cli"})


def _is_foreign(ref: str) -> bool:
    top = ref.partition(".")[0]
    if "()" in ref or ref.rpartition(".")[2] in _COLLECTS or top == "__main__":
        return False
    return (
        bool(top)
        and not ref.startswith(".")
        and top not in sys.stdlib_module_names
        and top not in KNOWN_PACKAGES
        and top != "builtins"
    )
