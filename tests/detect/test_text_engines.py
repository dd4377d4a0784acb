"""The engines that read text: RE2 sets, random-looking values, windows over long texts."""

import time

import pytest

from hauberk.assets.content import BytesContent
from hauberk.core import Asset, Confidence, Finding, Gap, Kind, Rule, Severity, Stage, Text
from hauberk.detect.engines import entropy, regex
from hauberk.detect.errors import RuleError
from hauberk.detect.text_windows import OVERLAP, WINDOW, windows


def rule(match: dict[str, object], name: str = "r", engine: str = "regex") -> Rule:
    words = Text(en="t", zh="t")
    return Rule(
        name, words, Stage.MODEL, "remote-code", (Kind.TEXT,), Severity.LOW, Confidence.LOW, words, words, engine, match, ()
    )


def asset(data: bytes, form: str = "text", name: str = "a.txt") -> Asset:
    return Asset(uri=name, kind=Kind.TEXT, format=form, name=name, content=BytesContent(data))


def found(match: dict[str, object], data: bytes, form: str = "text", name: str = "a.txt") -> list[Finding]:
    items = list(regex.compile_rules([rule(match)])(asset(data, form, name)))
    assert not any(isinstance(item, Gap) for item in items)
    return [item for item in items if isinstance(item, Finding)]


def test_a_match_says_where() -> None:
    (finding,) = found({"any": ["b+"]}, "é\na bbb c\n".encode())
    (evidence,) = finding.evidence
    assert (evidence.offset, evidence.where, evidence.quote) == (5, "line 2", "bbb")


def test_equal_pieces_are_one_finding() -> None:
    findings = found({"any": ["b.", "zzz"]}, b"bx\nby\nbx\n")
    assert [(f.evidence[0].quote, len(f.evidence)) for f in findings] == [("bx", 2), ("by", 1)]


def test_a_line_that_is_excluded_is_dropped() -> None:
    assert [f.evidence[0].where for f in found({"any": ["key"], "not": ["example"]}, b"key example\nkey\nexample\n")] == ["line 2"]


def test_formats_and_names() -> None:
    assert found({"any": ["x"], "formats": ["script"]}, b"x") == []
    assert found({"any": ["x"], "without": ["text"]}, b"x") == []
    assert found({"any": ["x"], "names": r"\.pth$"}, b"x") == []
    assert found({"any": ["x"], "names": r"\.pth$"}, b"x", name="a.pth")


def test_secrets_are_redacted() -> None:
    (finding,) = found({"any": ["key=(\\w+)"], "redact": True}, b"key=abcdefghijklmnop\n")
    assert finding.evidence[0].quote == "abcd…op (16 characters)"
    assert "efgh" not in finding.message


def test_nothing_in_common_with_bytes_that_are_not_text() -> None:
    assert found({"any": ["PNG"]}, b"\x89PNG\r\n", form="image") == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings(encoding: str) -> None:
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    data = marks.get(encoding, b"") + "a\nsecret é\n".encode(encoding)
    (finding,) = found({"any": ["secret é"]}, data)
    assert finding.evidence[0].where == "line 2"


def test_a_long_text_is_read_to_its_end_and_matches_are_counted_once() -> None:
    filler = b"0123456789abcde\n" * (WINDOW // 16)
    data = filler[:-8] + b"needle-1" + filler[: -OVERLAP // 2] + b"needle-2\n" + b"x" * 100 + b"needle-3"
    findings = found({"any": ["needle-[0-9]"]}, data)
    places = {f.evidence[0].quote: [e.offset for e in f.evidence] for f in findings}
    assert places == {p: [data.index(p.encode())] for p in ("needle-1", "needle-2", "needle-3")}
    line = {f.evidence[0].quote: f.evidence[0].where for f in findings}["needle-2"]
    assert line == f"line {data[: data.index(b'needle-2')].count(10) + 1}"


def test_windows_cover_every_byte() -> None:
    data = bytes(range(32, 127)) * (WINDOW // 40)
    seen = bytearray()
    for window in windows(asset(data)):
        seen += window.data[len(seen) - window.base :]
    assert bytes(seen) == data


@pytest.mark.parametrize(
    "match", [{"any": ["("]}, {"any": ["(?=x)"]}, {"any": "x"}, {"all": ["x"]}, {"any": ["x"], "not": ["["]}, {}]
)
def test_a_bad_match_is_refused(match: dict[str, object]) -> None:
    with pytest.raises(RuleError, match="r: "):
        regex.compile_rules([rule(match)])


def test_many_patterns_cost_one_pass() -> None:
    rules = [rule({"any": [f"needle{n:03}[a-z]{{20}}x"]}, f"r{n}") for n in range(300)]
    detect = regex.compile_rules(rules)
    text = asset(b"the quick brown fox jumps over the lazy dog needle\n" * 20_000)
    assert list(detect(text)) == []
    start = time.process_time()
    assert list(detect(text)) == []
    assert time.process_time() - start < 0.5


def secrets(data: bytes) -> list[str]:
    match: dict[str, object] = {"names": "(?i)api_key|token", "shortest": 16, "bits": 3.5, "not": ["(?i)example"]}
    detect = entropy.compile_rules([rule(match, engine="entropy")])
    return [f.evidence[0].quote for f in detect(asset(data)) if isinstance(f, Finding)]


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "kJ8f2LmQ9xZt4Rw7Vb1N"',
        "API_KEY=kJ8f2LmQ9xZt4Rw7Vb1N",
        '{"token": "kJ8f2LmQ9xZt4Rw7Vb1N"}',
        "api_key: 'kJ8f2LmQ9xZt4Rw7Vb1N'",
        "token => 'kJ8f2LmQ9xZt4Rw7Vb1N'",
    ],
)
def test_random_values_under_a_secret_name(text: str) -> None:
    assert secrets(text.encode()) == ["kJ8f…1N (20 characters)"]


@pytest.mark.parametrize(
    "text",
    [
        'api_key = "aaaaaaaaaaaaaaaaaaaa"',
        'api_key = "example-kJ8f2LmQ9xZt4Rw7Vb1N"',
        'api_key = "abcdefghijklmnopqrst"',
        'colour = "kJ8f2LmQ9xZt4Rw7Vb1N"',
        'api_key = os.environ["kJ8f2LmQ9xZt4Rw7Vb1N"]',
        'api_key = "short1"',
    ],
)
def test_other_values_are_quiet(text: str) -> None:
    assert secrets(text.encode()) == []


def test_entropy() -> None:
    assert entropy.bits_per_character(b"aaaa") == 0
    assert entropy.bits_per_character(b"abcd") == 2


def test_a_bad_entropy_match_is_refused() -> None:
    with pytest.raises(RuleError, match="r: match"):
        entropy.compile_rules([rule({"names": "x"}, engine="entropy")])
