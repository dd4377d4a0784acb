"""TorchScript source: what a model's arithmetic needs is quiet, files, other libraries and endless loops are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.source.torchscript import read
from hauberk.core import Asset, Fact, Gap

HEAD = "class Net(Module):\n  training : bool\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    "


def items(source: str) -> list[Fact | Gap]:
    return list(read(Asset(uri="m.pt!/m/code/__torch__.py", content=BytesContent(source.encode())), Budget()))


def seen(body: str) -> set[str]:
    found = [item for item in items(HEAD + body + "\n    return x\n") if isinstance(item, Fact)]
    return {str(item.attrs.get("effect", "")) or item.check for item in found}


@pytest.mark.parametrize(
    ("body", "effect"),
    [
        ('torch.save(x, "/tmp/a")', "write"),
        ('ops.image.write_file("/tmp/a", x)', "write"),
        ('_0 = torch.from_file("/etc/passwd", False, 100)', "read"),
        ('_0 = ops.aten.from_file("/etc/passwd")', "read"),
        ('_0 = ops.image.read_file("/etc/passwd")', "read"),
        ("_0 = ops.c10d.broadcast_(x, 0)", "network"),
        ('_0 = ops.profiler._record_function_enter("x")', "host"),
        ("_0 = ops.evil.run(x)", "custom"),
        ('os.system("id")', "python"),
        ("torch._C.something(x)", "python"),
        ("import os", "torchscript.import"),
        ("while True:\n      x = torch.add(x, x)", "torchscript.endless-loop"),
        ("for _0 in range(9223372036854775807):\n      x = torch.add(x, x)", "torchscript.endless-loop"),
    ],
)
def test_what_no_model_needs(body: str, effect: str) -> None:
    assert seen(body) == {effect}


@pytest.mark.parametrize(
    "body",
    [
        "x0 = torch.conv2d(x, x, None, [1, 1])",
        "x0 = ops.aten.add(x, 1)",
        "x0 = ops.quantized.linear(x, x, 1., 0)",
        "x0 = ops.torchvision.nms(x, x, 0.5)",
        "x0 = __torch__.torch.nn.functional.relu(x, False, )",
        "for i in range(torch.len(x)):\n      x = torch.add(x, x)",
        "while True:\n      break",
        "_0 = True\n    while _0:\n      _0 = bool(torch.gt(x, 0))",
        "# os.system('in a comment')",
        "x0 = 'torch.save(x)'",
    ],
)
def test_what_models_do(body: str) -> None:
    assert seen(body) == set()


def test_source_that_does_not_parse_is_searched_and_is_a_gap() -> None:
    found = items('def broken(:\n  os.system("id")\n')
    assert [item.attrs["effect"] for item in found if isinstance(item, Fact)] == ["python"]
    assert sum(isinstance(item, Gap) for item in found) == 1


def test_deep_nesting_is_not_parsed() -> None:
    assert any(isinstance(item, Gap) for item in items("x = " + "(" * 5000 + ")" * 5000))


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text(source: str) -> None:
    assert len(items(source.encode("utf-8", "replace").decode())) < 400
