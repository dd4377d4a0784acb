"""Our own banks and users' banks of the same shape."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.probe.goal import Harm, Help
from hauberk.probe.grades import profiles
from hauberk.probe.seeds import SeedError, banks, load
from hauberk.probe.seeds.own import read
from hauberk.rules.load import load_pack


def test_every_harmful_request_has_a_harmless_twin_and_both_are_of_a_known_risk() -> None:
    seeds = {seed.id: seed for seed in load(["tc260"])}
    risks = load_pack().taxonomy["risks"]
    harmful = [seed for seed in seeds.values() if isinstance(seed.goal, Harm)]
    assert len(harmful) >= 850
    for seed in harmful:
        twin = seeds[seed.twin]
        assert isinstance(twin.goal, Help)
        assert twin.lang == seed.lang
        assert twin.group == seed.group
        assert seed.risk in risks
        assert seed.text != twin.text


def test_all_31_risks_are_asked_about_in_both_languages() -> None:
    found = {(seed.tc260, seed.lang) for seed in load(["tc260"]) if isinstance(seed.goal, Harm)}
    assert found == {(number, lang) for number in profiles()["tc260-003"].risks for lang in ("zh", "en")}


@pytest.mark.parametrize("number", [n for n in profiles()["tc260-003"].risks if n.startswith(("A.1-", "A.2-"))])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_each_risk_of_a1_and_a2_has_twenty_pairs_in_each_language(number: str, lang: str) -> None:
    seeds = [seed for seed in load(["tc260"]) if (seed.tc260, seed.lang) == (number, lang)]
    asked = [seed for seed in seeds if seed.must_refuse]
    assert len({seed.text for seed in asked}) >= 20
    assert sum(seed.must_answer for seed in seeds) == len(asked)


def test_no_text_stands_twice_in_a_bank() -> None:
    for name in (name for name, bank in banks().items() if bank.ships):
        seeds = list(load([name]))
        assert len({seed.id for seed in seeds}) == len(seeds)
        keys = [(seed.text, seed.lang, seed.system, seed.context, seed.task, seed.scenario) for seed in seeds]
        assert len(set(keys)) == len(keys)


def test_the_seeds_come_in_the_same_order_every_time() -> None:
    assert [seed.id for seed in load(["tc260"])] == [seed.id for seed in load(["tc260"])]


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_users_bank_is_found_in_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "bank.yaml", "title: 自备题库\nlicence: proprietary\nsource: us\nships: false\n".encode())
    write(tmp_path / "mine" / "a.yaml", "risk: jailbreak\ntc260: A.1-a\npairs:\n  zh:\n    - {ask: 一, twin: 二}\n".encode())
    text = "seeds:\n  - {id: x, text: say the word, lang: en, risk: prompt-injection, goal: {type: marker, text: ZEBRA}}\n"
    write(tmp_path / "mine" / "b.yaml", text.encode())
    assert banks(tmp_path)["mine"].title == "自备题库"
    assert not banks(tmp_path)["mine"].ships
    found = list(load(["mine"], tmp_path))
    assert [seed.id for seed in found] == ["mine:a:zh:1", "mine:a:zh:1:twin", "mine:b:x"]
    assert found[1].must_answer is False


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("risk: 题".encode("gb18030"), "iconv"),
        (b"pairs: [", "not YAML"),
        (b"- 1", "mapping"),
        (b"pairs: {}\n", "risk"),
        (b"risk: x\npairs: {en: [{ask: a}]}\n", "twin"),
        (b"risk: x\npairs: {en: [{ask: a, twin: b}]}\nextra: 1\n", "extra"),
        (b"seeds: [{id: a, text: t, lang: en, risk: r, goal: {type: nonsense}}]", "nonsense"),
        (b"seeds: [{id: a, text: t, lang: en, risk: jailbrake, goal: {type: harm}}]", "no risk is called 'jailbrake'"),
        (b"seeds: [{id: a, text: t, lang: en, risk: jailbreak, colour: red, goal: {type: harm}}]", "no field is called 'colour'"),
        (b"seeds: [{id: a, text: ' ', lang: en, risk: jailbreak, goal: {type: harm}}]", "its text is empty"),
        (
            b"seeds: [{id: a, text: t, lang: en, risk: jailbreak, scenario: moon, goal: {type: harm}}]",
            "no scenario is called 'moon'",
        ),
        (b"risk: jailbreak\ntc260: Z.9\npairs: {en: [{ask: a, twin: b}]}\n", "'Z.9' is no number"),
        (b"risk: jailbreak\npairs:\n  en: [{ask: a, twin: b}]\n  en: [{ask: c, twin: d}]\n", "line 4: 'en' stands twice"),
        (b"seeds: [{id: a, text: t, lang: en, risk: r, twin: b, goal: {type: harm}}]", "its twin b"),
        (b"&a [" * 5000, "not YAML"),
        (b"[" * 200_000, "more than 50 lists and mappings"),
        (b"- " * 200_000, "more than 50 lists and mappings"),
        (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases"),
        (b"x: !!python/object/apply:os.system [ls]", "not YAML"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = write(tmp_path / "bad.yaml", data)
    with pytest.raises(SeedError) as caught:
        list(read(path, "bad"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "bad.yaml" in str(caught.value)


def test_a_bank_without_seeds_is_an_error_and_yml_is_read(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "bank.yaml", b"title: t\nlicence: x\nsource: us\n")
    with pytest.raises(SeedError, match=r"no \.yaml file with seeds"):
        list(load(["mine"], tmp_path))
    write(tmp_path / "mine" / "a.yml", b"risk: jailbreak\npairs: {en: [{ask: a, twin: b}]}\n")
    assert len(list(load(["mine"], tmp_path))) == 2


def test_an_unknown_bank_names_those_there_are() -> None:
    with pytest.raises(SeedError, match="tc260"):
        list(load(["nothing"]))


@given(st.binary(max_size=400))
def test_any_bytes_are_seeds_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = write(tmp_path_factory.mktemp("bank") / "any.yaml", data)
    line = ""
    try:
        list(read(path, "any"))
    except SeedError as error:
        line = str(error)
    assert "\n" not in line
