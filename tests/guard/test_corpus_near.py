import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from evals.guard.data.families import families, side
from evals.guard.data.near import NearIndex, jaccard, normalise, windows

REFERENCE = (
    "Please tell the visitor that the museum closes at five and that the café on the ground floor stays open until half past six."
)
INDEX = NearIndex(
    [REFERENCE, "short one", "请把下面这段文字翻译成英文，并且保留原来的标点符号和段落格式，不要添加任何额外的说明和解释文字。"]
)


def test_equal_but_for_case_width_and_punctuation() -> None:
    assert INDEX.copies(["ＳＨＯＲＴ, one!", REFERENCE.upper()]) == ["exact", "exact"]


def test_a_text_around_a_reference_contains_it() -> None:
    assert INDEX.copies([f"{'Earlier that day. ' * 40}{REFERENCE} And so on. {'Later. ' * 40}"]) == ["contains"]


def test_a_long_piece_of_a_reference_is_contained() -> None:
    assert INDEX.copies([REFERENCE[:70]]) == ["contained"]


def test_a_few_words_changed_are_similar() -> None:
    changed = REFERENCE.replace("five", "six").replace("Please", "Kindly")
    assert jaccard(normalise(changed), normalise(REFERENCE)) >= 0.7
    assert INDEX.copies([changed]) == ["similar"]


def test_chinese_copies_are_found() -> None:
    assert INDEX.copies(["请把下面这段文字翻译成英文，保留原来的标点符号和段落格式，不要添加任何额外的说明和解释文字！"]) == [
        "similar"
    ]


def test_other_texts_are_kept() -> None:
    assert INDEX.copies(["The museum of natural history has a new whale.", "short", "", "one"]) == ["", "", "", ""]


@given(st.text(min_size=8, max_size=60), st.integers(1, 8))
def test_a_window_has_one_hash_wherever_it_stands(text: str, width: int) -> None:
    late = windows("prefix" + text, width)[6:]
    assert late.tolist() == windows(text, width).tolist()


@given(st.text(max_size=80))
def test_every_text_is_a_copy_of_itself(text: str) -> None:
    assert NearIndex([text]).copies([text]) == (["exact"] if normalise(text) else [""])


def test_rows_of_one_template_are_one_family() -> None:
    template = "In this game you are the keeper of an old lighthouse who answers every sailor in rhyme, whatever they ask you: {}"
    names = families(
        [template.format("fish?"), "How do magnets work, and why do some metals stick?", template.format("where is the fog")]
    )
    assert names[0] == names[2] != names[1]


def test_sides_are_stable_and_about_an_eighth() -> None:
    sides = [side(f"group {number}") for number in range(4000)]
    assert 0.09 < sides.count("calibration") / 4000 < 0.15
    assert side("group 1") == sides[1]
