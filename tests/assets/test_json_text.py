"""JSON: bounds before parsing, shapes, and the settings that make a loader run something."""

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.configs.json_depth import deeper_than
from hauberk.assets.configs.json_text import read
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.core import Asset, Fact, Gap, GapReason


def items(data: object) -> list[Fact | Asset | Gap]:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(read(Asset(uri="c", name="c.json", content=BytesContent(raw)), Budget()))


def checks(data: object) -> dict[str, str]:
    return {item.check: item.quote for item in items(data) if isinstance(item, Fact)}


def templates(data: object) -> dict[str, bytes]:
    return {item.name: item.content.read() for item in items(data) if isinstance(item, Asset) and item.content}


@pytest.mark.parametrize(
    ("data", "limit", "deeper"),
    [
        (b"[[[]]]", 3, False),
        (b"[[[]]]", 2, True),
        (b'{"a": "[[[[["}', 1, False),
        (b'{"a\\"[[[": 1}', 1, False),
        (b'["\\\\", [[]]]', 2, True),
        (b"]]]][", 1, False),
    ],
)
def test_depth(data: bytes, limit: int, deeper: bool) -> None:  # noqa: FBT001 - a table
    assert deeper_than(data, limit, Budget()) is deeper


@pytest.mark.parametrize("data", [b"[" * 2_000_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000])
def test_deep_json_is_refused_before_it_is_parsed(data: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        items(data)
    assert caught.value.reason is GapReason.TOO_DEEP
    assert caught.value.check == "json.too-deep"


@pytest.mark.parametrize(
    "data", [b"{" + b", " * 300_000 + b"}", b'{"a":' + b"/*" * 300_000, b'{"a": "' + b"\\" * 300_000, b"[" + b"9" * 100_000 + b"]"]
)
def test_broken_json_is_refused_quickly(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(ReadError) as caught:
        items(data)
    assert caught.value.reason is GapReason.MALFORMED
    assert time.process_time() - started < 5


def test_large_json_is_a_gap() -> None:
    asset = Asset(uri="c", name="c.json", content=BytesContent(b"[" + b"1," * 5000 + b"1]"))
    with pytest.raises(ReadError) as caught:
        list(read(asset, Budget(Limits(text=1000))))
    assert caught.value.reason is GapReason.TOO_LARGE


def test_comments_and_trailing_commas_are_read() -> None:
    assert "hf.remote-code" in checks(b'{"auto_map": {"AutoModel": "a/b--c.D",}, // note\n /* more */ }')


def test_json_lines_are_read() -> None:
    assert "config.target" in checks(b'{"a": 1}\n{"_target_": "os.system"}\n')


def test_text_after_json_is_a_gap() -> None:
    (gap,) = items(b'{"a": 1} tail')
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.MALFORMED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks(encoding: str) -> None:
    assert "hf.remote-code" in checks('{"auto_map": {"AutoModel": "a/b--c.D"}}'.encode(encoding))


def test_duplicate_keys() -> None:
    found = [item for item in items(b'{"x": 1, "x": 2, "class_name": "A", "class_name": "B"}') if isinstance(item, Fact)]
    assert {(fact.quote, fact.attrs["decides"]) for fact in found} == {("x", False), ("class_name", True)}


@pytest.mark.parametrize(
    "data",
    [
        {"chat_template": "{{ x }}"},
        {"chat_template": [{"name": "default", "template": "{{ x }}"}]},
        {"extra_special_tokens": {"x": "{{ cycler.y }}"}},
        {"a": [{"b": {"prompt": "{% if x %}y{% endif %}"}}]},
    ],
)
def test_templates_wherever_they_hide(data: object) -> None:
    assert list(templates(data).values()) in ([b"{{ x }}"], [b"{{ cycler.y }}"], [b"{% if x %}y{% endif %}"])


def test_no_template_in_a_vocabulary() -> None:
    vocab = {f"{{{{ t{n}.x }}}}": n for n in range(2000)}
    assert templates({"model": {"type": "BPE", "vocab": vocab, "merges": []}, "added_tokens": []}) == {}


def test_lone_surrogates_do_not_stop_the_reader() -> None:
    assert templates(b'{"chat_template": "{{ x }}\\ud800"}') == {"chat_template": b"{{ x }}\xed\xa0\x80"}


@pytest.mark.parametrize(
    ("data", "check"),
    [
        ({"auto_map": {"AutoModel": "org/repo--modeling.M"}}, "hf.remote-code"),
        ({"auto_map": {"AutoTokenizer": [None, "org/repo--tok.T"]}}, "hf.remote-code"),
        ({"custom_generate": "org/repo"}, "hf.remote-code"),
        ({"auto_map": {"AutoModel": "modeling.M"}}, "hf.local-code"),
        ({"auto_map": {"AutoModel": "../../../tmp/evil.M"}}, "hf.code-path"),
        ({"custom_pipelines": {"x": {"impl": "/tmp/evil.P"}}}, "hf.code-path"),
        ({"_class_name": "P", "unet": ["my_module", "Net"]}, "hf.local-code"),
        ({"_class_name": "P", "unet": ["../my", "Net"]}, "hf.code-path"),
        ({"trust_remote_code": True}, "hf.trust"),
        ({"_attn_implementation": "org/kernels"}, "hf.remote-kernel"),
        ({"auto_mapping": {"parent_library": "lib", "base_model_class": "M"}}, "config.import"),
        ([{"idx": 0, "name": "0", "path": "", "type": "os.system"}], "config.import"),
        ({"activation_function": "subprocess.Popen"}, "config.import"),
        ({"similarity_fn_name": "__import__('os').system('x')"}, "config.code"),
        ({"restore_fn": "lambda x: eval(x.decode())"}, "config.code"),
        ({"hook": "__import__('os').system('id')"}, "config.code"),
        ({"model": {"_target_": "os.system"}}, "config.target"),
        ({"target": "os.system"}, "config.target-plain"),
        ({"weight_map": {"a": "../../x.bin"}}, "hf.index-traversal"),
        ({"weight_map": {"a": "C:\\\\x.bin"}}, "hf.index-traversal"),
        ({"cells": [], "nbformat": 4, "auto_map": {"A": "o/r--a.B"}}, "hf.remote-code"),
        ({"learner": {}, "version": [1], "auto_map": {"A": "o/r--a.B"}}, "hf.remote-code"),
        ({"model": {"_target_": "${oc.env:X}"}}, "config.target-computed"),
        ({"transformers_weights": "../x.bin"}, "config.path-traversal"),
        ({"vocab_file": "/etc/passwd"}, "config.path-absolute"),
        ({"vocab_file": "http://a.example/v"}, "config.path-remote"),
        ({"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 1, "b": 0}}, "config.labels-contradict"),
    ],
)
def test_settings(data: object, check: str) -> None:
    assert check in checks(data)


@pytest.mark.parametrize(
    "data",
    [
        {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16", "_name_or_path": "/home/me/m"},
        {"peft_type": "LORA", "auto_mapping": None, "base_model_name_or_path": "meta-llama/Llama-3-8B"},
        {"hidden_act": "gelu", "activation_function": "gelu_new", "trust_remote_code": False},
        {"id2label": {"0": "crane", "1": "crane"}, "label2id": {"crane": 0}, "description": "eval(x) is a call; os.system(y) too"},
        {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "vae": [None, None]},
    ],
)
def test_ordinary_settings_say_nothing(data: dict[str, object]) -> None:
    found = {check for check in checks(data) if not check.startswith("config.path")}
    assert found - ({"config.labels-contradict"} if "id2label" in data else set()) == set()


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["a/b--c.D", "{{ x.y }}", "os.system", "../x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "auto_map",
                    "_target_",
                    "model",
                    "vocab",
                    "added_tokens",
                    "id",
                    "content",
                    "normalizer",
                    "type",
                    "pattern",
                    "Regex",
                    "weight_map",
                    "flavors",
                    "x",
                    "class_name",
                    "config",
                    "learner",
                    "nodes",
                    "cells",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), VALUES.map(lambda v: json.dumps(v).encode())), st.integers(0, 200), st.binary(max_size=4))
def test_any_bytes(data: bytes, at: int, more: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items(data[:at] + more + data[at:])) < 2000
