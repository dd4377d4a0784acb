"""Secrets and personal data in streams, with the rules that ship."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect import Bench
from hauberk.guard.redact import Find, Masker, finder, masked
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.rules import load_pack

KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + "TNG4LNhgilejw02OefVRF3rXvFFCZjc9KkJJXqq4I0JjHTLP8nfSkVeRvzNt6SLj\n" * 4
    + "-----END PRIVATE KEY-----\n"
)
VALUES = [
    "11010519491231002X", "１１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002X", "13812345678", "+86 138 1234 5678",
    "138-1234-5678",
    "(415) 555-2671", "4111 1111 1111 1111", "6222021234567890128", "DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819",
    "zhang.san@qq.com", "john [at] company [dot] com", "91350100M000100Y43", "京A12345", "浙江省杭州市西湖区文三路478号3楼302室",
    "北京市 海淀区 中关村大街27号", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "00:1A:2B:3C:4D:5E",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "My name is John Smith", "姓名：张三丰", "born on March 7, 1990",
    "birthday: 7 march 1990", "born Sept. 3rd, 1990", "SSN 123-45-6780",
    "AB 12 34 56 C", "passport number: AB1234567", "微信号：wxid_abc123", "QQ：12345678", "138\u200b1234\u200b5678",
    "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", "postgresql://app:B9t2039bicBTW5ZE@db.internal.corp:5432/app",
    'api_key = "VDctQUy1xvCkgafrfwA94hJ9WnywX0t0"', "WANDB_API_KEY=0c621de49f145fda9988c79fc35526f7eaed4672\n", KEY,
]  # fmt: skip
PROSE = [
    "The", " cat", " sat on the mat. ", "Dear Sir or Madam, ", "请问", "今天天气很好", "，", "。", "、", "\n", " ", ": ", "-",
    "1", "42 ", "(x) ",
    "e.g. ", "New York ", "version 3.14.15 ", "print(a[0])", "“", "电话", "my phone is ", "订单号：", "卡号 ",
    "\u200b", "at ", "你", "\t", "@",
    "7 apples ", "is 5", "1, 2, 3, ", "| 42 | x |", "x = ", "born 7 march 1990 ", "ends. 17 ", "DOB: 3 may, 2001; ", "tel: ", "# 4",
]  # fmt: skip


@pytest.fixture(scope="module")
def find() -> Find:
    wanted = ("sensitive-information", "credential-exposure")
    return finder(Bench(rule for rule in load_pack().rules if rule.risk in wanted and "message" in rule.reads))


PIECES = st.lists(st.sampled_from(VALUES) | st.sampled_from(PROSE), max_size=14)


@given(PIECES, st.lists(st.integers(0, 2000), max_size=40))
@settings(max_examples=400, deadline=None)
def test_a_stream_gives_what_the_whole_text_gives(find: Find, pieces: list[str], places: list[int]) -> None:
    text = "".join(pieces)
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    redactor = StreamRedactor(find)
    got = "".join([*(redactor.feed(text[a:b]) for a, b in pairwise(bounds)), redactor.end()])
    assert got == masked(text, find(text), Masker())


@given(PIECES)
@settings(max_examples=60, deadline=None)
def test_one_character_at_a_time_too(find: Find, pieces: list[str]) -> None:
    text = "".join(pieces)
    redactor = StreamRedactor(find)
    assert "".join([*map(redactor.feed, text), redactor.end()]) == masked(text, find(text), Masker())


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("carrier", ["Here it is: {} as you asked.", "给你：{}，请查收。", "{}"])
def test_no_fragment_leaks_wherever_it_is_split(find: Find, value: str, carrier: str) -> None:
    text = carrier.format(value)
    want = masked(text, find(text), Masker())
    assert want != text
    for cut in range(1, len(text)):
        redactor = StreamRedactor(find)
        assert redactor.feed(text[:cut]) + redactor.feed(text[cut:]) + redactor.end() == want
