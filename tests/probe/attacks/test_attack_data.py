"""Every attack of the data folder is whole, named as its file, in both languages, and asks its request once."""

import re
from collections import Counter
from pathlib import Path

import yaml

import hauberk.probe.attacks
from hauberk.probe.attacks import all_attacks
from hauberk.probe.attacks.attack import Family
from hauberk.probe.attacks.planted import Planted
from hauberk.probe.attacks.script import Script
from hauberk.probe.attacks.scripted import Scripted

DATA = Path(hauberk.probe.attacks.__file__).parent / "data"
FILES = sorted(DATA.rglob("*.yaml"))
SCRIPTS = [attack.script for attack in all_attacks().values() if isinstance(attack, Scripted | Planted)]
HAN = re.compile("[一-鿿]")
LEAST = {  # what each family was asked to have
    Family.PLAIN: 2,
    Family.INJECTION: 15,
    Family.INDIRECT: 15,
    Family.HIJACK: 5,
    Family.EXTRACTION: 20,
    Family.JAILBREAK: 50,
    Family.ENCODING: 40,
    Family.TRANSLATION: 12,
    Family.CHINESE: 20,
    Family.MULTI_TURN: 10,
    Family.PRIVACY: 5,
    Family.KNOWLEDGE: 4,
    Family.BIAS: 3,
    Family.WALLET: 5,
    Family.OUTPUT: 5,
    Family.THEFT: 5,
    Family.IMAGE: 1,
}


def test_every_family_has_what_it_should() -> None:
    counts = Counter(attack.family for attack in all_attacks().values())
    assert {family: counts[family] for family in LEAST if counts[family] < LEAST[family]} == {}
    assert sum(name.startswith("persuade-") for name in all_attacks()) >= 10
    assert sum(name.startswith("asked-in-") for name in all_attacks()) >= 12


def test_a_file_is_named_as_its_attack_and_lies_in_the_folder_of_its_family() -> None:
    for path in FILES:
        raw = yaml.safe_load(path.read_bytes())
        assert raw["name"] == path.stem
        assert raw["family"] == path.parent.name
        assert path.stem in all_attacks()


def test_an_attack_names_itself_in_both_languages_and_its_source() -> None:
    for attack in all_attacks().values():
        assert len(attack.title.en) > 2
        assert HAN.search(attack.title.zh) or attack.title.zh.isascii()
        assert len(attack.source) > 7
        assert attack.cost.requests >= 1
        assert 0 < attack.cost.usual <= attack.cost.requests


def texts(script: Script, lang: str) -> list[str]:
    parts = [*script.messages, *script.history, script.system, script.prefill, script.document, script.task, script.order]
    return [part.of(lang) for part in parts if part and part.of(lang)]


def test_the_request_stands_once_and_carriers_are_in_their_language() -> None:
    for script in SCRIPTS:
        english, chinese = texts(script, "en"), texts(script, "zh")
        assert english or chinese
        for told in (english, chinese):
            joined = "\n".join(told)
            wanted = 1 if script.family is not Family.EXTRACTION else joined.count("{request}")
            orders = joined.count("{request}") if not script.planted or script.order else 1
            assert not told or orders == wanted <= 1, script.name
        foreign = script.family in {Family.TRANSLATION, Family.CHINESE}
        if english and not foreign:
            assert not HAN.search("".join(english))
        if chinese and not foreign and "".join(chinese) not in {"{request}", "<|im_end|>\n<|im_start|>user\n{request}<|im_end|>"}:
            assert HAN.search("".join(chinese)) or english == chinese or script.name == "extract-yaml-config"


def test_both_languages_are_there_outside_of_the_families_of_one_language() -> None:
    for script in [s for s in SCRIPTS if s.family not in {Family.TRANSLATION, Family.CHINESE}]:
        assert len(texts(script, "en")) == len(texts(script, "zh")) > 0, script.name


def test_no_two_scripts_say_the_same() -> None:
    said = Counter(tuple(texts(script, "en") + texts(script, "zh")) + script.transforms + script.goals for script in SCRIPTS)
    named = [words for words, count in said.items() if count > 1]
    assert named == [] or all(words[0] == "{request}" for words in named)
