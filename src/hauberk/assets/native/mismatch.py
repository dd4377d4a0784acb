"""What a file's name promises against what it holds. Programs under a model's name are stated by their own reader."""

import re
from collections.abc import Iterator, Sequence

from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact

# What loaders of these suffixes take. Pickles, zips and tars go under many names.
_OBJECTS = {
    "pickle",
    "torch_legacy",
    "zip",
    "tar",
    "safetensors",
    "npy",
    "hdf5",
    "zlib",
    "gzip",
    "bz2",
    "xz",
    "zstd",
    "lz4",
    "lfs",
    "empty",
}
_OBJECT_SUFFIXES = (
    "pt", "pth", "pkl", "pickle", "ckpt", "joblib", "p", "dill", "cloudpickle",
    "ptl", "pte", "mar", "pt2", "bin", "model",
)  # fmt: skip
_PROMISES: dict[str, frozenset[str]] = {
    **dict.fromkeys(_OBJECT_SUFFIXES, frozenset(_OBJECTS)),
    "safetensors": frozenset({"safetensors"}),
    "gguf": frozenset({"gguf"}),
    "h5": frozenset({"hdf5"}),
    "hdf5": frozenset({"hdf5"}),
    "keras": frozenset({"zip", "hdf5"}),
    "onnx": frozenset({"onnx"}),
    "tflite": frozenset({"tflite"}),
    "npy": frozenset({"npy"}),
    "npz": frozenset({"zip"}),
    "nemo": frozenset({"tar", "gzip"}),
    "msgpack": frozenset({"msgpack"}),
    "pb": frozenset({"savedmodel"}),
}  # fmt: skip
_PROGRAMS = {"elf", "pe", "macho", "wasm", "java"}
_SCRIPTS = {"python", "script", "html"}
_CONTAINERS = {"zip", "tar", "7z", "rar", "gzip", "bz2", "xz", "zstd", "lz4", "pickle", "torch_legacy"}
# Suffixes whose loaders never unpickle: finding a pickle or an archive under them is a disguise.
_INERT = {"safetensors", "gguf", "onnx", "tflite", "npy", "h5", "hdf5"}
_ARCHIVE_UNREAD = {"7z", "rar"}  # no model loader opens these by itself
_DATA = {
    "dat", "data", "weights", "params", "pdparams", "pdmodel", "pdiparams", "ggml", "mlmodel", "xml", "index",
    "cbm", "ubj", "rknn", "plan",
    "engine", "t7", "rds", "skops", "caffemodel", "prototxt", "parquet", "arrow", "vocab", "zip", "tar",
}  # fmt: skip
_PAGE = re.compile(rb"\s{0,64}<(?:!doctype html|html|script|body|head|svg)\b", re.IGNORECASE)
_EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"
_HARMLESS = {"png", "jpg", "jpeg", "gif", "webp", "wav", "mp3", "flac", "ogg", "pdf", "txt", "md", "json", "yaml", "yml", "csv"}


def expects_data(suffix: str) -> bool:
    """Whether files of this lower-case suffix (without its dot) are models or documents: nothing that runs by itself."""
    return suffix in _PROMISES or suffix in _HARMLESS or suffix in _DATA


def check(asset: Asset, formats: Sequence[str]) -> Iterator[Fact]:
    """At most one fact: `asset` is not what its suffix says. `formats` are what it was recognised as."""
    if asset.content is None:
        return
    base = asset.name.rsplit("/", 1)[-1]
    suffix = base.rpartition(".")[2].lower() if "." in base else ""
    if asset.content.read(0, len(_EICAR)) == _EICAR:
        yield _fact("native.test-virus", "the EICAR test file, which every virus scanner must find", base, "eicar", "test")
        return
    promised = _PROMISES.get(suffix)
    if promised is None:
        return
    seen = _begins_like(asset.content, suffix)
    found = [name for name in formats if name not in {"unknown", "empty", "lfs", "text"}]
    if not seen and promised & set(formats):
        return
    if suffix == "pth" and found == ["script"] and not seen:
        return  # a path file of Python's, which the reader of scripts judges line by line
    sort = _sort([seen, *found] if seen else found, suffix)
    if sort:
        what = seen or found[0]
        yield _fact("format.mismatch", f"named .{suffix}, but the content is {what}", base, what, sort)


def _begins_like(content: Content, suffix: str) -> str:
    """A script, page or container at the first byte, even where the name talked the recognition out of it."""
    head = content.read(0, HEAD)
    if _PAGE.match(head):
        return "html"
    kind = payload_kind(head, content.size)
    return kind if kind == "script" or (suffix in _INERT and kind in {"zip", "7z", "rar", "pickle", "xz", "gzip"}) else ""


def _sort(found: Sequence[str], suffix: str) -> str:
    if any(name in _PROGRAMS for name in found):
        return ""  # the reader of programs says it
    if any(name in _SCRIPTS for name in found):
        return "script"
    if any(name in _ARCHIVE_UNREAD for name in found):
        return "archive"
    if suffix in _INERT and any(name in _CONTAINERS for name in found):
        return "container"
    return ""


def _fact(kind: str, note: str, base: str, content: str, sort: str) -> Fact:
    return Fact(kind, note, offset=0, where="name", quote=quote(base, 80), attrs={"content": content, "sort": sort})
