"""The pickle machine: what real picklers write is data, what exploits write is found, nothing else escapes."""

import base64
import bz2
import collections
import contextlib
import datetime as dt
import decimal
import functools
import operator
import pickle
import random
import struct
import uuid
import zlib
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.pickle import machine as pickle_machine
from hauberk.assets.pickle.stream import read
from hauberk.assets.pickle.trial import looks_like_pickle
from hauberk.core import Admission, Asset, Fact, Finding, Gap
from hauberk.detect import Bench
from hauberk.detect.capability import Capability, classify
from hauberk.policy import DEFAULT_POLICY, decide
from hauberk.rules import load_pack
from hauberk.scan.inspect import Inspection

BENCH = Bench([rule for rule in load_pack().rules if rule.engine in {"call", "fact"}])


def items_of(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="x.pkl", name="x.pkl", content=BytesContent(data)), Budget()))


def facts_of(data: bytes) -> list[Fact]:
    return [item for item in items_of(data) if isinstance(item, Fact)]


def calls(data: bytes) -> set[str]:
    return {f"{f.attrs['module']}.{f.attrs['name']}" for f in facts_of(data) if f.check == "pickle.call"}


def verdict(data: bytes) -> str:
    asset = Asset(uri="x.pkl", name="x.pkl", content=BytesContent(data))
    found = list(Inspection(BENCH, Budget()).run(asset))
    findings = [item for item in found if isinstance(item, Finding)]
    return str(decide(DEFAULT_POLICY, findings, [item for item in found if isinstance(item, Gap)]).admission)


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def glob(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def stack_global(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def reduce(function: bytes, *args: bytes) -> bytes:
    return function + b"(" + b"".join(args) + b"tR"


SYSTEM = reduce(glob("os", "system"), text("id"))


# -- what is data


class Colour:
    pass


DATA = [
    {"a": [1, 2.5, None, True, "x" * 300, b"raw", 1 << 70, -5]},
    collections.OrderedDict(a=1),
    collections.Counter("hello"),
    collections.defaultdict(list, {1: [2]}),
    collections.deque([1, 2], 3),
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    decimal.Decimal("1.5"),
    uuid.UUID(int=5),
    PurePosixPath("/a/b"),
    complex(1, 2),
    {1, 2},
    frozenset("abc"),
    bytearray(b"abc"),
    range(10),
    slice(1, 2),
    ValueError("x"),
    functools.partial(int, base=2),
    operator.itemgetter("k"),
    np.arange(6.0).reshape(2, 3),
    np.float32(1.5),
    np.array(["a", None], dtype=object),
    np.zeros(3, dtype=[("a", "<f4"), ("b", "O")]),
    np.random.RandomState(1),
    np.random.default_rng(1),
    np.datetime64("2026-01-01"),
    np.ma.masked_array([1, 2], mask=[0, 1]),
    np.log1p,
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", DATA, ids=lambda value: type(value).__name__)
def test_data_is_admitted(value: object, protocol: int) -> None:
    assert verdict(pickle.dumps(value, protocol)) == "admit"


# -- every way to make a call


@pytest.mark.parametrize(
    "data",
    [
        SYSTEM + b".",
        b"\x80\x04" + reduce(stack_global("os", "system"), text("id")) + b".",
        b"(" + text("id") + b"ios\nsystem\n.",
        b"(" + glob("os", "system") + text("id") + b"o.",
        b"(" + glob("os", "system") + text("id") + b"o0N.",
        glob("builtins", "map") + b"(" + glob("os", "system") + b"]" + text("id") + b"at\x81.",
        b"\x80\x04" + glob("builtins", "map") + b"(" + glob("os", "system") + b"]" + text("id") + b"at}\x92.",
        b"\x80\x04" + b"VosP\n0" + b"V\\u006f\\u0073\nVsystem\n\x93" + text("id") + b"\x85R.",
        b"S'\\x6fs'\nS'system'\n\x93(S'id'\ntR.",
        b"\x80\x04\x8d\x02\0\0\0\0\0\0\0os\x8d\x06\0\0\0\0\0\0\0system\x93" + text("id") + b"\x85R.",
    ],
)
def test_call(data: bytes) -> None:
    assert calls(data) & {"os.system"}
    assert verdict(data) == "block"


def getattr_(owner: bytes, name: str) -> bytes:
    return reduce(glob("builtins", "getattr"), owner, text(name))


@pytest.mark.parametrize(
    ("data", "reached"),
    [
        (reduce(getattr_(reduce(glob("builtins", "__import__"), text("os")), "system"), text("id")), "os.system"),
        (reduce(getattr_(reduce(glob("importlib", "import_module"), text("os")), "system"), text("id")), "os.system"),
        (reduce(reduce(glob("functools", "partial"), glob("os", "system"), text("id"))), "os.system"),
        (reduce(glob("functools", "reduce"), glob("builtins", "getattr"), b"(" + glob("enum", "sys") + text("modules") + b"t"), ""),
        (
            reduce(reduce(reduce(glob("_operator", "attrgetter"), text("system")), glob("numpy", "os")), text("id")),
            "numpy.os.system",
        ),
        (reduce(reduce(glob("operator", "methodcaller"), text("system"), text("id")), glob("pathlib", "os")), "pathlib.os.system"),
        (reduce(glob("__builtin__", "apply"), glob("os", "system"), b"(" + text("id") + b"t"), "os.system"),
        (reduce(getattr_(reduce(glob("sys", "modules.get"), text("os")), "system"), text("id")), "sys.modules.get"),
        (
            reduce(glob("torch._tensor", "_rebuild_from_type_v2"), glob("os", "system"), b"N", b"(" + text("id") + b"t", b"N"),
            "os.system",
        ),
        (reduce(glob("numpy.random._pickle", "__randomstate_ctor"), text("id"), glob("os", "system")), "os.system"),
        (reduce(reduce(glob("numpy._core", "_ufunc_reconstruct"), text("os"), text("system")), text("id")), "os.system"),
        (reduce(reduce(glob("pydoc", "locate"), text("os.system")), text("id")), "os.system"),
        (reduce(glob("pandas.core.indexes.base", "_new_Index"), glob("subprocess", "Popen"), b"}"), "subprocess.Popen"),
    ],
)
def test_chain_is_followed(data: bytes, reached: str) -> None:
    assert not reached or reached in calls(b"\x80\x04" + data + b".")
    assert verdict(b"\x80\x04" + data + b".") == "block"


@pytest.mark.parametrize(
    "module",
    [
        reduce(getattr_(text(""), "join"), b"]" + text("o") + b"a" + text("s") + b"a"),
        reduce(glob("operator", "add"), text("o"), text("s")),
        reduce(glob("_codecs", "encode"), text("bf"), text("rot13")),
        reduce(glob("codecs", "decode"), b"C\x02os", text("ascii")),
        reduce(glob("builtins", "str"), text("os")),
    ],
)
def test_computed_name_is_resolved(module: bytes) -> None:
    data = b"\x80\x04" + reduce(module + text("system") + b"\x93", text("id")) + b"."
    assert "os.system" in calls(data)


def test_name_from_an_unknown_call_is_told() -> None:
    data = b"\x80\x04" + reduce(reduce(glob("acme", "name")) + text("system") + b"\x93", text("id")) + b"."
    assert verdict(data) == "block"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch", "serialization.os.system"),
        ("enum", "sys.modules.get"),
        ("random", "_os.system"),
        ("sklearn.utils", "_joblib.parallel.os.system"),
        ("numpy", "ndarray.__class__.__subclasses__"),
        ("sklearn.svm", "Popen"),
    ],
)
def test_an_allowed_package_covers_no_reexport(module: str, name: str) -> None:
    assert classify(module, name) == Capability.EXECUTE


# -- published bypasses, by what they did


@pytest.mark.parametrize(
    ("module", "name"),
    [
        pytest.param("pip", "main", id="CVE-2025-1716"),
        pytest.param("pip._internal.cli.main", "main", id="CVE-2025-1716-internal"),
        pytest.param("timeit", "timeit", id="timeit"),
        pytest.param("bdb", "Bdb.run", id="CVE-2025-10157-submodule"),
        pytest.param("asyncio.unix_events", "_UnixSubprocessTransport._start", id="GHSA-q77w-mwjj-7mqx"),
        pytest.param("lib2to3.pgen2.pgen", "ParserGenerator.make_label", id="GHSA-p9w7-82w4-7q8m"),
        pytest.param("idlelib.calltip", "get_entity", id="GHSA-9xph-j2h6-g47v"),
        pytest.param("profile", "Profile.runctx", id="GHSA-6vqj"),
        pytest.param("trace", "Trace.run", id="GHSA-5qwp-399c-mjwf"),
        pytest.param("torch.utils.collect_env", "run_and_read_all", id="GHSA-jhph-76pp-mggw"),
        pytest.param("torch.utils.bottleneck.__main__", "run_autograd_prof", id="GHSA-4whj-rm5r-c2v8"),
        pytest.param("torch._dynamo.guards", "GuardBuilder.get", id="GHSA-86cj"),
        pytest.param("torch.jit.unsupported_tensor_ops", "execWrapper", id="GHSA-vr7h"),
        pytest.param("torch.utils.data.datapipes.utils.decoder", "basichandlers", id="GHSA-h3qp-7fh3-f8h4"),
        pytest.param("numpy.f2py.crackfortran", "getlincoef", id="GHSA-r8g5-cgf2-4m4m"),
        pytest.param("cProfile", "runctx", id="GHSA-9w88-8rmg-7g2p"),
        pytest.param("doctest", "debug_script", id="GHSA-fqq6-7vqf-w3fg"),
        pytest.param("imaplib", "IMAP4_stream", id="GHSA-g38g-8gr9-h9xp"),
        pytest.param("uuid", "_get_command_stdout", id="GHSA-g38g-uuid"),
        pytest.param("_osx_support", "_read_output", id="GHSA-g38g-osx-support"),
        pytest.param("_pyrepl.pager", "pipe_pager", id="GHSA-g38g-pyrepl"),
        pytest.param("distutils.file_util", "write_file", id="GHSA-m273-6v24-x4m4"),
        pytest.param("ctypes", "PyDLL", id="GHSA-4675-36f9-wf6r"),
        pytest.param("runpy", "run_path", id="GHSA-wfq2-52f7-7qvj"),
        pytest.param("pydoc", "locate", id="GHSA-5hvc"),
        pytest.param("marshal", "loads", id="fickling-marshal"),
        pytest.param("cProfile", "run", id="GHSA-49gj-c84q-6qm9"),
        pytest.param("ssl", "get_server_certificate", id="picklescan-dns-exfiltration"),
        pytest.param("operator", "methodcaller", id="fickling-operator-methodcaller"),
    ],
)
def test_published_gadget(module: str, name: str) -> None:
    data = b"\x80\x04" + reduce(stack_global(module, name), text("id")) + b"."
    if (module, name) == ("operator", "methodcaller"):
        data = b"\x80\x04" + reduce(reduce(stack_global(module, name), text("system"), text("id")), glob("os", "")) + b"."
    assert verdict(data) in {"block", "hold"}
    assert classify(module, name) not in {Capability.DATA, Capability.UNKNOWN}


def test_cve_2025_1889_payload_under_any_file_name() -> None:
    assert looks_like_pickle(BytesContent(SYSTEM + b"."), SYSTEM + b".")


def test_cve_2025_10155_wrong_suffix_is_no_matter() -> None:
    asset = Asset(uri="x.bin", name="x.bin", content=BytesContent(b"\x80\x02" + SYSTEM + b"."))
    assert any(isinstance(item, Finding) for item in Inspection(BENCH, Budget()).run(asset))


@pytest.mark.parametrize(
    "tail",
    [b"", b"X\xff\xff\xff\x00abc", b"h\x63.", b"\xff", b"\x86\x86\x86", b"c\xff\xfe\nx\n.", b"S'\xc3\xa9'\n."],
)
def test_payload_before_a_broken_tail_is_found(tail: bytes) -> None:
    assert verdict(b"\x80\x02" + SYSTEM + tail) == "block"


def test_second_stream_behind_padding_is_followed() -> None:
    assert verdict(pickle.dumps([1, 2]) + b"\0" * 64 + b"\x80\x02" + SYSTEM + b".") == "block"


def test_payload_behind_garbage_is_found() -> None:
    assert verdict(pickle.dumps([1, 2]) + b"\xde\xad" * 9 + b"\x80\x02" + SYSTEM + b".") == "block"


@pytest.mark.parametrize("wrap", [bytes, zlib.compress, bz2.compress, base64.b64encode])
def test_nested_pickle_is_opened(wrap: object) -> None:
    inner = b"\x80\x02" + SYSTEM + b"."
    packed = wrap(inner)  # type: ignore[operator]
    opener = {zlib.compress: ("zlib", "decompress"), bz2.compress: ("bz2", "decompress"), base64.b64encode: ("base64", "b64decode")}
    constant = b"B" + struct.pack("<I", len(packed)) + packed
    if wrap in opener:
        constant = reduce(glob(*opener[wrap]), constant)
    items = items_of(b"\x80\x04" + reduce(glob("pickle", "loads"), constant) + b".")
    assert any(isinstance(item, Asset) and item.format == "pickle" for item in items)


def test_attributes_of_a_global_are_not_written_unseen() -> None:
    data = b"\x80\x04" + glob("collections", "OrderedDict") + b"}" + text("a") + text("b") + b"sb."
    assert verdict(data) == "block"


def test_a_hook_is_not_installed_unseen() -> None:
    state = b"}" + text("__setstate__") + glob("os", "system") + b"s"
    data = b"\x80\x04" + glob("collections", "OrderedDict") + b")R" + state + b"b" + text("id") + b"b."
    assert verdict(data) == "block"


def test_sys_modules_is_not_changed_unseen() -> None:
    assert verdict(b"\x80\x04" + glob("sys", "modules") + text("re") + text("x") + b"s.") == "block"


def test_extension_registered_and_used() -> None:
    data = reduce(glob("copyreg", "add_extension"), text("os"), text("system"), b"K\x07") + b"0\x82\x07" + text("id") + b"\x85R."
    assert "os.system" in calls(b"\x80\x02" + data)


def test_unknown_extension_holds() -> None:
    assert verdict(b"\x80\x02\x82\x09)R.") == "hold"


def test_unknown_class_holds() -> None:
    assert verdict(b"\x80\x02" + glob("acme.net", "Net") + b")\x81}" + text("w") + b"K\x01sb.") == "hold"


def test_own_code_called_blocks_and_uncalled_holds() -> None:
    code = reduce(glob("types", "FunctionType"), reduce(glob("types", "CodeType"), text("f")), b"}")
    assert verdict(b"\x80\x02" + code + b".") == "hold"
    assert verdict(b"\x80\x02" + reduce(code) + b".") == "block"


# -- resources


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 36) + b".",
        b"\x80\x02Nr\xff\xff\xff\xff.",
        b"\x80\x02" + reduce(glob("builtins", "list"), reduce(glob("builtins", "range"), b"\x8a\x06\0\0\0\0\0\x01")) + b".",
        b"\x80\x02]q\0" + b"".join(b"]q" + bytes([n]) + b"(" + (b"h" + bytes([n - 1])) * 10 + b"e" for n in range(1, 12)) + b".",
        b"\x80\x02" + b"]" * 20_000 + b"a" * 19_999 + b".",
    ],
    ids=["bytes8", "bytearray8", "memo", "range", "laughs", "deep"],
)
def test_exhaustion_is_told(data: bytes) -> None:
    found = facts_of(data)
    wanted = {"pickle.huge-argument", "pickle.memo-far", "pickle.huge-allocation", "pickle.expansion", "pickle.deep-nesting"}
    assert wanted & {fact.check for fact in found}


def test_opcode_count_is_no_way_out() -> None:
    noise = b"(" + b"K\x01" * 300_000 + b"t0"
    assert verdict(b"\x80\x02" + noise + SYSTEM + b".") == "block"


# -- long runs: the same as one opcode at a time


def long_objects(protocol: int) -> bytes:
    rng = random.Random(5)
    value = [
        {
            "id": n,
            "name": f"n{n}",
            "when": dt.timedelta(n),
            "pair": (n, -n),
            "x": rng.random(),
            "c": collections.OrderedDict(a=n),
        }
        for n in range(3000)
    ]
    return pickle.dumps([value, Colour, collections.Counter, decimal.Decimal(3)], protocol)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_runs_change_nothing(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = long_objects(protocol)
    with_runs = facts_of(data)
    monkeypatch.setattr(pickle_machine, "SMALLEST", 1 << 60)
    stepwise = facts_of(data)
    assert {(f.check, f.quote.split("(")[0]) for f in with_runs} == {(f.check, f.quote.split("(")[0]) for f in stepwise}


PAYLOADS = [
    stack_global("os", "system") + text("id") + b"\x85R",
    b"(" + text("os") + text("system") + b"K\x01K\x0200\x93" + text("id") + b"\x85R1",
    text("os") + b"\x94" + text("system") + b"\x94\x93" + text("id") + b"\x85R0",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("noise", [b"K\x01", b"K\x94", b"]\x94K\x01a", b"(K\x01K\x02t\x94", b"G" + b"\x94" * 8])
@pytest.mark.parametrize("opened", [b"", b"(", b"((", b"(]("])
def test_payload_in_a_long_run_is_found(payload: bytes, noise: bytes, opened: bytes) -> None:
    data = b"\x80\x04" + opened + noise * 30_000 + payload + noise * 100 + b"."
    assert "os.system" in calls(data)


def test_name_memoised_inside_a_run_is_found() -> None:
    count = 20_000
    names = text("os") + b"\x94" + text("system") + b"\x94"
    memo = struct.pack("<I", count), struct.pack("<I", count + 1)
    data = (
        b"\x80\x04("
        + b"]\x94" * count
        + names
        + b"]\x94" * count
        + b"j"
        + memo[0]
        + b"j"
        + memo[1]
        + b"\x93"
        + text("id")
        + b"\x85R."
    )
    assert "os.system" in calls(data)


# -- recognition


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [{"a": 1}, [1, 2, 3], ("x",), {"k": [None, True]}, "text", 5], ids=repr)
def test_pickles_are_recognised(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert looks_like_pickle(BytesContent(data), data[:4096])


@pytest.mark.parametrize(
    "data",
    [
        b"# A model\n\nIt does things.\n",
        b"import os\nprint('x')\n",
        b"class A:\n    pass\n",
        b"cat\ndog\nbird\n",
        b"(c) 2026 The authors\n",
        b"In the beginning\n",
        b"}\n",
        b"[]",
        b"]\n",
        b"None\n",
        b"V8 engine\nS'x\n",
        b"I am\n",
        b"PK\x03\x04rest of a zip",
        b"L'etat\n",
        b"",
    ],
)
def test_text_is_not_recognised(data: bytes) -> None:
    assert not looks_like_pickle(BytesContent(data), data)


def test_random_bytes_are_not_recognised() -> None:
    rng = random.Random(3)
    taken = sum(looks_like_pickle(BytesContent(data), data) for data in (rng.randbytes(512) for _ in range(3000)))
    assert taken <= 3


# -- whatever comes


VALID = [pickle.dumps(value, protocol) for value in DATA[:12] for protocol in (0, 2, 4)] + [SYSTEM + b".", long_objects(4)[:9000]]


@settings(max_examples=250, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_raise_only_read_errors(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items_of(data)) < 2000


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(VALID), st.lists(st.tuples(st.integers(0, 8999), st.integers(0, 255)), max_size=12))
def test_mutations_raise_only_read_errors(data: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(data)
    for place, value in changes:
        changed[place % len(changed)] = value
    with contextlib.suppress(ReadError):
        assert len(items_of(bytes(changed))) < 2000


OPCODES = [bytes([code]) for code in range(256)] + [
    glob("os", "system"),
    glob("builtins", "getattr"),
    text("a"),
    b"K\x01",
    b"(",
    b")",
    b"}",
    b"h\0",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(OPCODES), max_size=120))
def test_opcode_soup_raises_only_read_errors(parts: list[bytes]) -> None:
    with contextlib.suppress(ReadError):
        assert len(items_of(b"\x80\x04" + b"".join(parts))) < 2000


def _tensor_of(data: bytes) -> bytes:
    """A pickle that calls torch.storage._load_from_bytes on `data`, as pickle.dumps(tensor) does."""
    return b"\x80\x04\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93B" + struct.pack("<I", len(data)) + data + b"\x85R."


LEGACY = b"".join(  # what torch.save writes of an empty dict in the legacy format
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02M\xe9\x03.", b"\x80\x02}.", b"\x80\x02}.", b"\x80\x02].")
)


def test_a_plainly_pickled_tensor_is_judged_by_its_bytes() -> None:
    assert _verdict(_tensor_of(LEGACY)) == Admission.ADMIT


def test_code_in_a_plainly_pickled_tensor() -> None:
    """The bytes of a tensor are a file of its own: what it runs counts, whether it is held in memory or left in the file."""
    evil = LEGACY.replace(b"\x80\x02}.", b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.", 1)
    assert _verdict(_tensor_of(evil)) == Admission.BLOCK
    assert _verdict(_tensor_of(evil + b"\0" * (1 << 21))) == Admission.BLOCK


def test_a_tensor_of_computed_bytes_is_unpickled_again() -> None:
    assert (
        _verdict(b"\x80\x04\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93\x8c\x04acme\x8c\x01f\x93)R\x85R.") == Admission.BLOCK
    )


def _verdict(data: bytes) -> Admission:
    bench = Bench(load_pack().rules)
    items = list(Inspection(bench, Budget()).run(Asset(uri="t.pkl", name="t.pkl", content=BytesContent(data))))
    findings = [item for item in items if isinstance(item, Finding)]
    return decide(DEFAULT_POLICY, findings, [item for item in items if isinstance(item, Gap)]).admission
