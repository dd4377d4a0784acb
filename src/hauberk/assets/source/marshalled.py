"""Marshalled Python: .pyc files and bare marshal streams. Code objects are disassembled for what they name, never run."""

import builtins
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.source.bytecode import Reference, Walker
from hauberk.assets.source.marshal_format import Code, Layout, MarshalReader
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

_SAFE_BUILTINS = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "bytes",
        "bytearray",
        "callable",
        "chr",
        "classmethod",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "format",
        "frozenset",
        "hash",
        "hex",
        "id",
        "int",
        "isinstance",
        "issubclass",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "memoryview",
        "min",
        "next",
        "object",
        "oct",
        "ord",
        "pow",
        "print",
        "property",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "staticmethod",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
        "NotImplemented",
        "Ellipsis",
    ]
)
_BUILTINS = frozenset(dir(builtins)) | {"unicode", "execfile", "reload", "raw_input", "file", "__builtins__"}
# Attributes through which any object leads to the interpreter's own.
_ESCAPES = frozenset(
    [
        "__subclasses__",
        "__globals__",
        "__builtins__",
        "__mro__",
        "__bases__",
        "__base__",
        "__code__",
        "__getattribute__",
        "__loader__",
        "func_globals",
        "func_code",
        "gi_frame",
        "gi_code",
        "cr_frame",
        "f_globals",
        "f_builtins",
        "f_back",
        "f_locals",
        "tb_frame",
        "__reduce__",
        "__reduce_ex__",
        "__closure__",
        "__spec__",
    ]
)
_NUMERIC = frozenset(
    [
        "tf",
        "tensorflow",
        "keras",
        "K",
        "backend",
        "np",
        "numpy",
        "jnp",
        "jax",
        "torch",
        "math",
        "layers",
        "ops",
        "F",
        "tfa",
        "tfp",
        "sp",
        "scipy",
        "cmath",
        "operator",
        "activations",
    ]
)
_REACHES_OUT = re.compile(
    r"(?i)(^|\.)(io|gfile|py_func\w*|numpy_func\w*|load\w*|save\w*|savez\w*|read\w*|write\w*|raw_ops|data|from_?file|to_?file|fromregex"
    r"|memmap|hub|get_file|utils|saving|config|ctypeslib|f2py|distutils|testing|compat|python|os|sys|subprocess|system|popen|eval|exec"
    r"|open|import\w*|genfromtxt|DataSource|pickle|attrgetter|methodcaller|__\w+__|_\w+)(\.|$)"
)
_MAX_REFERENCES = 2_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a .pyc file or a marshal stream."""
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"marshal data of {asset.content.size >> 20} MiB")
    start, layouts = pyc_layout(asset.content.read(0, 16))
    container = "pyc" if start else "marshal"
    reader = _read(asset, start, layouts or tuple(Layout), budget)
    left = reader.cursor.remaining
    if left:
        yield Fact(
            "bytecode.trailing", f"{left} bytes after the marshalled value", offset=reader.cursor.offset, attrs={"size": left}
        )
    walker = Walker()
    for code in reversed(reader.codes):
        yield _described(code, container)
    seen: set[tuple[str, str]] = set()
    for code in reversed(reader.codes):  # the outermost is read to its end last
        for reference in walker.references(code):
            budget.tick()
            if (reference.path, reference.how) in seen or reference.path in _safe(reference):
                continue
            if len(seen) >= _MAX_REFERENCES:
                yield Gap(asset.uri, GapReason.TOO_LARGE, f"more than {_MAX_REFERENCES} names in code", kind=asset.kind)
                return
            seen.add((reference.path, reference.how))
            yield from _referred(reference, code, container)


def _read(asset: Asset, start: int, layouts: tuple[Layout, ...], budget: Budget) -> MarshalReader:
    """The first layout in which every code object can be followed. Raises ReadError of the one that came furthest."""
    furthest, failure = -1, ReadError(GapReason.MALFORMED, "no marshal data")
    for layout in layouts:
        assert asset.content is not None
        reader = MarshalReader(Cursor(asset.content, start), layout, budget)
        try:
            reader.value()
        except ReadError as error:
            if error.reason is GapReason.TIMEOUT:
                raise
            if reader.cursor.offset > furthest:
                furthest, failure = reader.cursor.offset, error
        else:
            return reader
    raise failure


def pyc_layout(head: bytes) -> tuple[int, tuple[Layout, ...]]:
    """Where the marshal data of a .pyc starts and how its code is laid out; (0, ()) for anything else."""
    if len(head) < 12 or head[2:4] != b"\r\n":
        return 0, ()
    magic = int.from_bytes(head[:2], "little")
    if 62000 <= magic <= 62300:
        return 8, (Layout.PY2,)
    for low, high, start, layout in (
        (3000, 3189, 8, Layout.PY30), (3190, 3389, 12, Layout.PY30), (3390, 3399, 16, Layout.PY30),
        (3400, 3449, 16, Layout.PY38), (3450, 3999, 16, Layout.PY311),
    ):  # fmt: skip
        if low <= magic <= high:
            return start, (layout, *(other for other in Layout if other is not layout))
    return 0, ()


def _described(code: Code, container: str) -> Fact:
    texts = [quote(item, 40) for item in code.constants if isinstance(item, str)][:8]
    listing = f"{code.name}: names {', '.join(code.names[:24]) or 'nothing'}; texts {texts}"
    attrs: dict[str, Scalar] = {"container": container, "size": len(code.bytecode)}
    return Fact(
        "bytecode.code", "a Python code object", offset=code.offset, where=quote(code.name), quote=quote(listing, 300), attrs=attrs
    )


def _safe(reference: Reference) -> frozenset[str]:
    return _SAFE_BUILTINS if reference.how != "import" else frozenset()


def _referred(reference: Reference, code: Code, container: str) -> Iterator[Fact]:
    path = reference.path
    if reference.how == "outside":
        where = quote(f"{code.name}+{reference.offset}")
        note = "the bytecode asks for a constant that is not in its table"
        yield Fact("bytecode.outside", note, offset=code.offset, where=where, quote=where, attrs={"container": container})
        return
    first, _, rest = path.partition(".")
    last = path.rpartition(".")[2]
    where = quote(f"{code.name}+{reference.offset}")
    shown = f"{path}({quote(reference.argument, 80)!r})" if reference.argument else path
    attrs: dict[str, Scalar] = {"how": reference.how, "container": container}
    if last in _ESCAPES:
        note = f"the code takes the attribute {last}"
        yield Fact("bytecode.escape", note, offset=code.offset, where=where, quote=quote(shown), attrs={**attrs, "name": last})
    if first in {"?", ""}:
        return
    attrs |= _named(path, first, rest, imported=reference.how == "import")
    note = f"the code uses {quote(path, 80)}"
    yield Fact("bytecode.reference", note, offset=code.offset, where=where, quote=quote(shown), attrs=attrs)


def _named(path: str, first: str, rest: str, *, imported: bool) -> dict[str, Scalar]:
    """Module, name, and the capability where the name alone settles it."""
    if first in _BUILTINS and not imported:
        harmless = _is_exception(first) and not rest
        return {"module": "builtins", "name": path, **({"capability": "data"} if harmless else {})}
    found: dict[str, Scalar] = {"module": path, "name": "*"} if imported and not rest else {"module": "", "name": path}
    if first in _NUMERIC and not _REACHES_OUT.search(rest):
        found["capability"] = "data"
    return found


def _is_exception(name: str) -> bool:
    return name.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt", "Iteration", "Group")) and name[:1].isupper()
