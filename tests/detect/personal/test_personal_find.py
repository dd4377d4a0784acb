"""What is personal data, what only looks like it, and how rarely chance makes it."""

import itertools
import random
import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Confidence
from hauberk.detect.personal import Span
from hauberk.detect.personal.find import KINDS, RECOGNISERS, find
from hauberk.detect.personal.fold import fold


def sure(text: str) -> list[Span]:
    return find(text, least=Confidence.MEDIUM)


QUIET = """\
Pi is 3.14159265358979323846264338327950288
ISBN 978-7-111-40701-0 and ISBN 9787111407010
订单号 202403151234567890
sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709
md5=d41d8cd98f00b204e9800998ecf8427e
1,234,567,890 people
at 1700000000123 ms
2024-03-15T12:34:56.789+08:00
v1.13812345678
version 10.0.19045.3803
x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
for (int i = 0; i < 1000000007; ++i)
0.13812345678
$13812345678
https://x.com/a/status/1381234567890123456
#13812345678
a13812345678b
1-13812345678-2
std::vector<int>::iterator
12:34:56:78
2001:db8
logo@2x.png
@media (max-width: 600px)
DE 100 km
IP65 rated
see RFC 2606, section 3.2.1.1
京东商城
川A菜
第3号文件
他住在三楼
5路公交车3号线
房间号302
我叫你别说话
姓名、电话和地址
QQ音乐
微信支付
born in 1990
生日快乐
the passport was issued in 2019
护照在2024年到期
+1 for this
C++11 and C++14
1 + 23456789 = 23456790
0x7ffee3b5c8a0
AAAA1234B
11111111111111111111
0000 0000 0000 0000
000-00-0000
订单13812345678已发货
tracking number 4111111111111111
1914-1918, 1939-1945
100 000 000
E = mc2
ABCDE12345
""".splitlines()


@pytest.mark.parametrize("text", QUIET)
def test_quiet(text: str) -> None:
    assert sure(text) == []


def test_every_kind_of_space_dash_and_digit() -> None:
    for text in [
        "138\u00a01234\u00a05678",
        "138\u20131234\u20135678",
        "１３８１２３４５６７８",
        "138\u200b1234\u20605678",
        "١٣٨١٢٣٤٥٦٧٨",
    ]:
        (span,) = sure(text)
        assert (span.kind, text[span.start : span.end]) == ("phone", text)


def test_places_are_those_of_the_original() -> None:
    text = "\u200b\u200b电\u200b话：138\u200b12345678\u200b。"
    (span,) = sure(text)
    assert text[span.start : span.end] == "138\u200b12345678"


def test_a_label_makes_sure_and_another_name_makes_quiet() -> None:
    assert [s.confidence for s in find("13812345678")] == [Confidence.MEDIUM]
    assert [s.confidence for s in find("手机：13812345678")] == [Confidence.HIGH]
    assert find("运单号：13812345678") == []


def test_lists_of_values_are_found_one_by_one() -> None:
    row = "13812345678,13912345678;13712345678|11010519491231002X\tzhang@qq.com,6222021234567890128"
    assert [span.kind for span in sure(row)] == ["phone", "phone", "phone", "cn-resident-id", "email", "card"]


def test_the_longer_surer_value_wins() -> None:
    assert [s.kind for s in sure("DE89 3704 0044 0532 0130 00")] == ["iban"]
    assert [s.kind for s in sure("11010519491231002X")] == ["cn-resident-id"]


def test_only_the_kinds_asked_for() -> None:
    text = "13812345678 zhang@qq.com"
    assert [s.kind for s in find(text, frozenset({"email"}))] == ["email"]
    assert {kind for one in RECOGNISERS for kind in one.kinds} == KINDS


def test_random_numbers_rarely_pass() -> None:
    chance = random.Random(7)
    limits = {6: 0, 8: 0, 9: 0, 10: 0, 12: 0, 14: 5, 15: 20, 16: 60, 17: 10, 18: 10, 20: 0, 24: 0}
    for length, limit in limits.items():
        hits = sum(bool(sure("".join(chance.choices(string.digits, k=length)))) for _ in range(2000))
        assert hits <= limit, f"{length} digits: {hits} of 2000"


def test_identifiers_of_machines_do_not_pass() -> None:
    chance = random.Random(8)
    for _ in range(2000):
        bits = chance.getrandbits(128)
        for text in (str(uuid.UUID(int=bits)), f"{bits:032x}", f"{bits:040X}", f"{bits % 10**9 / 1000:.6f}"):
            assert sure(text) == [], text


@given(st.text(max_size=400))
@settings(max_examples=300)
def test_any_text_is_read_and_spans_are_in_order(text: str) -> None:
    spans = find(text)
    assert all(0 <= s.start < s.end <= len(text) for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(st.text(st.sampled_from("0123456789 -.+()@：:ABXDE路号市区县京[at]dot年月日,"), max_size=300))
@settings(max_examples=500)
def test_any_soup_of_their_characters_is_read(soup: str) -> None:
    text = f"电话 {soup}"
    folded = fold(text)
    every = [span for one in RECOGNISERS for span in one.find(folded.text)]
    # The hints leave out nothing that a recogniser would find.
    found = find(text)
    assert bool(found) == bool(every)


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "a@", "a.", "a [dot] ", "市", "路1号", "1-", "GB29 ", "::", "姓名：", "微信", "+1 ", "(1)", "A1"]
)
def test_long_hostile_texts_take_linear_time(piece: str) -> None:
    find(piece * (200_000 // len(piece)))  # the test suite's own time limit would tell


def test_an_address_goes_on_behind_the_yard() -> None:
    text = "我住在北京市朝阳区建国路88号院3号楼2单元501室。"
    assert [text[s.start : s.end] for s in sure(text)] == ["北京市朝阳区建国路88号院3号楼2单元501室"]
    assert [s.end for s in sure("住址：北京市朝阳区建国路88号院内")] == [15]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("手机号一三八零零一三八零零零", "一三八零零一三八零零零"),
        ("电话幺三八零零幺三八零零零。", "幺三八零零幺三八零零零"),
        ("身份证号一一〇一〇五一九四九一二三一〇〇二X", "一一〇一〇五一九四九一二三一〇〇二X"),
    ],
)
def test_digits_in_words_are_digits(text: str, value: str) -> None:
    assert [text[s.start : s.end] for s in sure(text)] == [value]


def test_a_person_at_a_reserved_domain_is_masked_and_a_stand_in_is_not() -> None:
    assert [s.kind for s in sure("write to john.doe@example.com")] == ["email"]
    for stand_in in ("user", "test1", "your_email", "your.name", "admin", "you"):
        assert not sure(f"write to {stand_in}@example.com")


def test_a_number_is_found_by_what_stands_before_it_alone() -> None:
    """A word far behind it once decided whether `contact` made a telephone number; a stream, which has no far behind, differed."""
    for far in ("", " 电话：62751234"):
        assert "phone" not in {s.kind for s in sure(f"Contact 2024-01-15 {far}") if s.start < 12}
        assert "phone" not in {s.kind for s in sure(f"Contact 20240115 99 {far}") if s.start < 12}


def test_a_date_is_no_telephone_number() -> None:
    assert not sure("电话 2024-01-15")
