"""Code and programs that lie beside weights: who would run them, and whether what they are fits a model directory."""

import posixpath
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.quoting import quote
from hauberk.assets.text.textual import decoded
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Content, Fact

_WEIGHTS = re.compile(r"(?i)\.(?:safetensors|gguf|bin|pt|pth|ckpt|h5|keras|onnx|msgpack|tflite|pb)$")
_CONFIGS = frozenset({"config.json", "adapter_config.json", "model_index.json", "tokenizer_config.json", "MLmodel"})
_PROGRAM = ((b"\x7fELF", "an ELF program"), (b"MZ", "a Windows program"), (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
            (b"\xca\xfe\xba\xbe", "a Java class or Mach-O program"))  # fmt: skip
_SCRIPT = re.compile(r"(?i)\.(?:sh|bash|bat|cmd|ps1|vbs|js|hta|scr|com|lnk|command|desktop|pth)$")
# Files that a tool runs because of their name alone.
_BY_NAME = {
    "setup.py": "pip", "conftest.py": "pytest", "sitecustomize.py": "Python", "usercustomize.py": "Python",
    "handler.py": "an inference endpoint", "noxfile.py": "nox", "tasks.py": "invoke", "hubconf.py": "torch.hub",
    "Makefile": "make", "Dockerfile": "docker", "MLproject": "mlflow run", ".envrc": "direnv", "Jenkinsfile": "Jenkins",
}  # fmt: skip


def code_files(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact]:
    """Programs, scripts and files run by name in a directory of weights."""
    del asset
    names = set(tree.files)
    is_model = any(posixpath.basename(name) in _CONFIGS or _WEIGHTS.search(name) for name in names)
    if not is_model:
        return
    for name, content in tree.files.items():
        budget.tick(256)
        if "/.git/" in f"/{name}":
            continue
        base = posixpath.basename(name)
        who = _BY_NAME.get(base)
        if who:
            yield _fact("repository.run-by-name", f"{who} runs {quote(name, 60)} because of its name", name)
        elif _SCRIPT.search(base):
            yield _fact("repository.script", f"the script {quote(name, 60)} lies beside the weights", name)
        elif content.size >= 64 and not _WEIGHTS.search(base):
            yield from _program(name, content)
        if base in {"requirements.txt", "python_env.yaml", "conda.yaml", "environment.yml"} or base.startswith("requirements"):
            yield from _requirements(name, content)


def _fact(check: str, note: str, name: str, piece: str = "") -> Fact:
    return Fact(check, note, where=name, quote=quote(piece or name), attrs={"path": name})


def _program(name: str, content: Content) -> Iterator[Fact]:
    head = content.read(0, 4)
    for magic, what in _PROGRAM:
        if head.startswith(magic) and not (magic == b"MZ" and not _looks_like_pe(content)):
            yield _fact("repository.program", f"{what} lies beside the weights", name)


def _looks_like_pe(content: Content) -> bool:
    offset = int.from_bytes(content.read(0x3C, 4), "little")
    return content.read(offset, 4) == b"PE\0\0"


_INDEX_OPTION = re.compile(r"(?m)^\s*-?\s*(?:--extra-index-url|--index-url|-i|--find-links|-f|--trusted-host)[=\s]+(\S+)")
_DIRECT = re.compile(r"(?m)^[^#\n]*?((?:git|hg|svn|bzr)\+\w+://\S+|@\s*(?:https?|file)://\S+|^\s*-?\s*https?://\S+)")
_TRUSTED = re.compile(
    r"^(?:git\+)?https://(?:[\w.-]+\.)?"
    r"(?:pytorch\.org|pypi\.org|pythonhosted\.org|nvidia\.com|github\.com|huggingface\.co|googleapis\.com)/",
    re.IGNORECASE,
)


def _requirements(name: str, content: Content) -> Iterator[Fact]:
    text = decoded(content.read(0, 1 << 20))
    for pattern, check, what in (
        (_INDEX_OPTION, "repository.other-index", "packages come from another index"),
        (_DIRECT, "repository.direct-dependency", "a package comes from an address, past the index"),
    ):
        for found in list(pattern.finditer(text))[:20]:
            address = found[1].lstrip("@- \t")
            trusted = _TRUSTED.match(address) is not None
            attrs = {"path": name, "trusted": trusted}
            yield Fact(check, f"{what}: {quote(address, 80)}", where=name, quote=quote(address), attrs={**attrs})
