"""YAML: nothing constructed, aliases bounded, tags that build objects seen."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.configs.yaml_text import read
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.core import Asset, Fact, Gap, GapReason


def items(data: str | bytes) -> list[Fact | Asset | Gap]:
    raw = data if isinstance(data, bytes) else data.encode()
    return list(read(Asset(uri="c", name="c.yaml", content=BytesContent(raw)), Budget()))


def facts(data: str | bytes) -> dict[str, Fact]:
    return {item.check: item for item in items(data) if isinstance(item, Fact)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a: !!python/object/apply:os.system [id]", "os.system"),
        ("!!python/name:os.system ''", "os.system"),
        ("!<tag:yaml.org,2002:python/object/new:subprocess.Popen> [id]", "subprocess.Popen"),
        ("%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system [x]", "os.system"),
        ("x: !!python/module:os ''", "os"),
    ],
)
def test_tags_that_build_objects(text: str, name: str) -> None:
    assert facts(text)["yaml.tag"].attrs["name"] == name


def test_plain_tags_say_nothing() -> None:
    assert items("a: !!python/tuple [1, 2]\nb: !!str x\nc: !custom y\n") == []


def test_cve_2025_23304_hydra_target() -> None:
    found = facts("model:\n  encoder:\n    _target_: torch.load\n    f: x\n")["config.target"]
    assert (found.where, found.attrs["name"]) == ("model.encoder._target_", "torch.load")


def test_targets_behind_aliases_and_merges() -> None:
    assert "config.target" in facts("base: &b {_target_: os.system}\nrun:\n  <<: *b\n")


def test_a_second_value_for_a_key_is_seen() -> None:
    assert facts("_target_: torch.nn.Linear\n_target_: os.system\n")["config.target"].attrs["name"] == "torch.nn.Linear"
    assert "hf.remote-code" in facts("auto_map: {AutoModel: a.B}\nauto_map: {AutoModel: o/r--a.B}\n")


def test_billion_laughs() -> None:
    rows = ["a: &a [x,x,x,x,x,x,x,x,x,x]"] + [
        f"{b}: &{b} [{','.join(['*' + a] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    started = time.process_time()
    assert "yaml.alias-bomb" in facts("\n".join(rows))
    assert time.process_time() - started < 8


@pytest.mark.parametrize("text", ["a: &a\n  b: *a\n", "&a [*a]", "a: *unknown\n", "? [1, 2]\n: 3\n", "? {a: b}\n: c\n"])
def test_odd_structures_do_not_stop_the_reader(text: str) -> None:
    assert all(not isinstance(item, Asset) for item in items(text))


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 20_000, "{a: " * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(ReadError) as caught:
        items(text)
    assert caught.value.reason is GapReason.TOO_DEEP


def test_every_document_is_read() -> None:
    assert "config.target" in facts("a: 1\n---\nb: 2\n---\n_target_: os.system\n")


def test_what_comes_before_a_fault_is_judged() -> None:
    found = items("a: !!python/name:os.system ''\nb: [\n")
    assert any(isinstance(item, Gap) and item.reason is GapReason.MALFORMED for item in found)
    assert any(isinstance(item, Fact) and item.check == "yaml.tag" for item in found)


def test_a_template_of_yaml_is_no_fault() -> None:
    gaps = [item for item in items("a: {{ value }}: x\n{% if b %}\n") if isinstance(item, Gap)]
    assert {gap.reason for gap in gaps} <= {GapReason.UNSUPPORTED}


def test_templates_are_found() -> None:
    (found,) = items("chat_template: |\n  {{ cycler.x }}\n")
    assert isinstance(found, Asset)
    assert found.format == "jinja"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("flavors:\n  python_function:\n    loader_module: evil.loader\n", "config.import"),
        ("flavors:\n  python_function:\n    data: ../../x\n", "config.path-traversal"),
        ("flavors:\n  python_function:\n    code: extra\n", "mlflow.code"),
        ("trust_remote_code: yes\n", "hf.trust"),
    ],
)
def test_settings(text: str, check: str) -> None:
    assert check in facts(text)


PIECES = st.sampled_from(
    [
        "a: ",
        "- ",
        "&x ",
        "*x",
        "!!python/name:os.system ",
        "[",
        "]",
        "{",
        "}",
        "\n",
        "  ",
        "|\n",
        "---\n",
        "'",
        '"',
        "<<: ",
        "_target_: ",
        "é",
        "\x85",
        "{{ x.y }}",
        "? ",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(lambda p: "".join(p).encode())))
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items(data)) < 2000
