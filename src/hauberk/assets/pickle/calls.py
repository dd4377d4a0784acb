"""What calls do to abstract values: chains are followed to what is reached, strings are computed, nothing is run.

Every call becomes a fact that names what is really called: `partial(f)`, `map(f, ...)` and `getattr(m, 'f')` name `f`.
"""

import re
from collections.abc import Callable
from typing import Final

from hauberk.assets.pickle.machine import Halt, Machine
from hauberk.assets.pickle.nested import nested_arguments, nested_pickle
from hauberk.assets.pickle.text import PURE, method_of
from hauberk.assets.pickle.values import (
    DATA,
    NONE,
    TORCH_BYTES,
    UNSURE,
    Applied,
    Code,
    Method,
    Ref,
    Result,
    Stretch,
    Table,
    Value,
    group_of,
    members_of,
    show,
)
from hauberk.core.asset import Scalar

Args = tuple[Value, ...]
Meaning = Callable[[Machine, Ref, Args, str], Value]
_PLACE: Final = re.compile(r"[/~]|\.{1,2}/|[A-Za-z]:\\|\\\\|[a-z][a-z0-9+]{1,9}://|[\w.-]+(?:/[\w.-]+)+\Z")
_FOLLOWED: Final = 24  # calls inside calls
_ALIASES: Final = {
    "__builtin__": "builtins",
    "_operator": "operator",
    "_functools": "functools",
    "copy_reg": "copyreg",
    "_codecs": "codecs",
    "cloudpickle.cloudpickle_fast": "cloudpickle.cloudpickle",
    "joblib.externals.cloudpickle.cloudpickle": "cloudpickle.cloudpickle",
    "ray.cloudpickle.cloudpickle": "cloudpickle.cloudpickle",
    "dill": "dill._dill",
    "numpy.core.multiarray": "numpy",
    "numpy._core.multiarray": "numpy",
    "sympy.core.compatibility": "functools",
}
_REACHING: Final = frozenset(
    """system popen exec eval execv execve execvp spawn spawnl spawnv fork __import__ import_module subprocess Popen check_output
    check_call getoutput run_path socket create_connection urlopen urlretrieve requests ctypes CDLL pty marshal loads builtins
    __builtins__ __globals__ __subclasses__ __code__ compile rmtree unlink os sys posix""".split()  # noqa: SIM905 - a list of words
)


def call(m: Machine, function: Value, args: Args, how: str) -> Value:
    """What calling `function` gives; reports it."""
    m.depth += 1
    if m.depth > _FOLLOWED:
        m.depth -= 1
        return UNSURE
    try:
        return _call(m, function, args, how)
    finally:
        m.depth -= 1


def _call(m: Machine, function: Value, args: Args, how: str) -> Value:
    if isinstance(function, Ref):
        function.called = True
        if function.path != TORCH_BYTES:
            nested_arguments(m, args)
        meaning = MEANINGS.get(_key(function))
        if meaning is not None:
            return meaning(m, function, args, how)
        return _plain(m, function, args, how)
    if isinstance(function, Applied):
        return _applied(m, function, args, how)
    if isinstance(function, Method):
        return _method(m, function, args)
    if isinstance(function, Code):
        m.fact("pickle.code-called", "a function defined in the stream is called on load", quoted=", ".join(function.names[:12]))
        return UNSURE
    if isinstance(function, Result):
        origin = function.origin
        m.call_fact(origin.module, f"{origin.name}.__call__", "instance", args, capability="unknown")
        return UNSURE
    if function is DATA or function is UNSURE:
        m.call_fact("", "<computed>", how, args, capability="unknown")
        return UNSURE
    raise Halt(f"{show(function)} is called and is not callable")


def new(m: Machine, cls: Value, args: Args) -> Value:
    """`cls.__new__(cls, *args)`."""
    if isinstance(cls, Ref):
        cls.called = True
        nested_arguments(m, args)
        meaning = MEANINGS.get(_key(cls))
        return meaning(m, cls, args, "new") if meaning is not None else _plain(m, cls, args, "new")
    if cls is UNSURE or cls is DATA or isinstance(cls, Result | Code):
        m.call_fact("", "<computed class>", "new", args, capability="unknown")
        return UNSURE
    raise Halt(f"NEWOBJ of {show(cls)}, which is no class")


def _key(ref: Ref) -> str:
    module = _ALIASES.get(ref.module)
    if module is not None:
        return f"{module}.{ref.name}"
    path = ref.path
    for alias in ("__builtin__.", "_operator."):
        if path.startswith(alias):
            return _ALIASES[alias[:-1]] + path[len(alias) - 1 :]
    return path


def _plain(m: Machine, function: Ref, args: Args, how: str) -> Value:
    attrs: dict[str, Scalar] = {"place": True} if how == "call" and any(map(_is_place, args[:8])) else {}
    if m.call_fact(function.module, function.name, how, args, **attrs) and not function.settled and _settles(function):
        function.settled = True
        m.live_version += 1
    return Result(function, args)


def _is_place(arg: Value) -> bool:
    """Whether an argument reads as a path, a URL or the name of a repository."""
    return isinstance(arg, str) and len(arg) < 4096 and _PLACE.match(arg) is not None


def _settles(function: Ref) -> bool:
    """Whether more calls of it say nothing new; what raw arrays hang on never settles."""
    return not function.module.startswith(("joblib", "sklearn.externals", "numpy"))


def _pass_on(m: Machine, function: Value, args: Args, how: str) -> Value:
    """`function` is called by something that was given it."""
    if isinstance(function, Ref | Applied | Method | Code | Result) or function is UNSURE:
        return call(m, function, args, how)
    return UNSURE


# -- reaching attributes


def _getattr(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if len(args) < 2:
        return _plain(m, function, args, how)
    return attribute(m, args[0], args[1], function)


def attribute(m: Machine, owner: Value, name: Value, function: Ref) -> Value:
    """`getattr(owner, name)`; reports what cannot be followed."""
    if not isinstance(name, str):
        m.call_fact(function.module, function.name, "computed", (owner, name), capability="execute")
        return UNSURE
    if isinstance(owner, Ref):
        owner.called = True
        return _reached(m, owner, name)
    if any(part.startswith("__") and part.endswith("__") for part in name.split(".")):
        m.call_fact(function.module, function.name, "dunder", (owner, name), capability="execute")
        return UNSURE
    m.fact("pickle.attribute", f"attribute {name[:80]} of {show(owner)} is looked up", quoted=f"{show(owner)}.{name}")
    return Method(owner, name)


def _reached(m: Machine, owner: Ref, name: str) -> Ref:
    if not owner.name:
        return m.ref(owner.module, name)
    return m.ref(owner.module, f"{owner.name}.{name}"[:4096])


def _import(m: Machine, function: Ref, args: Args, how: str) -> Value:
    name = args[0] if args else UNSURE
    if not isinstance(name, str):
        return _plain(m, function, args, how)
    m.call_fact(function.module, function.name, how, args)
    m.fact("pickle.import", f"module {name[:100]} is imported", quoted=name, module="", name=name[:300], how="import")
    top = name.partition(".")[0] if _key(function) == "builtins.__import__" and len(args) < 4 else name
    return Ref(top, "", m.opcode_at)


def _locate(m: Machine, function: Ref, args: Args, how: str) -> Value:
    """`pydoc.locate('os.system')`: a dotted path to an object."""
    m.call_fact(function.module, function.name, how, args)
    if args and isinstance(args[0], str):
        module, _, name = args[0].replace(":", ".").rpartition(".")
        return m.ref(module, name) if module else Ref(name, "", m.opcode_at)
    return UNSURE


def _by_name(m: Machine, function: Ref, args: Args, how: str) -> Value:
    """`_ufunc_reconstruct(module, name)` and the like: a global by its two names."""
    if len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
        return m.ref(args[0], args[1])
    return _plain(m, function, args, how)


# -- calling what is given


def _partial(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if not args:
        return _plain(m, function, args, how)
    target = args[0]
    if isinstance(target, Ref):
        target.called = True
        m.call_fact(target.module, target.name, "partial", args[1:])
    return Applied("partial", target, args[1:])


def _getter(how_made: str) -> Meaning:
    def make(m: Machine, function: Ref, args: Args, how: str) -> Value:
        del m, how
        return Applied(how_made, function, args)

    return make


def _applied(m: Machine, function: Applied, args: Args, how: str) -> Value:
    if function.how == "partial":
        return _pass_on(m, function.target, (*function.args, *args), how)
    assert isinstance(function.target, Ref)
    if not args or not function.args:
        return UNSURE
    if function.how == "itemgetter":
        return _item(m, function.target, (args[0], function.args[0]), how)
    reached = args[0]
    parts = function.args[0].split(".") if isinstance(function.args[0], str) else [function.args[0]]
    for part in parts[:32]:
        reached = attribute(m, reached, part, function.target)
    return reached if function.how == "attrgetter" else _pass_on(m, reached, function.args[1:], how)


def _each(m: Machine, function: Ref, args: Args, how: str) -> Value:
    """`map(f, items)`: f is called with each."""
    if args and args[0] is not NONE:
        for arg in _first_items(args[1:]):
            _pass_on(m, args[0], arg, "map")
    return DATA if args else _plain(m, function, args, how)


def _first_items(iterables: Args) -> list[Args]:
    if not iterables:
        return [(UNSURE,)]
    lists = [members_of(one) or [UNSURE] for one in iterables]
    rows = [tuple(row) for row in zip(*(one[:4] for one in lists), strict=False)]
    return rows or [(UNSURE,) * len(iterables)]


def _star_each(m: Machine, function: Ref, args: Args, how: str) -> Value:
    del function, how
    for (row,) in _first_items(args[1:2]):
        _pass_on(m, args[0] if args else UNSURE, group_of(row) or (UNSURE,), "starmap")
    return DATA


def _fold(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if len(args) < 2:
        return _plain(m, function, args, how)
    items = [*args[2:3], *(members_of(args[1]) or [UNSURE, UNSURE])][:8]
    value = items[0] if items else UNSURE
    for item in items[1:]:
        value = _pass_on(m, args[0], (value, item), "reduce")
    return value


def _apply(position: int, arguments: int, *, spread: bool = True) -> Meaning:
    """The callable at `position` is called with the argument at `arguments`, spread when it is its argument tuple."""

    def act(m: Machine, function: Ref, args: Args, how: str) -> Value:
        m.call_fact(function.module, function.name, how, args)
        if position >= len(args):
            return Result(function, args)
        given = args[arguments] if arguments < len(args) else ()
        if spread:
            members = members_of(given)
            passed = (UNSURE,) if members is None else tuple(members)
        else:
            passed = (given,)
        target = args[position]
        return _pass_on(m, target, passed, "apply") if isinstance(target, Ref | Applied | Method | Code) else Result(function, args)

    return act


def _apply_rest(m: Machine, function: Ref, args: Args, how: str) -> Value:
    m.call_fact(function.module, function.name, how, args)
    return _pass_on(m, args[0], args[1:], "apply") if args else UNSURE


def _reconstruct(m: Machine, function: Ref, args: Args, how: str) -> Value:
    m.call_fact(function.module, function.name, how, args)
    return new(m, args[0], args[1:]) if args and isinstance(args[0], Ref) else Result(function, args)


def _item(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if len(args) < 2:
        return _plain(m, function, args, how)
    owner, key = args[0], args[1]
    if isinstance(owner, Ref) and isinstance(key, str):
        owner.called = True
        return _entry(m, owner, key)
    if isinstance(owner, Table) and isinstance(key, str):
        return owner.entries.get(key, UNSURE)
    group = group_of(owner)
    if group is not None and isinstance(key, int) and -len(group) <= key < len(group):
        return group[key]
    m.call_fact(function.module, function.name, how, args, capability="unknown" if owner is UNSURE else "data")
    return UNSURE if owner is UNSURE else DATA


def _entry(m: Machine, owner: Ref, key: str) -> Value:
    """An entry of a mapping that is a global: `sys.modules['os']`, `builtins.__dict__['eval']`."""
    if owner.path.endswith("sys.modules"):
        m.call_fact("sys", "modules", "lookup", (key,))
        return Ref(key, "", m.opcode_at)
    return _reached(m, owner, key)


# -- code, classes, extensions, sizes


def _code(m: Machine, function: Ref, args: Args, how: str) -> Value:
    del how
    names = tuple(_strings(args))
    reaches = sorted(set(names) & _REACHING)
    quoted = f"{function.path}: {', '.join(reaches or names[:8])}"
    m.fact("pickle.code-object", "a function is defined by the stream", quoted=quoted, reaches=bool(reaches))
    return Code(names)


def _strings(args: Args) -> list[str]:
    found: list[str] = []
    for arg in args:
        if isinstance(arg, Code):
            found.extend(arg.names)
        for item in (group_of(arg) or ())[:256]:
            if isinstance(item, str):
                found.append(item)
            elif isinstance(item, Code):
                found.extend(item.names)
    return found


def _named_type(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if args and isinstance(args[0], str):
        return m.ref(
            "types" if args[0] in {"CodeType", "FunctionType", "LambdaType", "CellType", "MethodType"} else "builtins", args[0]
        )
    return _plain(m, function, args, how)


def _type(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if len(args) == 1:
        return UNSURE
    m.call_fact(function.module, function.name, how, args, capability="unknown")
    return UNSURE


def _add_extension(m: Machine, function: Ref, args: Args, how: str) -> Value:
    m.call_fact(function.module, function.name, how, args)
    if len(args) >= 3 and isinstance(args[0], str) and isinstance(args[1], str) and isinstance(args[2], int):
        m.extensions[args[2]] = m.ref(args[0], args[1])
    return NONE


def _sized(m: Machine, function: Ref, args: Args, how: str) -> Value:
    if any(isinstance(arg, int) and arg > 1 << 31 for arg in args[:3]):
        m.fact("pickle.huge-allocation", f"{function.path} makes an object of huge size", quoted=f"{function.path}{show(args)}")
    for arg in args[:2]:
        if (
            isinstance(arg, Result)
            and arg.origin.name in {"range", "xrange"}
            and any(isinstance(n, int) and n > 1 << 28 for n in arg.args)
        ):
            quoted = f"{function.path}({arg.origin.name}{show(arg.args)})"
            m.fact("pickle.huge-allocation", f"{function.path} of a huge range", quoted=quoted)
    return _pure(m, function, args, how)


# -- strings


def _torch_bytes(m: Machine, function: Ref, args: Args, how: str) -> Value:
    """A tensor that was pickled plainly: torch.load of a constant, harmless when the constant, looked at as a file, is."""
    data = args[0] if len(args) == 1 else UNSURE
    file = data if isinstance(data, bytes) else (data.start, data.length) if isinstance(data, Stretch) else None
    if file is not None and m.torch_child(file):
        m.call_fact(function.module, function.name, how, args, capability="data")
    else:
        m.call_fact(function.module, function.name, how, args)
    return Result(function, args)


def _pure(m: Machine, function: Ref, args: Args, how: str) -> Value:
    m.call_fact(function.module, function.name, how, args)
    compute = PURE.get(_key(function))
    return _computed(m, compute(args) if compute is not None else None, Result(function, args))


def _computed(m: Machine, value: Value, otherwise: Value) -> Value:
    if value is None:
        return otherwise
    if isinstance(value, bytes):
        nested_pickle(m, value, "a computed value")
    return value


def _method(m: Machine, function: Method, args: Args) -> Value:
    owner = function.owner
    if isinstance(owner, str | bytes):
        compute = method_of(owner, function.attribute)
        return _computed(m, compute(args) if compute is not None else None, UNSURE)
    if isinstance(owner, Result):
        origin = owner.origin
        m.call_fact(origin.module, f"{origin.name}.{function.attribute}", "method", args)
    elif owner is UNSURE or isinstance(owner, Applied | Method | Code):
        m.call_fact("", f"<computed>.{function.attribute}", "method", args, capability="unknown")
    return UNSURE


_CLOUD: Final = "cloudpickle.cloudpickle."
_DILL: Final = "dill._dill."
MEANINGS: dict[str, Meaning] = {
    **dict.fromkeys(
        (
            "builtins.getattr",
            "inspect.getattr_static",
            "builtins.object.__getattribute__",
            "pickle._getattribute",
            _DILL + "_get_attr",
        ),
        _getattr,
    ),
    **dict.fromkeys(
        ("builtins.__import__", "importlib.import_module", "importlib.__import__", _DILL + "_import_module", _CLOUD + "subimport"),
        _import,
    ),
    **dict.fromkeys(("pydoc.locate", "pkgutil.resolve_name"), _locate),
    **dict.fromkeys(("numpy.core._ufunc_reconstruct", "numpy._core._ufunc_reconstruct"), _by_name),
    **dict.fromkeys(("functools.partial", "functools.partialmethod", "torch._utils._rebuild_partial"), _partial),
    **{f"operator.{name}": _getter(name) for name in ("itemgetter", "attrgetter", "methodcaller")},
    **dict.fromkeys(
        ("builtins.map", "builtins.filter", "itertools.filterfalse", "itertools.takewhile", "itertools.dropwhile"), _each
    ),
    "itertools.starmap": _star_each,
    "functools.reduce": _fold,
    "builtins.reduce": _fold,
    "builtins.apply": _apply(0, 1),
    "torch._tensor._rebuild_from_type_v2": _apply(0, 2),
    "torch._tensor._rebuild_from_type": _apply(0, 2),
    "numpy.random._pickle.__generator_ctor": _apply(1, 0, spread=False),
    "numpy.random._pickle.__randomstate_ctor": _apply(1, 0, spread=False),
    "numpy.random._pickle.__bit_generator_ctor": _apply(9, 0),
    _DILL + "_create_type": _apply_rest,
    "copyreg.__newobj__": _reconstruct,
    "copyreg.__newobj_ex__": _reconstruct,
    "copyreg._reconstructor": _reconstruct,
    **dict.fromkeys(
        (
            "pandas.core.indexes.base._new_Index",
            "pandas.core.indexes.datetimes._new_DatetimeIndex",
            "pandas.core.indexes.period._new_PeriodIndex",
        ),
        _reconstruct,
    ),
    **dict.fromkeys(("operator.getitem", "builtins.dict.get", "builtins.dict.__getitem__"), _item),
    **dict.fromkeys(
        (
            "types.CodeType",
            "types.FunctionType",
            "types.LambdaType",
            _DILL + "_create_code",
            _DILL + "_create_function",
            _CLOUD + "_make_function",
            _CLOUD + "_make_skel_func",
            _CLOUD + "_fill_function",
            _CLOUD + "_function_setstate",
        ),
        _code,
    ),
    **dict.fromkeys((_CLOUD + "_builtin_type", _DILL + "_load_type", _DILL + "_get_type"), _named_type),
    "builtins.type": _type,
    TORCH_BYTES: _torch_bytes,
    "copyreg.add_extension": _add_extension,
    **dict.fromkeys(
        ("builtins.list", "builtins.tuple", "builtins.set", "builtins.bytes", "builtins.bytearray", "operator.mul", "operator.pow",
         "operator.lshift", "builtins.pow", "numpy.zeros", "numpy.ones", "numpy.empty", "numpy.full", "numpy.arange"),
        _sized,
    ),
    **{path: _pure for path in PURE if path not in {"builtins.bytes", "builtins.bytearray", "operator.mul"}},
}  # fmt: skip
