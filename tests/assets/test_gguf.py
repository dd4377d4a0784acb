"""GGUF: one regression test for each published flaw, over files of a small writer of our own."""

import contextlib
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.tensors.gguf import read, tensor_spans
from hauberk.core import Asset, Fact, Gap

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}


class Raw(bytes):
    """Bytes put into the file as they are."""


class Writer:
    """Writes a GGUF file field by field, so that a test can make any one field lie."""

    def __init__(self, version: int = 3, *, big: bool = False) -> None:
        self.version, self.order = version, ">" if big else "<"
        self.pairs: list[bytes] = []
        self.tensors: list[bytes] = []
        self.data = b""
        self.alignment = 32
        self.counts: tuple[int | None, int | None] = (None, None)

    def length(self, number: int) -> bytes:
        return struct.pack(self.order + ("I" if self.version == 1 else "Q"), number)

    def string(self, text: str | bytes) -> bytes:
        data = text.encode() if isinstance(text, str) else text
        return self.length(len(data)) + data

    def value(self, kind: int, value: Any) -> bytes:
        if isinstance(value, Raw):
            return bytes(value)
        if kind == STRING:
            return self.string(value)
        return struct.pack(self.order + _CODES[kind], value)

    def pair(self, key: str | bytes, kind: int, value: Any) -> "Writer":
        self.pairs.append(self.string(key) + struct.pack(self.order + "I", kind) + self.value(kind, value))
        return self

    def array(self, key: str, kind: int, values: Sequence[Any], count: int | None = None) -> "Writer":
        body = b"".join(self.value(kind, v) for v in values)
        head = struct.pack(self.order + "I", kind) + self.length(len(values) if count is None else count)
        return self.pair(key, ARRAY, Raw(head + body))

    def tensor(
        self, name: str | bytes, dims: Sequence[int], kind: int = 0, offset: int | None = None,
        data: bytes | None = None, rank: int | None = None,
    ) -> "Writer":  # fmt: skip
        at = len(self.data) if offset is None else offset
        record = self.string(name) + struct.pack(self.order + "I", len(dims) if rank is None else rank)
        record += b"".join(self.length(d) for d in dims) + struct.pack(self.order + "IQ", kind, at)
        self.tensors.append(record)
        if data is None:
            size = 4
            for dim in dims:
                size *= dim
            data = b"\x01" * size if 0 <= size < 1 << 16 else b""
        self.data += data + b"\x00" * (-len(data) % self.alignment)
        return self

    def bytes(self) -> bytes:
        tensors, pairs = self.counts
        head = b"GGUF" + struct.pack(self.order + "I", self.version)
        head += self.length(len(self.tensors) if tensors is None else tensors)
        head += self.length(len(self.pairs) if pairs is None else pairs)
        head += b"".join(self.pairs) + b"".join(self.tensors)
        return head + b"\x00" * (-len(head) % self.alignment) + self.data if self.data else head


def model(version: int = 3, *, big: bool = False, tokens: int = 16) -> Writer:
    """A small model such as converters write."""
    w = Writer(version, big=big)
    w.pair("general.architecture", STRING, "llama").pair("general.name", STRING, "tiny")
    w.pair("llama.block_count", U32, 2).pair("llama.context_length", U32, 128).pair("llama.embedding_length", U32, 8)
    w.pair("llama.attention.head_count", U32, 2).pair("llama.attention.head_count_kv", U32, 2)
    w.pair("llama.attention.layer_norm_rms_epsilon", F32, 1e-5)
    w.pair("tokenizer.ggml.model", STRING, "llama")
    w.array("tokenizer.ggml.tokens", STRING, ["<unk>", "<s>", "</s>", *(f"t{i}" for i in range(tokens - 3))])
    w.array("tokenizer.ggml.scores", F32, [0.0] * tokens)
    w.array("tokenizer.ggml.token_type", I32, [2, 3, 3, *([1] * (tokens - 3))])
    w.pair("tokenizer.ggml.bos_token_id", U32, 1).pair("tokenizer.ggml.eos_token_id", U32, 2)
    return w


def weights(w: Writer) -> Writer:
    return w.tensor("token_embd.weight", (8, 16)).tensor("output.weight", (8, 16))


def items(data: bytes) -> Iterator[Fact | Asset | Gap]:
    yield from read(Asset("m.gguf", format="gguf", name="m.gguf", content=BytesContent(data)), Budget())


def checks(data: bytes) -> set[str]:
    found: set[str] = set()
    try:
        for item in items(data):
            if isinstance(item, Fact):
                found.add(item.check)
    except ReadError as error:
        found.add(error.check)
    return found


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("big", [False, True])
def test_a_good_model_is_quiet(version: int, *, big: bool) -> None:
    assert checks(weights(model(version, big=big)).bytes()) == set()


def test_a_vocabulary_alone_is_quiet() -> None:
    assert checks(model().bytes()) == set()


def test_spans_name_every_tensor_and_its_bytes() -> None:
    data = weights(model()).bytes()
    spans = tensor_spans(BytesContent(data), Budget())
    assert [(s.name, s.dtype, s.shape, s.size) for s in spans] == [
        ("token_embd.weight", "F32", (16, 8), 512),
        ("output.weight", "F32", (16, 8), 512),
    ]
    assert all(data[s.start : s.end] == b"\x01" * 512 for s in spans)


def test_templates_are_members_whatever_their_key() -> None:
    w = model().pair("tokenizer.chat_template", STRING, "{{ a }}").pair("tokenizer.chat_template.tool_use", STRING, "{{ b }}")
    members = [i for i in items(weights(w).bytes()) if isinstance(i, Asset)]
    assert [(m.name, m.format, m.content.read() if m.content else b"") for m in members] == [
        ("tokenizer.chat_template", "jinja", b"{{ a }}"),
        ("tokenizer.chat_template.tool_use", "jinja", b"{{ b }}"),
    ]


def test_a_template_before_a_broken_pair_is_still_handed_on() -> None:
    w = model().pair("tokenizer.chat_template", STRING, "{{ a }}").pair("x", 99, Raw(b""))
    produced: list[Fact | Asset | Gap] = []
    with pytest.raises(ReadError):
        produced.extend(items(w.bytes()))
    assert any(isinstance(i, Asset) for i in produced)


def lying(field: str, count: int) -> bytes:
    w = weights(model())
    w.counts = (count, None) if field == "tensors" else (None, count)
    return w.bytes()


HUGE = [1 << 63, (1 << 64) - 1, 10**12]
EMBEDDING = (8, 16)


def with_pair(key: str, kind: int, value: Any) -> bytes:
    return weights(model().pair(key, kind, value)).bytes()


def with_tensor(*args: Any, **kwargs: Any) -> bytes:
    return model().tensor(*args, **kwargs).bytes()


def replaced(key: str, make: Any) -> bytes:
    """The model with the pair of `key` written by `make` instead."""
    w = model()
    w.pairs = [p for p in w.pairs if not p.startswith(w.string(key))]
    make(w)
    return weights(w).bytes()


def clip(**pairs: Any) -> bytes:
    w = Writer().pair("general.architecture", STRING, "clip").pair("clip.has_vision_encoder", BOOL, 1)
    for key, value in pairs.items():
        name = "clip." + key.replace("__", ".")
        if isinstance(value, list):
            w.array(name, F32 if isinstance(value[0], float) else I32, value)
        else:
            w.pair(name, U32, value)
    return w.tensor("v.patch_embd.weight", (8, 8)).bytes()


def dirty_padding() -> bytes:
    w = weights(model())
    if sum(map(len, (*w.pairs, *w.tensors))) % 32 == 8:  # with the 24 bytes before them nothing is left to pad
        w.pair("pad", U8, 1)
    data = w.bytes()
    start = tensor_spans(BytesContent(data), Budget())[0].start
    return data[: start - 1] + b"!" + data[start:]


def with_tokens(*first: str) -> bytes:
    tokens = [*first, *(f"t{i}" for i in range(16 - len(first)))]
    return replaced("tokenizer.ggml.tokens", lambda w: w.array("tokenizer.ggml.tokens", STRING, tokens))


# fmt: off
FLAWS: dict[str, tuple[bytes, str]] = {
    "CVE-2024-21802 rank over 4": (with_tensor("w", (1,) * 5, data=b""), "gguf.tensor-rank"),
    "CVE-2024-21802 rank 2^32-1": (with_tensor("w", (8,), rank=(1 << 32) - 1), "gguf.tensor-rank"),
    "CVE-2024-21825 strings x size wraps": (
        weights(model().array("x", STRING, ["a"], count=(1 << 61) + 1)).bytes(), "gguf.array-length",
    ),
    "CVE-2024-21825 integers x size wraps": (weights(model().array("x", U64, [1], count=1 << 61)).bytes(), "gguf.array-length"),
    "llama.cpp#27188 array of 2^63": (weights(model().array("x", U8, [1], count=1 << 63)).bytes(), "gguf.array-length"),
    **{f"CVE-2024-21836 {n:#x} tensors": (lying("tensors", n), "gguf.tensor-count") for n in HUGE},
    **{f"CVE-2024-23605 {n:#x} pairs": (lying("pairs", n), "gguf.kv-count") for n in HUGE},
    "CVE-2024-23496 value length 2^64-1": (with_pair("x", STRING, Raw(b"\xff" * 8)), "gguf.string-length"),
    "CVE-2024-23496 key length 2^64-1": (
        with_pair("x", U8, 1).replace(b"\x01" + bytes(7) + b"x", b"\xff" * 8 + b"x"), "gguf.string-length",
    ),
    "CVE-2024-23496 name length 2^62": (
        with_tensor("name", EMBEDDING).replace(b"\x04" + bytes(7) + b"name", struct.pack("<Q", 1 << 62) + b"name"),
        "gguf.string-length",
    ),
    "CVE-2024-32878 value type 99": (with_pair("x", 99, Raw(b"")), "gguf.value-type"),
    "CVE-2024-32878 array of type 13": (weights(model().array("x", 13, [Raw(b"\0")])).bytes(), "gguf.value-type"),
    "CVE-2024-32878 array of arrays": (weights(model().array("x", ARRAY, [Raw(bytes(12))])).bytes(), "gguf.array-nested"),
    "CVE-2024-41130 empty key": (with_pair("", U8, 1), "gguf.key"),
    "key not UTF-8": (weights(model().pair(b"\xff\xfe", U8, 1)).bytes(), "gguf.key"),
    "key of 64 KiB": (with_pair("k" * 65536, U8, 1), "gguf.key"),
    "key with a control character": (with_pair("a\x1b[2J", U8, 1), "gguf.key"),
    "key twice": (with_pair("general.name", STRING, "other"), "gguf.key-duplicate"),
    "CVE-2025-53630 sizes add up past 2^64": (
        model().tensor("a", (1 << 60,)).tensor("b", (1 << 60,), offset=1 << 62)
        .tensor("c", (1 << 60,), offset=1 << 63).tensor("d", (1 << 60,), offset=3 << 62).bytes(), "gguf.tensor-total",
    ),
    "CVE-2026-33298 product wraps to 0": (with_tensor("w", (1 << 32, 1 << 32)), "gguf.tensor-dims"),
    "CVE-2026-33298 2^42+1 rows": (with_tensor("w", (1152, (1 << 42) + 1)), "gguf.tensor-bounds"),
    "CVE-2026-33298 product wraps to 4": (with_tensor("w", (4194305, 4194305, 211106198978564)), "gguf.tensor-dims"),
    "GHSA-vgg9 padding near SIZE_MAX": (with_tensor("w", ((1 << 63) - 64,), kind=24), "gguf.tensor-bounds"),
    "dimension 0": (with_tensor("w", (0, 4)), "gguf.tensor-dims"),
    "row of Q4_0 not whole": (with_tensor("w", (33,), kind=2, data=bytes(64)), "gguf.tensor-dims"),
    "CVE-2026-7482 offset behind the file": (with_tensor("w", EMBEDDING, offset=1_000_000_000 // 32 * 32), "gguf.tensor-bounds"),
    "CVE-2026-7482 tensor longer than the file": (with_tensor("w", (1 << 20,)), "gguf.tensor-bounds"),
    "offset between two tensors' bytes": (
        model().tensor("a", EMBEDDING).tensor("b", EMBEDDING, offset=256).bytes(), "gguf.tensor-overlap",
    ),
    "offset not aligned": (model().tensor("a", (8,)).tensor("b", (2,), offset=33).bytes(), "gguf.tensor-alignment"),
    "hole between tensors": (
        model().tensor("a", (8,), data=bytes(32) + b"x" * 96).tensor("b", (8,)).bytes(), "gguf.tensor-gap",
    ),
    "block type without dimensions": (with_tensor("w", (), kind=2, data=bytes(32)), "gguf.tensor-dims"),
    "tensor type removed": (with_tensor("w", (32,), kind=5), "gguf.tensor-type"),
    "tensor type 2^31-1": (with_tensor("w", (32,), kind=(1 << 31) - 1), "gguf.tensor-type"),
    "tensor name twice": (model().tensor("a", (8,)).tensor("a", (8,)).bytes(), "gguf.tensor-duplicate"),
    "tensor name of 64 bytes": (with_tensor("w" * 64, EMBEDDING), "gguf.tensor-name"),
    "tensor name is a path": (with_tensor("../../etc/x", EMBEDDING), "gguf.tensor-name"),
    "CVE-2024-39720 four bytes": (b"GGUF", "gguf.truncated"),
    "version 4": (weights(model(4)).bytes(), "gguf.version"),
    "CVE-2025-0317 alignment 0": (with_pair("general.alignment", U32, 0), "gguf.alignment"),
    "ggml#1516 alignment 3": (with_pair("general.alignment", U32, 3), "gguf.alignment"),
    "ggml#1516 alignment 2^30": (with_pair("general.alignment", U32, 1 << 30), "gguf.alignment"),
    "#26318 alignment as a signed number": (with_pair("general.alignment", I32, 32), "gguf.alignment"),
    "CVE-2024-8063 block_count 0": (replaced("llama.block_count", lambda w: w.pair("llama.block_count", U32, 0)), "gguf.hparam"),
    "CVE-2024-8063 head_count 0": (
        replaced("llama.attention.head_count", lambda w: w.pair("llama.attention.head_count", U32, 0)), "gguf.hparam",
    ),
    "#26051 block_count 513": (replaced("llama.block_count", lambda w: w.pair("llama.block_count", U32, 513)), "gguf.hparam"),
    "block_count negative": (replaced("llama.block_count", lambda w: w.pair("llama.block_count", I32, -1)), "gguf.hparam"),
    "#26892 posnet deeper than the model": (with_pair("llama.posnet.block_count", U32, 9), "gguf.hparam"),
    "#25513 one head count too many": (
        replaced("llama.attention.head_count", lambda w: w.array("llama.attention.head_count", U32, [2] * 600)), "gguf.hparam",
    ),
    "expert_count 2^31": (with_pair("llama.expert_count", U32, 1 << 31), "gguf.hparam"),
    "#26690 vocab_size 2^32-1": (with_pair("llama.vocab_size", U32, (1 << 32) - 1), "gguf.hparam"),
    "CVE-2025-49847 token of 1 MiB": (
with_tokens("a" * (1 << 20)), "gguf.token-length",
    ),
    "GHSA-g4cc special id over the vocabulary": (with_pair("tokenizer.ggml.padding_token_id", U32, 16), "gguf.special-id"),
    "#25475 special id 2^32-1": (with_pair("tokenizer.ggml.padding_token_id", U32, (1 << 32) - 1), "gguf.special-id"),
    "#25508 default ids with a vocabulary of one": (
        Writer().pair("tokenizer.ggml.model", STRING, "llama").array("tokenizer.ggml.tokens", STRING, ["a"]).bytes(),
        "gguf.special-id",
    ),
    "#20735 token_type too short": (
        replaced("tokenizer.ggml.token_type", lambda w: w.array("tokenizer.ggml.token_type", I32, [1])), "gguf.vocab-length",
    ),
    "#20735 scores too long": (
        replaced("tokenizer.ggml.scores", lambda w: w.array("tokenizer.ggml.scores", F32, [0.0] * 99)), "gguf.vocab-length",
    ),
    "#26690 token_type of bytes": (
        replaced("tokenizer.ggml.token_type", lambda w: w.array("tokenizer.ggml.token_type", I8, [1] * 16)), "gguf.vocab-type",
    ),
    "#26690 suppress_tokens of bytes": (
        weights(model().array("tokenizer.ggml.suppress_tokens", U8, [1])).bytes(), "gguf.vocab-type",
    ),
    "#27226 byte token <0x-1>": (
        Writer().pair("tokenizer.ggml.model", STRING, "plamo2")
        .array("tokenizer.ggml.tokens", STRING, ["a", "b", "c", "d", "<0x-1>"]).bytes(), "gguf.byte-token",
    ),
    "#25258 character map of 2 bytes": (
        weights(model().array("tokenizer.ggml.precompiled_charsmap", U8, [1, 2])).bytes(), "gguf.charsmap",
    ),
    "#18750 character map's table too long": (
        weights(model().array("tokenizer.ggml.precompiled_charsmap", U8, [255] * 8)).bytes(), "gguf.charsmap",
    ),
    "#24976 image_mean of one": (clip(vision__image_mean=[0.5]), "gguf.projector"),
    "#24976 odd pin points": (clip(vision__image_grid_pinpoints=[1, 2, 3]), "gguf.projector"),
    "#27166 patch_size 0": (clip(vision__patch_size=0), "gguf.projector"),
    "#27166 patches of one": (clip(vision__patch_size=1, vision__image_size=16000), "gguf.projector"),
    "#27223 audio chunk_size 65537": (clip(audio__chunk_size=65537), "gguf.projector"),
    "#27224 image_min_pixels 46340^2": (clip(vision__image_min_pixels=46340**2), "gguf.projector"),
    "#27225 scale_factor 0": (clip(vision__projector__scale_factor=0), "gguf.projector"),
    "two tokens with the text of a special one": (
        with_tokens("<unk>", "<s>", "</s>", "</s>"),
        "gguf.token-twins",
    ),
    "program behind the tensors": (weights(model()).bytes() + b"\x7fELF\x02\x01\x01" + bytes(200), "gguf.trailing-payload"),
    "bytes behind the tensors": (weights(model()).bytes() + b"secret" * 20, "gguf.trailing-data"),
    "program in the metadata": (
        weights(model().array("x.blob", U8, list(b"\x7fELF\x02\x01\x01" + bytes(60)))).bytes(), "gguf.metadata-payload",
    ),
    "program in a tensor": (with_tensor("w", (64,), kind=24, data=b"\x7fELF\x02\x01\x01" + bytes(57)), "gguf.tensor-payload"),
    "padding that is not zero": (dirty_padding(), "gguf.padding"),
    "split part 5 of 2": (weights(model().pair("split.no", U16, 5).pair("split.count", U16, 2)).bytes(), "gguf.split"),
    "architecture of control characters": (
        replaced("general.architecture", lambda w: w.pair("general.architecture", STRING, "ll\x00ama")), "gguf.architecture",
    ),
    "template that is no string": (
        weights(model().array("tokenizer.chat_template", STRING, ["{{ a }}"])).bytes(), "gguf.vocab-type",
    ),
    "more heads than the embedding is wide": (
        replaced("llama.attention.head_count", lambda w: w.pair("llama.attention.head_count", U32, 9)), "gguf.hparam",
    ),
    "a factor that is no number": (with_pair("llama.rope.scaling.factor", F32, float("nan")), "gguf.hparam"),
    "code in the description": (with_pair("general.description", STRING, "import os; os.system('id')"), "metadata.code"),
}
# fmt: on


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw(flaw: str) -> None:
    data, wanted = FLAWS[flaw]
    assert wanted in checks(data)


def test_a_recurrent_model_may_have_no_heads() -> None:
    w = Writer().pair("general.architecture", STRING, "mamba").pair("mamba.attention.head_count", U32, 0)
    assert checks(w.pair("mamba.block_count", U32, 4).bytes()) == set()


def test_zero_padding_behind_the_tensors_is_quiet() -> None:
    assert checks(weights(model()).bytes() + bytes(16)) == set()


def test_values_per_layer_are_quiet() -> None:
    data = replaced("llama.attention.head_count_kv", lambda w: w.array("llama.attention.head_count_kv", I32, [0, 2]))
    assert checks(data) == set()


def test_unused_twins_are_quiet() -> None:
    w = Writer().array("tokenizer.ggml.tokens", STRING, ["a", "x", "x"]).array("tokenizer.ggml.token_type", I32, [1, 5, 5])
    assert checks(w.bytes()) == set()


def test_a_large_vocabulary_costs_little_time() -> None:
    import time

    w = Writer().pair("tokenizer.ggml.model", STRING, "gpt2")
    tokens = [f"token{i}" for i in range(150_000)]
    w.array("tokenizer.ggml.tokens", STRING, tokens).array("tokenizer.ggml.token_type", I32, [1] * len(tokens))
    w.array("tokenizer.ggml.merges", STRING, tokens)
    data = w.bytes()
    started = time.process_time()
    assert checks(data) == set()
    assert time.process_time() - started < 1.5  # 0.2 s when the machine is idle


GOOD = weights(model().pair("tokenizer.chat_template", STRING, "{{ a }}")).bytes()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutations_raise_nothing_else(data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(broken) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=9))
        broken[at : at + len(piece)] = piece
    cut = data.draw(st.integers(0, len(broken)))
    produced = 0
    try:
        for _ in items(bytes(broken[: cut if data.draw(st.booleans()) else len(broken)])):
            produced += 1
    except ReadError:
        pass
    assert produced < 5000


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_else(tail: bytes) -> None:
    for walk in (lambda data: list(items(data)), lambda data: tensor_spans(BytesContent(data), Budget())):
        with contextlib.suppress(ReadError):
            walk(b"GGUF\x03\x00\x00\x00" + tail)
