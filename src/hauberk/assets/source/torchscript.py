"""Reads the code of a TorchScript program, a subset of Python, for operators and loops no model needs.

Nothing is run: the text is parsed by `ast` under a size and a nesting bound.
"""

import ast
import re
import warnings
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_MAX_SOURCE = 8 << 20
_MAX_NESTING = 200
_HUGE_TRIPS = 1 << 40
# Operator libraries that torch and its own companions register.
_NAMES = {
    "aten", "prim", "quantized", "_quantized", "torchvision", "image", "torchaudio", "torchtext", "_caffe2",
    "inductor", "mkldnn", "cuda",
    "mkldnn_prepacked", "xnnpack", "prepacked", "sparse", "rngprim", "onednn", "static_runtime", "metal",
    "metal_prepack", "mps", "nnapi",
    "vulkan_prepack", "tensorexpr", "fbgemm", "torch_scatter", "torch_sparse", "torch_cluster",
    "torch_spline_conv", "tensorrt", "neuron",
    "detectron2",
}  # fmt: skip
_READS = {"from_file", "load", "read_file", "decode_image", "read_video_from_file"}
_WRITES = {"save", "write_file"}
_NETWORK = {"c10d", "c10d_functional", "_c10d_functional", "symm_mem"}
_HOST = {"profiler", "_test", "fb"}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Gap]:
    """Yields the facts of one `code/*.py` member of a TorchScript program."""
    assert asset.content is not None
    budget.check_time()
    if asset.content.size > _MAX_SOURCE:
        yield Gap(asset.uri, GapReason.TOO_LARGE, f"source of {asset.content.size} bytes is not parsed")
        return
    text = asset.content.read().decode("utf-8", "replace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text) if _nesting(text) <= _MAX_NESTING else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    if tree is None:
        yield from _by_words(text)
        yield Gap(asset.uri, GapReason.UNSUPPORTED, "TorchScript source that does not parse was searched, not followed")
        return
    for node in ast.walk(tree):
        budget.tick()
        yield from _node_facts(node, text)


def _nesting(text: str) -> int:
    deepest = depth = 0
    for mark in re.findall(r"[(\[{)\]}]", text):
        depth += 1 if mark in "([{" else -1
        deepest = max(deepest, depth)
    return deepest


def _node_facts(node: ast.AST, text: str) -> Iterator[Fact]:
    if isinstance(node, ast.Call):
        path = _dotted(node.func)
        if path:
            yield from operator_facts(path, node.lineno)
    elif isinstance(node, ast.While):
        yield from _while_facts(node)
    elif isinstance(node, ast.For):
        yield from _for_facts(node)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        quoted = quote((ast.get_source_segment(text, node) or "")[:200])
        yield Fact(
            "torchscript.import", "TorchScript has no imports: this is other Python", where=f"line {node.lineno}", quote=quoted
        )


def operator_facts(path: str, line: int) -> Iterator[Fact]:
    """Facts on a call of the operator or function `path`."""
    where = f"line {line}"
    parts = path.split(".")
    if (parts[0] == "torch" and len(parts) == 2) or path.startswith(("ops.aten.", "ops.image.", "torch.ops.")):
        name = parts[-1]
        if name in _WRITES:
            yield _operator("write", path, "writes a file", where)
        elif name in _READS:
            yield _operator("read", path, "reads a file", where)
    if path.startswith("torch.ops."):
        parts = parts[1:]
    if parts[0] == "ops" and len(parts) >= 3:
        library = parts[1]
        if library in _NETWORK:
            yield _operator("network", path, "talks to other machines", where)
        elif library in _HOST:
            yield _operator("host", path, "acts on the host, which no model's arithmetic needs", where)
        elif library not in _NAMES:
            yield _operator("custom", path, f"needs the native library that registers {library!r}", where)
    elif parts[0] in {"os", "subprocess", "sys", "builtins", "socket", "shutil"} or parts[:2] == ["torch", "_C"]:
        yield _operator("python", path, "is Python, not TorchScript", where)


def _operator(effect: str, path: str, what: str, where: str) -> Fact:
    return Fact(
        "torchscript.operator", f"{path} {what}", where=where, quote=quote(path), attrs={"effect": effect, "operator": path}
    )


def _while_facts(node: ast.While) -> Iterator[Fact]:
    constant = isinstance(node.test, ast.Constant) and bool(node.test.value)
    if constant and not _leaves(node):
        yield Fact("torchscript.endless-loop", "a loop without an end", where=f"line {node.lineno}", quote="while True")


def _for_facts(node: ast.For) -> Iterator[Fact]:
    if isinstance(node.iter, ast.Call) and _dotted(node.iter.func) == "range" and node.iter.args:
        bound = node.iter.args[-1 if len(node.iter.args) == 1 else 1]
        if isinstance(bound, ast.Constant) and isinstance(bound.value, int) and bound.value >= _HUGE_TRIPS and not _leaves(node):
            quoted = f"range({bound.value})"
            yield Fact("torchscript.endless-loop", "a loop of more turns than ever end", where=f"line {node.lineno}", quote=quoted)


def _leaves(loop: ast.While | ast.For) -> bool:
    return any(isinstance(node, ast.Break | ast.Return | ast.Raise) for part in loop.body for node in ast.walk(part))


def _dotted(node: ast.AST) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


_CALL = re.compile(r"\b((?:torch|ops|os|subprocess|sys)(?:\.\w+)+)\s*\(")


def _by_words(text: str) -> Iterator[Fact]:
    for match in _CALL.finditer(text):
        yield from operator_facts(match[1], text.count("\n", 0, match.start()) + 1)
    if re.search(r"^\s*while\s+True\s*:", text, re.MULTILINE):
        yield Fact("torchscript.endless-loop", "a loop that may have no end", quote="while True")
