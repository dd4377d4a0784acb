"""Recognisers for formats without a magic number at offset 0. Cheap ones look at the first 4 KiB only.

Each takes the probe and what is already found, and says whether the content is (also) in its format.
"""

import re
import zlib
from collections.abc import Callable

from hauberk.assets.learners.sniff_learners import is_marshal, is_msgpack, is_rds, is_skops, is_torch7, is_xgboost
from hauberk.assets.probe import Probe

Sniffer = Callable[[Probe, list[str]], bool]


def _zip_at_tail(probe: Probe, found: list[str]) -> bool:
    # A zip is found from its end: data before it (a PE stub, a model, a GIF) does not stop torch, Python or Java.
    # Inside these containers the end record belongs to a member, which is looked at on its own.
    if found and found[0] in {"tar", "gzip", "bz2", "xz", "zstd", "lz4", "7z"}:
        return False
    return b"PK\x05\x06" in probe.tail and probe.size >= 22


def _tar(probe: Probe, found: list[str]) -> bool:
    if probe.head[257:262] == b"ustar":
        return True
    if found or len(probe.head) < 512:
        return False
    header = probe.head[:512]
    try:
        stored = int(header[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return stored == sum(header[:148]) + 8 * 32 + sum(header[156:]) and header[0] != 0


def _safetensors(probe: Probe, found: list[str]) -> bool:
    if found or probe.head[8:9] != b"{":
        return False
    if probe.suffix == ".safetensors":
        return True
    return int.from_bytes(probe.head[:8], "little") < 1 << 40 or (b'"dtype"' in probe.head and b'"data_offsets"' in probe.head)


def _safetensors_by_name(probe: Probe, found: list[str]) -> bool:
    # What calls itself tensors is held to it, whatever else it is: a program of this name is not what it says.
    return probe.suffix == ".safetensors" and "lfs" not in found


def _gguf_by_name(probe: Probe, found: list[str]) -> bool:
    return probe.suffix == ".gguf" and "lfs" not in found


def _sentencepiece(probe: Probe, found: list[str]) -> bool:
    # A message of pieces, each a text and a score: 0A <length> 0A <length> <text> 15 <float>.
    head = probe.head
    if found or len(head) < 12 or head[0] != 0x0A or head[2] != 0x0A or not 7 <= head[1] < 0x80 or head[3] > head[1] - 7:
        return False
    return head[4 + head[3] : 5 + head[3]] == b"\x15"


def _ggml_reversed(probe: Probe, found: list[str]) -> bool:
    # The magic number of a big-endian writer reads as letters, as the first words of a text may.
    return not found and probe.head[:4] in {b"ggml", b"ggmf", b"ggjt", b"ggla"} and not probe.is_text


def _hdf5_later(probe: Probe, found: list[str]) -> bool:
    if "hdf5" in found:
        return False
    offset = 512
    while offset + 8 <= probe.size and offset <= 1 << 20:  # a user block may precede the signature
        if probe.content.read(offset, 8) == b"\x89HDF\r\n\x1a\n":
            return True
        offset *= 2
    return False


def _tflite(probe: Probe, found: list[str]) -> bool:
    return not found and probe.head[4:8] == b"TFL3"


def _executorch(probe: Probe, found: list[str]) -> bool:
    return not found and probe.head[4:6] == b"ET" and probe.head[6:8].isdigit()


def _zlib(probe: Probe, found: list[str]) -> bool:
    head = probe.head
    if not found and head.startswith(b"ZF0x"):
        return True  # joblib before 0.10: a length in hexadecimal, then the stream
    if found or len(head) < 3 or head[0] & 0x0F != 8 or head[0] > 0x78 or int.from_bytes(head[:2], "big") % 31:
        return False
    try:  # one file in a thousand, and text such as "x^2", has such a first pair of bytes
        zlib.decompressobj().decompress(head, 64)
    except zlib.error:
        return False
    return True


def _lzma_alone(probe: Probe, found: list[str]) -> bool:
    if found or probe.head[:3] != b"\x5d\x00\x00" or len(probe.head) <= 13:
        return False
    size = int.from_bytes(probe.head[5:13], "little")
    return size == (1 << 64) - 1 or size < 1 << 48


def _pickle(probe: Probe, found: list[str]) -> bool:
    # A float, a number or a string can be the first opcode and spell "GIF8", "MZ" or "CBM1": no magic number rules it out.
    if "torch_legacy" in found:
        return False
    from hauberk.assets.pickle.trial import begins_as_pickle, looks_like_pickle

    return looks_like_pickle(probe.content, probe.head) or (not found and begins_as_pickle(probe.content, probe.head))


def _graph(probe: Probe, found: list[str]) -> bool:
    """Labels graphs written as protocol buffers, which have no magic number; adds the label itself."""
    if (found and found != ["pickle"]) or probe.head[:1] == b"\x80" or probe.is_text:
        return False
    from hauberk.assets.graphs.graph_sniff import graph_format

    label = graph_format(probe.content, probe.head)
    if label:
        found.append(label)
    return False


def _graph_by_name(probe: Probe, found: list[str]) -> bool:
    """Labels what its name says is a graph, or part of one, and its bytes do not contradict; adds the label itself."""
    if found:
        return False
    from hauberk.assets.graphs.graph_sniff import named_format

    label = named_format(probe.content, probe.head, probe.name, probe.suffix, is_text=probe.is_text)
    if label:
        found.append(label)
    return False


def _mxnet_symbol(probe: Probe, found: list[str]) -> bool:
    if found or not probe.is_text or probe.stripped[:1] != b"{":
        return False
    return b'"nodes"' in probe.head and b'"op"' in probe.head and (b'"inputs"' in probe.head or probe.name.endswith("-symbol.json"))


def _torch_legacy(probe: Probe, found: list[str]) -> bool:
    # The magic number that torch.save pickled on its own, in front of everything else, before 1.6.
    return not found and probe.head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.")


def _json(probe: Probe, found: list[str]) -> bool:
    if found or not probe.is_text or probe.stripped[:1] not in {b"{", b"["} or probe.suffix in _TEMPLATE_SUFFIXES:
        return False
    # A bracket also opens a Markdown link, an INI section and a template; a name that says JSON is believed.
    return _JSON_START.match(probe.stripped) is not None or probe.suffix in {".json", ".jsonl", ".ipynb"}


_JSON_START = re.compile(
    rb"\{\s*[\"}/]|[\[{]\s*\Z|\[\s*(?:[\[\]{\"/]|-?(?:NaN|Infinity)|(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*[,\]])"
)


def _xml(probe: Probe, found: list[str]) -> bool:
    start = probe.stripped[:256].lower()
    return (
        not found
        and probe.is_text
        and start.startswith(b"<")
        and not _html_start(start)
        and (start.startswith((b"<?xml", b"<!doctype", b"<net", b"<pmml")) or probe.suffix in {".xml", ".pmml"})
    )


def _html_start(start: bytes) -> bool:
    return start.startswith((b"<!doctype html", b"<html", b"<script", b"<svg", b"<head", b"<body"))


def _html(probe: Probe, found: list[str]) -> bool:
    return not found and probe.is_text and (_html_start(probe.stripped[:256].lower()) or probe.suffix in {".html", ".htm", ".svg"})


_TEMPLATE_SUFFIXES = {".jinja", ".jinja2", ".j2"}
_SCRIPT_SUFFIXES = {".sh", ".bash", ".bat", ".cmd", ".ps1", ".js", ".mjs", ".rb", ".pl", ".lua", ".php", ".vbs",
                    ".zsh", ".fish", ".psm1", ".hta", ".command", ".mk", ".cjs", ".ts", ".wsf"}  # fmt: skip
_SUFFIX_FORMATS = {
    ".py": "python", ".pyi": "python", ".pyw": "python", ".pth": "script",
    ".yaml": "yaml", ".yml": "yaml",
    ".ini": "ini", ".toml": "ini", ".cfg": "ini", ".properties": "ini", ".conf": "ini",
    **dict.fromkeys(_TEMPLATE_SUFFIXES, "jinja"),
    **dict.fromkeys(_SCRIPT_SUFFIXES, "script"),
}  # fmt: skip


# MLmodel and its like carry YAML under a name without suffix.
_YAML_MARK = re.compile(rb"\A%YAML|^(?:flavors|artifact_path|entry_points)\s*:|!!python/|^\s*_target_\s*:", re.MULTILINE)
# Scripts that tools find by name.
_SCRIPT_NAMES = re.compile(
    r"(?i)(?:^|/)(?:(?:Docker|Container)file(?:\.\w+)?|(?:GNU)?Makefile|Jenkinsfile|\.envrc|\.(?:bash|zsh)rc|\.?profile|Procfile)$"
)
_LOOSE_TEMPLATE_SUFFIXES = {"", ".template", ".tmpl", ".tpl", ".prompt", ".txt"}


def _text(probe: Probe, found: list[str]) -> bool:
    """Labels every other text by suffix, shebang or content; adds the label itself."""
    if found or not probe.is_text:
        return False
    found.append(_text_format(probe))
    return False


def _text_format(probe: Probe) -> str:
    start = probe.stripped
    if start.startswith(b"#!"):
        return "python" if b"python" in start.split(b"\n", 1)[0] else "script"
    if probe.suffix in _SUFFIX_FORMATS:
        return _SUFFIX_FORMATS[probe.suffix]
    if _SCRIPT_NAMES.search(probe.name):
        return "script"
    if start.startswith(b"tree\n") and b"num_class=" in start:
        return "lightgbm"
    if probe.suffix not in {".md", ".txt", ".rst"} and _YAML_MARK.search(start):
        return "yaml"
    if start.startswith((b"{{", b"{%", b"{#")) or (probe.suffix in _LOOSE_TEMPLATE_SUFFIXES and b"{%" in start):
        return "jinja"
    return "text"


# In this order; each sees what those before it found.
SNIFFERS: tuple[tuple[str, Sniffer], ...] = (
    ("tar", _tar),
    ("tflite", _tflite),
    ("executorch", _executorch),
    ("safetensors", _safetensors),
    ("ggml", _ggml_reversed),
    ("sentencepiece", _sentencepiece),
    ("hdf5", _hdf5_later),
    ("torch_legacy", _torch_legacy),
    ("pickle", _pickle),
    ("graph", _graph),
    ("graph", _graph_by_name),
    ("mxnet", _mxnet_symbol),
    ("zlib", _zlib),
    ("xz", _lzma_alone),
    ("safetensors", _safetensors_by_name),
    ("gguf", _gguf_by_name),
    ("marshal", is_marshal),
    ("xgboost", is_xgboost),
    ("skops", is_skops),
    ("torch7", is_torch7),
    ("rds", is_rds),
    ("msgpack", is_msgpack),
    ("json", _json),
    ("html", _html),
    ("xml", _xml),
    ("text", _text),
    ("zip", _zip_at_tail),
)
