"""The loader: one rule a file, clear errors, the sealed pack equal to the YAML."""

from pathlib import Path

import msgspec
import pytest

from hauberk.rules.load import HERE, RuleFileError, RulePack, build_pack, load_pack
from hauberk.rules.pack import seal

RULE = """
id: {id}
title: {{en: A, zh: 甲}}
stage: model
risk: parser-exploit
reads: [model]
severity: low
confidence: low
why: {{en: w, zh: 因}}
fix: {{en: f, zh: 法}}
engine: fact
match: {{checks: [x.y]}}
samples: [{{name: a, text: b}}]
"""


def test_sealed_pack_holds_what_the_yaml_says(tmp_path: Path) -> None:
    digest = seal(tmp_path / "sealed.msgpack")
    sealed = msgspec.msgpack.decode((tmp_path / "sealed.msgpack").read_bytes(), type=RulePack)
    built = build_pack(HERE)
    assert (sealed.digest, sealed.rules, sealed.taxonomy) == (digest, built.rules, built.taxonomy)
    assert sealed.capabilities == built.capabilities


def test_a_folder_of_rules(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULE.format(id="a"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.yaml").write_text(RULE.format(id="b"))
    assert [rule.id for rule in load_pack(tmp_path).rules] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: [", "a.yaml"),
        (RULE.format(id="a") + "surprise: 1\n", "surprise"),
        (RULE.format(id="a").replace("stage: model", "stage: moon"), "stage"),
        ("just text", "a.yaml"),
        ("!!python/object/apply:os.system ['true']", "a.yaml"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(RuleFileError, match=said):
        load_pack(tmp_path)


def test_twins_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(RULE.format(id="same"))
    with pytest.raises(RuleFileError, match="two rules have the id"):
        load_pack(tmp_path)
