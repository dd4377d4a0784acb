"""XML models: nothing outside the file is read, nothing is expanded, and code in PMML or OpenVINO IR is seen."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.graphs.xml_model import read
from hauberk.assets.identify import identify
from hauberk.core import Asset, Fact, Gap


def items(text: str | bytes) -> list[Fact | Asset | Gap]:
    data = text.encode() if isinstance(text, str) else text
    return list(read(Asset(uri="m", name="m.xml", format="xml", content=BytesContent(data)), Budget()))


def checks(text: str | bytes) -> set[str]:
    return {item.check for item in items(text) if isinstance(item, Fact)}


def pmml(inside: str) -> str:
    return f'<?xml version="1.0"?><PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/>{inside}</PMML>'


def layer(attributes: str, inside: str = "") -> str:
    return f'<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" {attributes}>{inside}</layer></layers></net>'


@pytest.mark.parametrize(
    ("declared", "check"),
    [
        ('<!ENTITY e SYSTEM "file:///etc/passwd">', "xml.external-entity"),
        ('<!ENTITY e PUBLIC "x" "http://192.0.2.1/e">', "xml.external-entity"),
        ('<!ENTITY % e SYSTEM "http://192.0.2.1/e">%e;', "xml.external-entity"),
        ('<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">', "xml.nested-entity"),
        ('<!ENTITY a "ha">', "xml.entity"),
    ],
)
def test_entities_end_the_reading(declared: str, check: str) -> None:
    found = items(
        f'<?xml version="1.0"?><!DOCTYPE x [{declared}]><PMML description="&a;"><Extension>os.system("id")</Extension></PMML>'
    )
    assert check in {item.check for item in found if isinstance(item, Fact)}
    assert [item.reason for item in found if isinstance(item, Gap)] == ["undecided"]


def test_billion_laughs_expands_nothing() -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "lol">{levels}]><PMML><Header description="&a9;"/></PMML>'
    assert checks(text) == {"xml.entity", "xml.nested-entity"}


def test_doctype_from_elsewhere() -> None:
    found = [item for item in items('<!DOCTYPE PMML PUBLIC "x" "http://192.0.2.1/x.dtd"><PMML/>') if isinstance(item, Fact)]
    assert [(f.check, f.attrs["remote"], f.attrs["root"]) for f in found] == [("xml.external-doctype", True, "PMML")]


def test_property_list_is_usual() -> None:
    system = "http://www.apple.com/DTDs/PropertyList-1.0.dtd"
    assert items(f'<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "{system}"><plist/>') == []


@pytest.mark.parametrize(
    "inside",
    [
        "<Extension>system('id')</Extension>",
        "<Extension>SyStEm('id')</Extension>",
        "<Extension>eval(atob('YQ=='))</Extension>",
        "<Extension>\n import subprocess\n subprocess.run('id')</Extension>",
        "<Extension><![CDATA[__import__('os').system('id')]]></Extension>",
        "<Extension name='x' value=\"os.system('id')\"/>",
        "<Extension>importlib.import_module('os')</Extension>",
    ],
)
def test_code_in_an_extension(inside: str) -> None:
    assert checks(pmml(inside)) == {"metadata.code"}


@pytest.mark.parametrize(
    "inside",
    [
        "<Extension name='note' value='ok'/>",
        "<Extension>The system (version 3) was evaluated on the operating system logs.</Extension>",
        "<Extension>evaluate(model)</Extension>",
        "<Apply function='ln'/><Apply function='+'/>",
        "<DefineFunction name='own.f'/><Apply function='own.f'/>",
        "<Apply function='own.g'/><DefineFunction name='own.g'/>",
    ],
)
def test_benign_pmml(inside: str) -> None:
    assert items(pmml(inside)) == []


@pytest.mark.parametrize(
    ("name", "java"), [("java.lang.Runtime.exec", True), ("com.example.Score", False), ("javascript.f", False)]
)
def test_functions_from_elsewhere(name: str, java: bool) -> None:  # noqa: FBT001 - a parameter of the test
    found = [i for i in items(pmml(f"<Apply function='{name}'/>")) if isinstance(i, Fact) and i.check == "pmml.function"]
    assert [(f.quote, f.attrs["java"]) for f in found] == [(name, java)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (layer('type="Parameter" version="opset1"'), set[str]()),
        (layer('type="X" version="extension"'), {"openvino.custom-layer"}),
        (layer('type="X" version="opset1" library="/tmp/evil.so"'), {"openvino.library"}),
        (layer('type="Const" version="opset1"', '<data offset="-1" size="4"/>'), {"openvino.bounds"}),
        (layer('type="Const" version="opset1"', '<data offset="0" size="99999999999999999999"/>'), {"openvino.bounds"}),
        (layer('type="Const" version="opset1"', '<data element_type="f32" offset="0" size="4"/>'), set[str]()),
    ],
)
def test_openvino(text: str, found: set[str]) -> None:
    assert checks(text) == found


def test_utf_16_is_read_too() -> None:
    assert checks(pmml("<Extension>os.system('id')</Extension>").replace('<?xml version="1.0"?>', "").encode("utf-16")) == {
        "metadata.code"
    }


@pytest.mark.parametrize(
    "text", ["<PMML>", "<PMML></net>", "<PMML a=1/>", "<?xml version='1.0' encoding='x-none'?><PMML/>", "<" * 50]
)
def test_broken_xml_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        items(text)


def test_depth_is_bounded() -> None:
    with pytest.raises(Malformed) as raised:
        items("<a>" * 5000)
    assert raised.value.check == "xml.too-deep"


def test_facts_before_a_break_are_kept() -> None:
    seen: list[object] = []
    reader = read(Asset(uri="m", content=BytesContent(pmml("<Extension>os.system('id')</Extension><broken").encode())), Budget())
    with pytest.raises(Malformed):
        seen.extend(reader)
    assert seen


def test_identified_by_content() -> None:
    assert identify(BytesContent(pmml("").encode()), "m.bin") == ("xml",)


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="<>/!&;[]\"'= aPML?-%", max_size=200).map(str.encode)))
def test_nothing_but_read_errors_escape(data: bytes) -> None:
    with suppress(ReadError):
        items(data)
