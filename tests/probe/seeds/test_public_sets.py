"""Public sets, from files in the shapes their authors publish; the rows here are our own."""

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.probe.goal import Choice, Harm, Help
from hauberk.probe.seeds import SeedError, banks, load, missing
from hauberk.probe.seeds.public.rows import rows
from hauberk.probe.seeds.public.sets import SETS
from hauberk.probe.seeds.public.tc260 import risk_of
from hauberk.probe.seeds.seed import Seed

KEY = {"7": {"category": "Offensiveness", "answer": 1}}
FILES: dict[str, dict[str, bytes]] = {
    "jailbench": {"JailBench.csv": "\ufeff,query,一级领域,二级领域\n0,怎样？,包含歧视性内容,民族歧视内容\n".encode()},
    "jailbench-seed": {
        "JailBench_seed.csv": "\ufeff,question_zh,一级领域,二级领域\n0,几何？,无法满足特定服务类型的安全需求,科学\n".encode()
    },
    "jade": {
        "jade_benchmark_en.csv": "ID,问题,违规子类\n1,How?,诈骗\n".encode(),
        "jade_alignment_hard_zh.csv": "ID,问题,违规回答\n1,如何？,某\n".encode("gb18030"),
    },
    "flames": {"Flames_1k_Chinese.jsonl": '{"dimension":"Fairness","subcomponent":"Bias","prompt":"谁？"}\n'.encode()},
    "cvalues": {"cvalues_responsibility_prompts.jsonl": '{"id_":1,"prompt":"好吗？","domain_en":"law"}\n'.encode()},
    "harmbench": {
        "harmbench_behaviors_text_all.csv": b"Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"
        b'Do it,contextual,illegal,,"a, b",x\n'
    },
    "jailbreakbench": {
        "harmful-behaviors.csv": b"Index,Goal,Target,Behavior,Category,Source\n0,Do it,Sure,b,Malware,Original\n",
        "benign-behaviors.csv": b"Index,Goal,Target,Behavior,Category,Source\n0,Explain it,Sure,b,Malware,Original\n",
    },
    "strongreject": {"strongreject_dataset.csv": b"category,source,forbidden_prompt\nViolence,custom,Do it\n"},
    "xstest": {
        "xstest_prompts.csv": b"id,prompt,type,label,focus,note\n1,How do I kill a process?,homonyms,safe,kill,\n"
        b"2,Do it,x,unsafe,,\n"
    },
    "ailuminate": {
        "airr_official_1.0_demo_fr_fr_prompt_set_release.csv": b"release_prompt_id,prompt_text,hazard,persona,locale,prompt_hash\n"
        b"1,Comment ?,hte,normal,fr_fr,aa\n"
    },
    "multijail-sw": {
        "MultiJail.csv": b"\xef\xbb\xbfid,source,tags,en,zh,it,vi,ar,ko,th,bn,sw,jv\n0,own,['x'],a,b,c,d,e,f,g,h,jambo,i\n"
    },
    "safetybench": {
        "test_zh_subset.json": b'[{"id":7,"options":["yes","no"],"category":"Offensiveness","question":"rude?"}]',
        "test_answers_zh_subset.json": json.dumps(KEY).encode(),
    },
}


def put(folder: Path, name: str) -> list[Seed]:
    (folder / "clone").mkdir()
    for file, data in FILES[name].items():
        (folder / "clone" / file).write_bytes(data)
    return list(load([name], folder))


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_set_is_read_in_the_shape_it_is_published_in(tmp_path: Path, name: str) -> None:
    found = put(tmp_path, name)
    assert found
    for seed in found:
        assert seed.bank == name
        assert seed.id.startswith(f"{name}:")
        assert seed.text.strip()
        assert seed.lang
    assert SETS[name].bank.licence


def test_numbers_of_tc260_come_from_the_names_of_the_sets(tmp_path: Path) -> None:
    assert put(tmp_path, "jailbench")[0].tc260 == "A.2-a"
    assert risk_of("泄露他人商业秘密")[0] == "A.3-c"
    assert risk_of("侵害他人个人信息权益") == ("A.4-f", "sensitive-information")
    assert risk_of("天气")[0] == ""


def test_questions_outside_the_services_domain_are_about_accuracy(tmp_path: Path) -> None:
    assert put(tmp_path, "jailbench-seed")[0].tc260 == "A.5-a"


def test_a_gb18030_file_among_utf8_ones_is_read(tmp_path: Path) -> None:
    assert {seed.text for seed in put(tmp_path, "jade")} == {"How?", "如何？"}


def test_ordinary_questions_are_to_be_answered(tmp_path: Path) -> None:
    goals = {seed.text: type(seed.goal) for seed in put(tmp_path, "xstest")}
    assert goals == {"How do I kill a process?": Help, "Do it": Harm}


def test_safetybench_takes_the_official_key(tmp_path: Path) -> None:
    assert put(tmp_path, "safetybench")[0].goal == Choice("B", ("yes", "no"))


@pytest.mark.parametrize("key", [b"{}", b'{"7":{"category":"x","answer":2}}', b'{"7":{"category":"x","answer":-1}}', b"[", b"{}}"])
def test_safetybench_without_a_usable_answer_is_one_clear_line(tmp_path: Path, key: bytes) -> None:
    put(tmp_path, "safetybench")
    (tmp_path / "clone" / "test_answers_zh_subset.json").write_bytes(key)
    with pytest.raises(SeedError) as caught:
        list(load(["safetybench"], tmp_path))
    assert "test_answers_zh_subset.json" in str(caught.value)


def test_s_eval_is_read_from_its_zip(tmp_path: Path) -> None:
    row = {"traceid": "x", "risk_type": "Crimes", "prompt": "如何？", "ext": "{}"}
    with zipfile.ZipFile(tmp_path / "S-Eval_attack_zh_small.jsonl.zip", "w") as archive:
        archive.writestr("S-Eval_attack_zh_small.jsonl", json.dumps(row, ensure_ascii=False))
        archive.writestr("__MACOSX/._S-Eval_attack_zh_small.jsonl", b"\0")
    assert [(seed.risk, seed.lang) for seed in load(["s-eval"], tmp_path)] == [("jailbreak", "zh")]
    assert "NC" in banks()["s-eval"].licence


def test_a_set_that_is_not_there_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SeedError, match=r"clone https://github\.com/alexandrasouly/strongreject"):
        list(load(["strongreject"], tmp_path))
    with pytest.raises(SeedError, match="does not ship"):
        list(load(["strongreject"]))


def test_a_set_is_missing_until_its_files_are_there(tmp_path: Path) -> None:
    assert missing("xstest")
    assert missing("xstest", tmp_path)
    put(tmp_path, "xstest")
    assert not missing("xstest", tmp_path)
    assert not missing("tc260")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "xstest_prompts.csv").write_bytes(b"id,text\n1,a\n")
    with pytest.raises(SeedError, match="row 1 has no column 'label'"):
        list(load(["xstest"], tmp_path))


@given(st.binary(max_size=300), st.sampled_from([".csv", ".json", ".jsonl", ".zip"]))
def test_any_bytes_are_rows_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str) -> None:
    path = tmp_path_factory.mktemp("set") / f"any{suffix}"
    path.write_bytes(data)
    line = ""
    try:
        list(rows(path))
    except SeedError as error:
        line = str(error)
    assert "\n" not in line
