"""Evasions that once got through: the memo behind skipped runs, polyglot first opcodes, constructors that open files."""

import struct
import zipfile
from io import BytesIO

import pytest

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.core import Admission, Asset, Finding, Gap
from hauberk.detect import Bench
from hauberk.policy import DEFAULT_POLICY, decide
from hauberk.rules import load_pack
from hauberk.scan.inspect import Inspection

BENCH = Bench(load_pack().rules)
RUN = b"N" * 70_000
ECHO = b"cos\nsystem\n(X\4\0\0\0echotR."
TEXTUAL = b"cos\nsystem\n(S'echo'\ntR."


def verdict(data: bytes, name: str = "x.pkl") -> Admission:
    items = list(Inspection(BENCH, Budget()).run(Asset(uri=name, name=name, content=BytesContent(data))))
    findings = [item for item in items if isinstance(item, Finding)]
    return decide(DEFAULT_POLICY, findings, [item for item in items if isinstance(item, Gap)]).admission


def short(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def far(index: int) -> bytes:
    return b"r" + struct.pack("<I", index)


SAFE = short("collections") + b"q\x050" + short("OrderedDict") + b"q\x060cbuiltins\nint\nq\x090(" + RUN + b"l0("


def test_a_put_inside_a_skipped_run_replaces_the_name_in_the_memo() -> None:
    evil = short("os") + b"q\x05" + short("system") + b"q\x06"
    data = b"\x80\x04" + SAFE + RUN + evil + RUN + b"l0h\x05h\x06\x93" + short("echo") + b"\x85R."
    assert verdict(data) is Admission.BLOCK


def test_the_same_puts_twice_and_no_replacement_are_data() -> None:
    data = b"\x80\x04" + SAFE + RUN + short("a") + b"q\x0a" + RUN + b"l0h\x05h\x06\x93)R."
    assert verdict(data) is Admission.ADMIT


def test_a_memoize_after_skipped_puts_goes_where_the_unpickler_puts_it() -> None:
    fill = b"".join(short(f"s{n}") + b"q" + bytes([n]) for n in range(20, 60))
    # Four entries are known, forty are passed over: MEMOIZE writes entry 44, which held a harmless name.
    known = short("collections") + far(44) + b"0" + SAFE
    evil = short("os") + b"\x94" + short("system") + far(70_000)
    use = b"j" + struct.pack("<I", 44) + b"j" + struct.pack("<I", 70_000) + b"\x93" + short("echo") + b"\x85R."
    assert verdict(b"\x80\x04" + known + RUN + fill + RUN + b"l0" + evil + use) is not Admission.ADMIT


@pytest.mark.parametrize("start", [b"GIF89a\0\0\0", b"MZ\x90", b"CBM1\x40\0\0\0" + b"A" * 60, b"C\x06\0\0ET12", b"C\x06\0\0TFL3"])
def test_a_first_opcode_that_spells_a_magic_number_hides_nothing(start: bytes) -> None:
    assert verdict(start + b"0" + ECHO, "model.bin") is Admission.BLOCK


def test_a_text_pickle_before_an_hdf5_signature() -> None:
    assert verdict(TEXTUAL.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(600)) is Admission.BLOCK


@pytest.mark.parametrize("junk", [b"ju", b"\xff\xff"])
def test_a_text_pickle_behind_junk_behind_a_pickle(junk: bytes) -> None:
    assert verdict(b"\x80\x04N." + junk + TEXTUAL) is Admission.BLOCK


@pytest.mark.parametrize(
    "path", ["gensim.models.wrappers.LdaMallet", "xgboost.core.Booster", "sentence_transformers.SentenceTransformer"]
)
@pytest.mark.parametrize("argument", ["/etc/passwd", "https://example.invalid/m", "someone/model"])
def test_a_class_that_is_called_with_a_place_is_not_plain_data(path: str, argument: str) -> None:
    module, _, name = path.rpartition(".")
    made = f"c{module}\n{name}\n".encode()
    assert verdict(b"\x80\x04" + made + short(argument) + b"\x85R.") is Admission.HOLD
    assert verdict(b"\x80\x04" + made + b")\x81}X\4\0\0\0path" + short(argument) + b"sb.") is Admission.ADMIT


def test_a_class_that_is_called_with_a_place_after_many_plain_calls() -> None:
    made = b"cgensim.models.word2vec\nLineSentence\nq\0"
    plain = b"0(" + (b"h\0)R" * 30_000) + b"h\0" + short("/etc/passwd") + b"\x85R" + b"h\0)R" * 20 + b"l."
    assert verdict(b"\x80\x04" + made + plain) is Admission.HOLD


@pytest.mark.parametrize("call", [b"cpathlib\nPosixPath\n", b"czoneinfo\nZoneInfo\n"])
def test_values_that_are_paths_stay_data(call: bytes) -> None:
    assert verdict(b"\x80\x04" + call + short("Europe/Paris") + b"\x85R.") is Admission.ADMIT


def _torch(payload: bytes, comment: bytes = b"") -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x04N.")
        archive.writestr("archive/version", b"3\n")
        archive.writestr("archive/data/0", payload)
        archive.comment = comment
    return out.getvalue()


def test_a_pickle_as_tensor_storage_or_as_the_comment_of_a_zip() -> None:
    stream = b"\x80\x04" + short("os") + short("system") + b"\x93" + short("echo") + b"\x85R."
    assert verdict(_torch(stream), "m.pt") is Admission.BLOCK
    assert verdict(_torch(bytes(64), stream), "m.pt") is Admission.BLOCK
    assert verdict(_torch(bytes(64), b"made by hand"), "m.pt") is Admission.ADMIT
