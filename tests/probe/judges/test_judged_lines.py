"""Lines of prompts and answers as other tools write them."""

import json

import pytest

from hauberk.probe.judges.lines import LineError, line_of


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    line = b"\xef\xbb\xbf" + json.dumps({"id": 1, "prompt": "q", "response": "r"}).encode()
    assert line_of(line)[3] == 1


@pytest.mark.parametrize(
    "line",
    [
        rb'{"id": "a", "prompt": "q", "response": "cut emoji \ud83d"}',
        b'{"id": "a", "prompt": "q", "response": "cut emoji \xf0\x9f"}',
    ],
)
def test_half_a_character_does_not_cost_the_line(line: bytes) -> None:
    _, _, transcript, identity = line_of(line)
    assert identity == "a"
    assert transcript[0].reply is not None
    assert transcript[0].reply.text.startswith("cut emoji ")
    transcript[0].reply.text.encode()


@pytest.mark.parametrize("line", [rb'{"id": 7, "prompt": "q\ud83d"}', b'{"id": 7, "prompt": "\xff", "response": null}'])
def test_an_odd_line_that_lacks_something_still_names_its_id(line: bytes) -> None:
    with pytest.raises(LineError, match="not such a line") as caught:
        line_of(line)
    assert caught.value.identity == 7


@pytest.mark.parametrize("line", [b"nonsense", b"[" * 100_000, b'{"id": 1, "prompt": NaN, "response": "\xff"}', b"[]", b'"x"'])
def test_what_is_no_line_is_one_clear_error(line: bytes) -> None:
    with pytest.raises(LineError):
        line_of(line)
