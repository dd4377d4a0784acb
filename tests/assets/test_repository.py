"""Directories read as one thing: shards, links, git, dependencies, tokenizers, image layouts."""

import hashlib
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.configs.lfs_pointer import read as read_pointer
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import Malformed
from hauberk.assets.repository.reader import read
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap, GapReason, Kind

Files = dict[str, bytes | str | dict[str, object]]
CONFIG: Files = {"config.json": {"model_type": "llama"}}


def items(files: Files, links: dict[str, str] | None = None) -> list[Fact | Asset | Gap]:
    raw = {name: BytesContent(_bytes(data)) for name, data in files.items()}
    asset = Asset(uri="m", kind=Kind.REPOSITORY, format="repository", name="m", content=Tree(raw, links))
    return list(read(asset, Budget()))


def _bytes(data: bytes | str | dict[str, object]) -> bytes:
    return data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode()


def checks(files: Files, links: dict[str, str] | None = None) -> set[str]:
    return {item.check for item in items(files, links) if isinstance(item, Fact)}


def absent(files: Files) -> int:
    return sum(isinstance(item, Gap) and item.reason is GapReason.ABSENT for item in items(files))


def safetensors(*names: str) -> bytes:
    header = {name: {"dtype": "U8", "shape": [4], "data_offsets": [4 * n, 4 * n + 4]} for n, name in enumerate(names)}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"\1" * 4 * len(names)


def index(weights: dict[str, object], **metadata: object) -> Files:
    return {"model.safetensors.index.json": {"metadata": metadata, "weight_map": weights}}


A, B = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def test_shards_that_agree_say_nothing() -> None:
    files: Files = {**CONFIG, **index({"a": A, "b": B}, total_size=8), A: safetensors("a"), B: safetensors("b")}
    assert items(files) == []


def test_absent_shard_is_a_gap() -> None:
    assert absent({**index({"a": A, "b": B}), A: safetensors("a")}) >= 1


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({**index({"a": A}), A: safetensors("a"), B: safetensors("b")}, "repository.shard-not-indexed"),
        ({**index({"a": A, "b": B}), A: safetensors("a", "x"), B: safetensors("b")}, "repository.tensor-not-indexed"),
        ({**index({"a": A, "b": B}), A: safetensors("a", "b"), B: safetensors("b")}, "repository.tensor-elsewhere"),
        ({**index({"a": A, "b": B}), A: safetensors("a"), B: safetensors("c")}, "repository.tensor-absent"),
        ({**index({"a": A}, total_size=10**15), A: safetensors("a")}, "repository.index-size"),
        (index({"a": 7}), "repository.index-odd"),
    ],
)
def test_shards(files: Files, check: str) -> None:
    assert check in checks(files)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../other/model.bin", "../x", "C:\\x"])
def test_links_that_leave(target: str) -> None:
    assert "repository.link-outside" in checks(CONFIG, {"model.safetensors": target})


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("snapshots/abc/model.bin", "../../blobs/" + "0" * 40),
        ("snapshots/abc/x/model.bin", "../../../blobs/" + "a" * 64),
        ("a/b.bin", "../c.bin"),
    ],
)
def test_links_that_stay(name: str, target: str) -> None:
    assert checks(CONFIG, {name: target}) == set()


@pytest.mark.parametrize(
    "files",
    [
        {".git/hooks/post-checkout": "#!/bin/sh\nid\n"},
        {".git/modules/x/hooks/pre-commit": "#!/bin/sh\nid\n"},
        {"nested/.git/hooks/post-merge": '#!/bin/sh\ngit lfs post-merge "$@"\nid\n'},
        {".husky/pre-commit": "npx evil\n"},
    ],
)
def test_git_hooks(files: Files) -> None:
    assert "repository.git-hook" in checks(files)


@pytest.mark.parametrize(
    "text",
    [
        "[core]\n\tfsmonitor = ./x\n",
        "[core] sshCommand = sh -c id\n",
        '[filter "x"]\n\tsmudge = sh x\n',
        '[filter "lfs"]\n\tsmudge = git-lfs smudge -- %f; id\n',
        "[alias]\n\tst = !id\n",
        "[include]\n\tpath = ../evil\n",
        '[remote "o"]\n\turl = ext::sh -c id\n',
    ],
)
def test_git_configuration(text: str) -> None:
    assert "repository.git-config" in checks({".git/config": text})


def test_an_ordinary_clone_says_nothing() -> None:
    files: Files = {
        ".git/config": '[core]\n\tbare = false\n\tfsmonitor = false\n[remote "o"]\n\turl = https://x.example/m\n[filter "lfs"]\n'
        "\tclean = git-lfs clean -- %f\n\tsmudge = git-lfs smudge -- %f\n\tprocess = git-lfs filter-process\n[alias]\n\tst = log\n",
        ".git/hooks/pre-push.sample": "#!/bin/sh\nid\n",
        ".git/hooks/pre-push": '#!/bin/sh\ncommand -v git-lfs >/dev/null 2>&1 || { exit 2; }\ngit lfs pre-push "$@"\n',
        ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    }
    assert checks(files) == set()


@pytest.mark.parametrize(
    ("text", "check", "trusted"),
    [
        ("--extra-index-url http://192.0.2.3/simple\n", "repository.other-index", False),
        ("--index-url=https://download.pytorch.org/whl/cpu\n", "repository.other-index", True),
        ("--index-url https://pypi.org.evil.example/simple\n", "repository.other-index", False),
        ("x @ git+https://evil.example/x.git\n", "repository.direct-dependency", False),
        ("git+https://github.com/huggingface/transformers\n", "repository.direct-dependency", True),
    ],
)
def test_dependencies(text: str, check: str, trusted: bool) -> None:  # noqa: FBT001 - a table
    found = [item for item in items({**CONFIG, "requirements.txt": text}) if isinstance(item, Fact)]
    assert [(fact.check, fact.attrs["trusted"]) for fact in found] == [(check, trusted)]


def test_code_that_is_not_here_is_a_gap() -> None:
    config: Files = {"config.json": {"auto_map": {"AutoModel": "modeling.M"}}}
    assert absent(config) == 1
    assert absent({**config, "modeling.py": "class M: pass"}) == 0


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({**CONFIG, "setup.py": "x"}, "repository.run-by-name"),
        ({**CONFIG, "install.sh": "x"}, "repository.script"),
        ({**CONFIG, "helper": b"\x7fELF" + b"\0" * 80}, "repository.program"),
        ({**CONFIG, "custom_generate/generate.py": "x"}, "repository.custom-generate"),
        ({"configuration.json": {"plugins": ["evil"]}}, "modelscope.code"),
        ({".gitattributes": "*.bin filter=unpack\n"}, "repository.git-filter"),
    ],
)
def test_code_beside_weights(files: Files, check: str) -> None:
    assert check in checks(files)


def test_scripts_of_an_ordinary_directory_are_no_matter() -> None:
    assert checks({"run.sh": "echo", "setup.py": "x"}) == set()


def test_tokenizer_files_that_contradict() -> None:
    token: dict[str, object] = {"added_tokens": [{"id": 3, "content": "</s>"}], "model": {}}
    config: dict[str, object] = {"added_tokens_decoder": {"3": {"content": "sorry"}}}
    assert "tokenizer.contradiction" in checks({"tokenizer.json": token, "tokenizer_config.json": config})


def layout(digest: str, blob: bytes, size: int) -> Files:
    manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{digest}", "size": size}
    return {"oci-layout": "{}", "index.json": {"manifests": [manifest]}, f"blobs/sha256/{digest}": blob}


def test_oci_layout() -> None:
    blob = b'{"layers": [{"digest": "sha256:' + b"1" * 64 + b'", "mediaType": "x"}]}'
    digest = hashlib.sha256(blob).hexdigest()
    good = layout(digest, blob, len(blob))
    assert checks(good) == set()
    assert absent(good) == 1
    assert checks(layout(digest, blob + b" ", len(blob) + 1)) == {"oci.digest-differs"}
    assert checks(layout(digest, blob, 3)) == {"oci.size-differs"}
    assert checks({**good, "blobs/sha256/" + "2" * 64: b"x"}) == {"oci.blob-unnamed"}
    assert "oci.digest-odd" in checks(layout("../../x", blob, 3))


def test_facts_name_their_file() -> None:
    found = [item for item in items({**CONFIG, "a/install.sh": "x"}) if isinstance(item, Fact)]
    assert [fact.attrs["path"] for fact in found] == ["a/install.sh"]


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 12345\n"


def pointer(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read_pointer(Asset(uri="p", content=BytesContent(data)), Budget()))


def test_lfs_pointer_is_absent() -> None:
    (gap,) = pointer(POINTER)
    assert isinstance(gap, Gap)
    assert (gap.reason, "12345" in gap.note) == (GapReason.ABSENT, True)


def test_lfs_pointer_with_a_tail() -> None:
    assert [item.check for item in pointer(POINTER + b"x" * 2000) if isinstance(item, Fact)] == ["lfs.oversized"]


def test_half_a_pointer() -> None:
    with pytest.raises(Malformed):
        pointer(POINTER[:60])


NAMES = st.sampled_from(
    [
        "config.json",
        "model.safetensors.index.json",
        A,
        B,
        ".git/config",
        ".gitattributes",
        "requirements.txt",
        "index.json",
        "oci-layout",
        "blobs/sha256/x",
        "tokenizer.json",
        "tokenizer_config.json",
        "configuration.json",
    ]
)
CONTENTS = st.binary(max_size=80) | st.sampled_from(
    [
        b'{"weight_map": {"a": "b"}, "metadata": 3}',
        b'{"weight_map": []}',
        b'{"manifests": [{"digest": 4}]}',
        b"[core]\n a = b",
        b'{"auto_map": {"x": ["a.b", null]}}',
        b'{"added_tokens_decoder": {"1": 2}, "added_tokens": [3]}',
        safetensors("a"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, CONTENTS, max_size=8), st.dictionaries(NAMES, st.text(max_size=20), max_size=3))
def test_any_directory(files: dict[str, bytes], links: dict[str, str]) -> None:
    assert len(items(dict(files), links)) < 1000
