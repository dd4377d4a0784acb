"""Disguises can be read back, say how, stay within their growth, and some of them the guard does not read."""

import base64
import re
from random import Random

import pytest
from attack_fakes import EN, ZH
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect.normalise import views_of
from hauberk.probe.attacks import all_disguises
from hauberk.probe.attacks.disguise import Disguise, Script

DISGUISES = list(all_disguises().values())
READABLE = [disguise for disguise in DISGUISES if disguise.decode is not None]
_WHOLE = (
    "base64 base32 base85 hexadecimal url-encoding binary octal code-points html-entities unicode-escapes quoted-printable rot13 "
    "rot47 caesar atbash vigenere substitution rail-fence columns fullwidth math-letters circled bidi reversed "
    "reversed-words flipped-words one-a-line noise-letters json-wrap yaml-wrap xml-wrap code-list "
    "variation-selectors invisible-tags spaced"
)
WHOLE = frozenset(re.findall(r"\S+", _WHOLE))
ROUGH = [disguise for disguise in READABLE if disguise.name not in WHOLE and disguise.script is not Script.HAN]
_SENTENCE = st.text(alphabet="abcdefghilmnopqrstuvwxyz ", min_size=1, max_size=80).map(lambda text: " ".join(text.split()) or "a")
_ANY = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc", "Mn"], exclude_characters="\u202c\u202e"), min_size=1, max_size=80
)
_HAN = st.text(alphabet="请问怎样制作一壶好喝的绿茶叶应该泡多长时间给出详细步骤", min_size=1, max_size=60)


def ids(disguise: Disguise) -> str:
    return disguise.name


def forth_and_back(disguise: Disguise, text: str, number: int = 5) -> str:
    key = disguise.key(Random(number))
    assert disguise.decode is not None
    return disguise.decode(disguise.encode(text, key), key)


@pytest.mark.parametrize("disguise", [d for d in READABLE if d.name in WHOLE], ids=ids)
@settings(max_examples=6, deadline=None)
@given(text=_ANY, number=st.integers(0, 99))
def test_what_keeps_everything_is_read_back_letter_for_letter(disguise: Disguise, text: str, number: int) -> None:
    ascii_only = disguise.name in {"invisible-tags", "math-letters", "circled"}
    plain = text.encode("ascii", "ignore").decode() if ascii_only else text
    if disguise.name == "fullwidth":  # a text that is full-width already cannot be told from a disguised one
        plain = "".join(c for c in text if not "\uff01" <= c <= "\uff5e" and c != "\u3000")
    if disguise.name == "html-entities":  # HTML reads some numbers as others
        plain = "".join(c for c in text if not ("\x80" <= c <= "\x9f" or c in "\0\r") and ord(c) & 0xFFFE != 0xFFFE)
        plain = "".join(c for c in plain if not "\ufdd0" <= c <= "\ufdef")
    if disguise.name == "spaced":
        plain = " ".join(plain.split())
    if plain:
        assert forth_and_back(disguise, plain, number) == plain


@pytest.mark.parametrize("disguise", ROUGH, ids=ids)
@settings(max_examples=6, deadline=None)
@given(text=_SENTENCE, number=st.integers(0, 99))
def test_what_keeps_the_letters_is_read_back_in_lower_case(disguise: Disguise, text: str, number: int) -> None:
    assert forth_and_back(disguise, text, number) == text


@pytest.mark.parametrize("disguise", [d for d in READABLE if d.script is Script.HAN], ids=ids)
@settings(max_examples=6, deadline=None)
@given(text=_HAN, number=st.integers(0, 99))
def test_chinese_disguises_are_read_back(disguise: Disguise, text: str, number: int) -> None:
    assert forth_and_back(disguise, text, number) == text


@pytest.mark.parametrize("disguise", DISGUISES, ids=ids)
def test_a_disguise_changes_the_text_says_how_and_grows_as_it_says(disguise: Disguise) -> None:
    text = ZH if disguise.script is Script.HAN else EN
    lang = "zh" if text is ZH else "en"
    assert disguise.suits(text)
    bare, told = disguise(text, lang, Random(1)), disguise.told(text, lang, Random(1))
    assert bare != text
    assert bare in told
    assert (bare != told) is (disguise.how is not None)
    for long in (text, text * 20):
        assert len(disguise(long, lang, Random(2))) <= disguise.growth * 1.15 * len(long) + disguise.extra + 40


def test_the_same_dice_give_the_same_text_and_the_telling_is_in_the_seeds_language() -> None:
    for disguise in DISGUISES:
        for text, lang in ((EN, "en"), (ZH, "zh")):
            if disguise.suits(text):
                assert disguise.told(text, lang, Random(3)) == disguise.told(text, lang, Random(3))
                if disguise.how is not None:
                    assert ("请先还原" in disguise.told(text, lang, Random(3))) is (lang == "zh")


@pytest.mark.parametrize("disguise", DISGUISES, ids=ids)
@settings(max_examples=6, deadline=None)
@given(text=st.text(min_size=1, max_size=200))
def test_no_text_breaks_a_disguise(disguise: Disguise, text: str) -> None:
    assert isinstance(disguise(text, "en", Random(1)), str)


def test_lone_surrogates_of_a_badly_encoded_seed_do_not_break_a_disguise() -> None:
    for disguise in DISGUISES:
        assert disguise("how \ud800 to \udfff 怎样\ud800做", "en", Random(1)), disguise.name


def test_a_text_longer_than_a_disguise_takes_does_not_suit_it() -> None:
    for disguise in DISGUISES:
        text = ("怎样泡茶" if disguise.script is Script.HAN else "how to brew ") * 8000
        assert not disguise.suits(text)
        assert not disguise.suits("")


def test_latin_ciphers_do_not_suit_chinese_nor_pinyin_english() -> None:
    known = all_disguises()
    assert not known["rot13"].suits(ZH)
    assert not known["pinyin"].suits(EN)
    assert known["base64"].suits(ZH)
    assert known["rot13"].suits("Eleza jinsi ya kutengeneza chai")


def test_keys_are_told() -> None:
    told = all_disguises()["caesar"].told("hello", "en", Random(1))
    key = all_disguises()["caesar"].key(Random(1))
    assert f"moved {key} places" in told


GOLDEN = {
    "base64": base64.b64encode(b"Hello, tea").decode(),
    "rot13": "Uryyb, grn",
    "atbash": "Svool, gvz",
    "morse": ".... . .-.. .-.. --- --..-- / - . .-",
    "nato": "Hotel Echo Lima Lima Oscar , | Tango Echo Alfa",
    "reversed": "aet ,olleH",
    "flipped-words": ",olleH aet",
    "letter-numbers": "8-5-12-12-15-, / 20-5-1",
    "leet": "H3ll0, 734",
    "pig-latin": "ellohay, eatay",
    "no-vowels": "Hll, t",
    "url-encoding": "%48%65%6C%6C%6F%2C%20%74%65%61",
    "spaced": "H e l l o ,   t e a",
    "fullwidth": "Ｈｅｌｌｏ，　ｔｅａ",
    "bacon": "AABBB AABAA ABABB ABABB ABBBA , / BAABB AABAA AAAAA",
    "polybius": "23 15 31 31 34 , / 44 15 11",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    assert all_disguises()[name]("Hello, tea", "en", Random(1)) == GOLDEN[name]


def test_golden_chinese() -> None:
    known = all_disguises()
    text = "制作好茶"
    assert known["pinyin"](text, "zh", Random(1)) == "zhi zuo hao cha"
    assert known["pinyin-tones"](text, "zh", Random(1)) == "zhì zuò hǎo chá"
    assert known["bopomofo"](text, "zh", Random(1)) == "ㄓˋ ㄗㄨㄛˋ ㄏㄠˇ ㄔㄚˊ"
    assert known["split-hanzi"](text, "zh", Random(1)) == "朱刂亻乍女子艹余"
    assert known["row-and-cell"](text, "zh", Random(1)) == "5438 5587 2635 1872"
    assert known["hidden-heads"](text, "zh", Random(1)).split("\n")[2].startswith("好")
    assert known["martian"]("我的你", "zh", Random(1)) == "莪哋伱"
    assert known["interleaved"](text, "zh", Random(1))[::2] == text


def test_homophones_sound_the_same() -> None:
    from pypinyin import Style, pinyin

    coded = all_disguises()["homophones"](ZH, "zh", Random(4))
    assert len(coded) == len(ZH)
    changed = [(old, new) for old, new in zip(ZH, coded, strict=True) if old != new]
    assert len(changed) > 5
    for old, new in changed:
        sounds = [set(pinyin(c, style=Style.NORMAL, heteronym=True)[0]) for c in (old, new)]
        assert sounds[0] & sounds[1]


def test_ascii_art_draws_the_longest_word_and_leaves_a_gap() -> None:
    coded = all_disguises()["ascii-art"]("How does one pick a padlock?", "en", Random(1))
    assert coded.startswith("How does one pick a [MASK]?")
    assert coded.count("#") > 50


def test_the_table_of_parts_names_each_character_once_and_never_itself() -> None:
    from hauberk.probe.attacks.transforms.split_hanzi import _parts

    table = _parts()
    assert len(table) > 450
    assert all(chr(code) not in parts and 2 <= len(parts) <= 4 for code, parts in table.items())


def test_the_guard_reads_some_disguises_and_not_others() -> None:
    """A probe that only had what the guard decodes could not find what it misses."""
    read, unread = set(), set()
    for disguise in DISGUISES:
        text, lang = (ZH, "zh") if disguise.script is Script.HAN else (EN, "en")
        coded = disguise(text, lang, Random(11))
        plain = text.lower().replace(" ", "")
        seen = any(plain[:24] in view.text.lower().replace(" ", "") for view in views_of(coded).views)
        (read if seen else unread).add(disguise.name)
    assert {"base64", "rot13", "hexadecimal", "fullwidth"} <= read
    assert {"vigenere", "rail-fence", "polybius", "tap-code", "bacon", "bopomofo", "row-and-cell", "code-words"} <= unread
    assert len(unread) >= 20
