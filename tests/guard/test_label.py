import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.label import CHINESE, ENGLISH, Labelling, Position, StreamLabel, carrier, extend, header, labelled, metadata_of

ON = Labelling(enabled=True, producer="001191110000MA0000000X", propagator="platform.example")
POSITIONS = [Labelling(enabled=True, position=position) for position in Position]


def streamed(text: str, settings: Labelling, step: int) -> str:
    stream = StreamLabel(settings)
    return "".join(stream.push(text[at : at + step]) for at in range(0, len(text), step)) + stream.end()


def test_off_by_default() -> None:
    body: dict[str, object] = {}
    assert labelled("hello", Labelling()) == "hello"
    extend(body, Labelling(), {"Label": "1"})
    assert body == {}


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        (Position.START, f"{CHINESE}\n\none\n\ntwo"),
        (Position.MIDDLE, f"one\n\n{CHINESE}\n\ntwo"),
        (Position.END, f"one\n\ntwo\n\n{CHINESE}"),
    ],
)
def test_position(position: Position, wanted: str) -> None:
    assert labelled("one\n\ntwo", Labelling(enabled=True, position=position)) == wanted


def test_one_paragraph_has_no_middle() -> None:
    assert labelled("one", Labelling(enabled=True, position=Position.MIDDLE)) == f"one\n\n{CHINESE}"


def test_nothing_said_nothing_labelled() -> None:
    for settings in POSITIONS:
        assert labelled("", settings) == ""
        assert labelled("  ", settings) == "  "


@given(st.text(alphabet="ab\n 本内容由人工智能生成", max_size=60), st.sampled_from(POSITIONS), st.integers(1, 7))
def test_streams_say_what_whole_texts_say_and_twice_is_once(text: str, settings: Labelling, step: int) -> None:
    once = labelled(text, settings)
    assert labelled(once, settings) == once
    if text.strip():
        assert CHINESE in once
    if settings.position is not Position.MIDDLE:  # a border of pieces may stand between the two line feeds
        assert streamed(text, settings, step) == once


@given(st.text(max_size=80), st.integers(1, 9))
def test_nothing_is_lost_or_held_for_ever(text: str, step: int) -> None:
    for settings in POSITIONS:
        assert streamed(text, settings, step).replace(CHINESE, "").replace("\n", "") == text.replace(CHINESE, "").replace("\n", "")


def test_wording_must_be_a_label() -> None:
    assert Labelling(wording=ENGLISH).wording == "AI-generated"
    for wording in ("hello", "人工智能", "生成", "AI-\ngenerated", "said again, generated"):
        with pytest.raises(ValueError, match="label says"):
            Labelling(wording=wording)


def test_metadata_has_the_members_of_the_annex() -> None:
    metadata = metadata_of(ON, "req-1", propagate_id="p-1")
    assert list(metadata) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert list(metadata.values()) == ["1", "001191110000MA0000000X", "req-1", "", "platform.example", "p-1", ""]
    name, value = header(metadata)
    assert name.isascii()
    assert value.isascii()
    assert json.loads(value) == {"AIGC": metadata}
    body: dict[str, object] = {"id": "x"}
    extend(body, ON, metadata)
    extend(body, ON, metadata)
    assert body == {"id": "x", "AIGC": metadata}


def test_who_makes_and_passes_on_stands_in_both_pairs() -> None:
    metadata = metadata_of(Labelling(enabled=True, producer="example"), "req-1")
    assert (metadata["ContentPropagator"], metadata["PropagateID"]) == ("example", "req-1")


@pytest.mark.parametrize("name", ["示例公司", "Example Ltd", "a\\b", "a\r\nSet-Cookie: x", "é", "x" * 257])
def test_regression_names_hold_only_the_characters_of_annex_e(name: str) -> None:
    """Annex E j): single-byte printable characters without space and backslash; Chinese names stand as codes."""
    for field in ("producer", "propagator"):
        with pytest.raises(ValueError, match=f"{field}: GB 45438-2025 annex E"):
            Labelling(**{field: name})
    assert Labelling(producer='!"#[]^~').producer


def test_header_cannot_be_split() -> None:
    _, value = header(metadata_of(Labelling(enabled=True, producer="a"), "1\r\nSet-Cookie: x"))
    assert "\r" not in value
    assert "\n" not in value


def test_the_carrier_is_written_once_and_cannot_be_broken_out_of() -> None:
    settings = Labelling(enabled=True, producer="--><script>", carrier=True)
    metadata = metadata_of(settings, "1")
    once = labelled("text", settings, metadata)
    assert carrier(metadata) in once
    assert once.count("-->") == 1
    assert "<script" not in once
    assert labelled(once, settings, metadata) == once
    assert "<!--" not in labelled("text", ON, metadata)
