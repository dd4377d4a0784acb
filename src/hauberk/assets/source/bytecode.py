"""What a code object's bytecode names: globals, imports and the attributes followed from them, in order of execution.

A linear walk, not an interpreter: it follows `LOAD_GLOBAL os; LOAD_ATTR system`, `__import__("os").system`, imports and
simple assignments. Where the Python version cannot be told, names alone are read.
"""

from collections.abc import Iterator

import msgspec

from hauberk.assets.source.marshal_format import Code, Layout


class Reference(msgspec.Struct, frozen=True):
    """A dotted path the code uses. `how` is "global", "import", "attribute" or "name" (known from the name table only)."""

    path: str
    how: str  # "outside": the bytecode asks for a constant or a name that is not in its tables
    offset: int
    argument: str = ""  # the first text constant loaded after it: often the command


class _Operations(msgspec.Struct, frozen=True):
    """Numbers of the operations we follow, in one family of Python versions."""

    name: frozenset[int]
    global_: int
    attribute: int
    method: int
    import_name: int
    import_from: int
    store_name: frozenset[int]
    load_fast: frozenset[int]
    store_fast: int
    const: frozenset[int]
    call: frozenset[int]
    quiet: frozenset[int]  # between a path and what follows it
    extended: int
    global_shift: int = 0
    attribute_shift: int = 0
    word: bool = True


def _f(*values: int) -> frozenset[int]:
    return frozenset(values)


_PY2 = _Operations(
    name=_f(101), method=-1, store_name=_f(90, 97), load_fast=_f(124), const=_f(100), call=_f(131, 140, 141, 142),
    quiet=_f(9), extended=145, word=False, global_=116, attribute=106, import_name=108, import_from=109, store_fast=125,
)  # fmt: skip
_PY35 = msgspec.structs.replace(_PY2, extended=144)
_PY36 = _Operations(
    name=_f(101), method=160, store_name=_f(90, 97), load_fast=_f(124), const=_f(100), call=_f(131, 141, 142, 161),
    quiet=_f(9), extended=144, global_=116, attribute=106, import_name=108, import_from=109, store_fast=125,
)  # fmt: skip
_PY311 = msgspec.structs.replace(_PY36, call=_f(142, 171), quiet=_f(0, 2, 9, 166, 172, 151), global_shift=1)
_PY312 = msgspec.structs.replace(_PY311, method=-1, attribute_shift=1, load_fast=_f(124, 127))
_PY313 = _Operations(
    name=_f(92), global_=91, attribute=82, method=-1, import_name=75, import_from=74, store_name=_f(114, 113), load_fast=_f(85, 87),
    store_fast=110, const=_f(83), call=_f(53, 54, 57), quiet=_f(0, 30, 34, 149), extended=71, global_shift=1, attribute_shift=1,
)  # fmt: skip


def _family(code: Code) -> _Operations | None:
    """The operations of the Python that made `code`, as far as its layout and its bytecode tell."""
    data = code.bytecode
    if code.layout is Layout.PY2:
        return _PY2
    if code.layout is Layout.PY38:
        return _PY36
    if code.layout is Layout.PY30:
        return _PY36 if len(data) % 2 == 0 and data[-2:-1] == b"S" else _PY35
    units = data[::2]
    start = units[:64]  # RESUME comes first but for the setting up of cells; 149 is one of those before 3.13
    if 151 in start:
        return _PY312 if _is_312(units) else _PY311
    return _PY313 if 149 in start else None


def _is_312(units: bytes) -> bool:
    """3.11 keeps five cache units behind LOAD_GLOBAL and four behind LOAD_ATTR, 3.12 four and nine."""
    for position, unit in enumerate(units):
        caches = len(units[position + 1 : position + 12]) - len(units[position + 1 : position + 12].lstrip(b"\x00"))
        if unit == 116:
            return caches < 5
        if unit == 106:
            return caches >= 9
        if unit == 166:
            return False
    return True


def _instructions(data: bytes, operations: _Operations) -> Iterator[tuple[int, int, int]]:
    position, extended, size = 0, 0, len(data)
    while position < size:
        operation, start = data[position], position
        if operations.word:
            argument = data[position + 1] if position + 1 < size else 0
            position += 2
            width = 8
        else:
            argument = 0
            if operation >= 90:
                argument = int.from_bytes(data[position + 1 : position + 3], "little")
                position += 2
            position += 1
            width = 16
        argument |= extended
        extended = (argument << width) & 0xFFFFFFFF if operation == operations.extended else 0
        if operation != operations.extended:
            yield start, operation, argument


class Walker:
    """Walks code objects in turn, module first, so that what the module imports is known in its functions."""

    def __init__(self) -> None:
        self.globals: dict[str, str] = {}

    def references(self, code: Code) -> Iterator[Reference]:
        """The paths `code` uses."""
        operations = _family(code)
        if operations is None:
            yield from names_only(code)
        else:
            yield from _Walk(code, operations, self.globals).run()


class _Walk:
    def __init__(self, code: Code, operations: _Operations, shared: dict[str, str]) -> None:
        self.code = code
        self.operations = operations
        self.shared = shared
        self.fast: dict[int, str] = {}
        self.path = ""
        self.how = ""
        self.start = 0
        self.argument = ""
        self.imported = False  # the path is __import__ or import_module, and a text constant followed

    def run(self) -> Iterator[Reference]:
        for offset, operation, argument in _instructions(self.code.bytecode, self.operations):
            if operation not in self.operations.quiet:
                yield from self._step(offset, operation, argument)
        yield from self._close()

    def _step(self, offset: int, operation: int, argument: int) -> Iterator[Reference]:
        ops = self.operations
        if operation == ops.global_ or operation in ops.name:
            shift = ops.global_shift if operation == ops.global_ else 0
            name = self._name(argument >> shift)
            yield from self._open(self.shared.get(name, name), "global", offset)
        elif operation == ops.import_name:
            yield from self._open(self._name(argument), "import", offset)
        elif operation in {ops.attribute, ops.method, ops.import_from}:
            yield from self._follow(operation, argument, offset)
        elif operation in ops.load_fast:
            yield from self._open(self.fast.get(argument, ""), "global", offset)
        elif operation == ops.store_fast:
            self.fast[argument] = self.path
            yield from self._close()
        elif operation in ops.store_name:
            self._bind(self._name(argument))
            yield from self._close()
        elif operation in ops.const:
            if argument >= len(self.code.constants):
                yield Reference("", "outside", offset)
            self._constant(argument)
        elif operation in ops.call and self.path in _IMPORTERS and self.argument:
            imported = self.argument
            yield from self._close()
            self.path, self.how, self.start = imported, "import", offset
        elif operation in ops.call:
            yield from self._close()

    def _follow(self, operation: int, argument: int, offset: int) -> Iterator[Reference]:
        shift = self.operations.attribute_shift if operation == self.operations.attribute else 0
        name = self._name(argument >> shift)
        if self.path:
            self.path = f"{self.path}.{name}"[:300]
        else:
            yield Reference(f"?.{name}", "attribute", offset)

    def _open(self, path: str, how: str, offset: int) -> Iterator[Reference]:
        yield from self._close()
        self.path, self.how, self.start = path, how, offset

    def _close(self) -> Iterator[Reference]:
        if self.path:
            yield Reference(self.path, self.how, self.start, self.argument)
        self.path = self.argument = ""

    def _bind(self, name: str) -> None:
        if self.path and name:
            self.shared[name] = self.path

    def _constant(self, index: int) -> None:
        constants = self.code.constants
        value = constants[index] if index < len(constants) else None
        if isinstance(value, str | bytes) and not self.argument:
            self.argument = (value if isinstance(value, str) else value.decode("latin-1"))[:200]

    def _name(self, index: int) -> str:
        return self.code.names[index] if index < len(self.code.names) else "?"


_IMPORTERS = frozenset({"__import__", "importlib.import_module", "import_module", "importlib.__import__", "builtins.__import__"})
_MODULES = frozenset(
    [
        "os",
        "sys",
        "subprocess",
        "posix",
        "nt",
        "shutil",
        "socket",
        "ctypes",
        "importlib",
        "pickle",
        "marshal",
        "runpy",
        "pty",
        "builtins",
        "urllib",
        "requests",
        "http",
        "platform",
        "webbrowser",
        "code",
        "codeop",
        "multiprocessing",
        "asyncio",
        "tempfile",
        "pathlib",
        "base64",
        "zlib",
    ]
)


def names_only(code: Code) -> Iterator[Reference]:
    """Every path the name table allows: each name alone, and each other name below each module that is named."""
    texts = tuple(item for item in code.constants if isinstance(item, str) and item.isidentifier())
    roots = [name for name in (*code.names, *texts) if name in _MODULES][:20]
    for name in code.names[:2_000]:
        yield Reference(name, "name", 0)
        for root in roots:
            if root != name:
                yield Reference(f"{root}.{name}", "name", 0)
