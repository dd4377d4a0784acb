from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.configs.model_card import MOST_ITEMS, Dependency, ModelCard, read_card, read_cards
from hauberk.assets.content import BytesContent
from hauberk.assets.tree import Tree

README = b"""---
license: other
license_name: llama3
base_model: [meta/base, meta/base]
datasets:
  - a/stories
  - 7
pipeline_tag: text-generation
library_name: transformers
---
# A model
"""
REQUIREMENTS = b"""# what it needs
torch==2.9.0
Transformers[torch] >= 4.0 ; python_version > "3"
--index-url https://evil.example/simple
git+https://example.org/x.git
numpy===1.26.4  # pinned
pinned-star==1.*
"""


def card_of(**files: bytes) -> ModelCard | None:
    return read_card(Tree({name: BytesContent(data) for name, data in files.items()}), "repo")


def test_a_whole_repository() -> None:
    card = card_of(
        **{
            "README.md": README,
            "config.json": b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "_name_or_path": "tiny"}',
            "requirements.txt": REQUIREMENTS,
            "pyproject.toml": b'[project]\ndependencies = ["click>=8", "einops==0.8"]\n',
            "uv.lock": b'[[package]]\nname = "Wheel"\nversion = "0.45"\n',
        }
    )
    assert card == ModelCard(
        asset="repo",
        name="tiny",
        licences=("llama3",),
        datasets=("a/stories",),
        base_models=("meta/base",),
        architecture="LlamaForCausalLM",
        family="llama",
        task="text-generation",
        library="transformers",
        dependencies=(
            Dependency("click", "", "pyproject.toml"),
            Dependency("einops", "0.8", "pyproject.toml"),
            Dependency("numpy", "1.26.4", "requirements.txt"),
            Dependency("pinned-star", "", "requirements.txt"),
            Dependency("torch", "2.9.0", "requirements.txt"),
            Dependency("transformers", "", "requirements.txt"),
            Dependency("wheel", "0.45", "uv.lock"),
        ),
    )


def test_an_adapter() -> None:
    card = card_of(**{"adapter_config.json": b'{"base_model_name_or_path": "meta/base", "peft_type": "LORA"}'})
    assert card == ModelCard(asset="repo", base_models=("meta/base",), architecture="LORA")


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    card = card_of(**{"README.md": b"\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n"})
    assert card is not None
    assert card.licences == ("mit",)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.md": b"# no front matter"},
        {"README.md": b"---\nlicense: mit\n"},
        {"README.md": b"---\n[unclosed\n---\n"},
        {"README.md": b"---\n- a list\n---\n"},
        {"README.md": b"---\n!!python/object/apply:os.system [id]\n---\n"},
        {"README.md": b"---\nlicense: [1, {}, null]\n---\n"},
        {"README.md": b"---\na: 9999-99-99\n---\n"},
        {"config.json": b"{"},
        {"config.json": b"[" * 200_000},
        {"config.json": b'{"architectures": {"a": 1}, "model_type": 3}'},
        {"config.json": b"\xff"},
        {"pyproject.toml": b"= nonsense"},
        {"pyproject.toml": b'project = "text"'},
        {"uv.lock": b'package = "text"'},
        {"uv.lock": b"a = " + b"[" * 100_000},
        {"requirements.txt": b"# nothing\n\n-r other.txt\n"},
    ],
)
def test_what_says_nothing(files: dict[str, bytes]) -> None:
    assert card_of(**files) is None


def test_bounds() -> None:
    card = card_of(**{"requirements.txt": b"".join(b"p%d\n" % n for n in range(MOST_ITEMS + 500)), "README.md": b"x" * (5 << 20)})
    assert card is not None
    assert len(card.dependencies) == MOST_ITEMS


def test_aliases_do_not_grow() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)] + ["license: *a39"]
    assert card_of(**{"README.md": ("---\n" + "\n".join(lines) + "\n---\n").encode()}) is None


def test_nesting_does_not_end_the_process() -> None:
    for nested in (b"[" * 200_000, b"- " * 100_000):
        assert card_of(**{"README.md": b"---\na: " + nested + b"\n---\n"}) is None


def test_from_disk(tmp_path: Path) -> None:
    good, empty = tmp_path / "good", tmp_path / "empty"
    good.mkdir()
    empty.mkdir()
    (good / "README.md").write_bytes(README)
    (good / "requirements-dev.txt").write_bytes(b"torch\n")
    (good / "config.json").symlink_to(tmp_path / "gone.json")
    cards = read_cards([str(good), str(empty), str(tmp_path / "none"), str(good / "README.md")])
    assert [card.asset for card in cards] == [str(good)]
    assert cards[0].dependencies == (Dependency("torch", "", "requirements-dev.txt"),)


@given(
    st.sampled_from(["README.md", "config.json", "adapter_config.json", "pyproject.toml", "uv.lock", "requirements.txt"]),
    st.binary(),
)
def test_any_bytes(name: str, data: bytes) -> None:
    for given_ in (data, b"---\n" + data + b"\n---\n", b'{"architectures": ' + data + b"}"):
        card_of(**{name: given_})
