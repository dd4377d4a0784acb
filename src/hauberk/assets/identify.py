"""Recognises formats by content. A file may be several things at once (a polyglot), so the answer is a tuple.

Names and suffixes only break ties between text formats, and are what a mismatch is measured against.
"""

from hauberk.assets.probe import Probe
from hauberk.assets.sniff import SNIFFERS
from hauberk.core import Content

HEAD = 4096

# (magic at offset 0, format)
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"GGUF", "gguf"),
    (b"FUGG", "gguf"),
    (b"lmgg", "ggml"),
    (b"fmgg", "ggml"),
    (b"tjgg", "ggml"),
    (b"algg", "ggml"),
    (b"\x93NUMPY", "npy"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x7fELF", "elf"),
    (b"MZ", "pe"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"\xfe\xed\xfa\xcf", "macho"),
    (b"\xfe\xed\xfa\xce", "macho"),
    (b"\x00asm", "wasm"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"RIFF", "audio"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"%PDF-", "pdf"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"PAR1", "parquet"),
    (b"ARROW1\x00\x00", "arrow"),
    (b"RKNN", "rknn"),
    (b"ptrt", "tensorrt"),
    (b"CBM1", "catboost"),
    (b"version https://git-lfs.github.com/spec/", "lfs"),
)
_BY_FIRST: dict[int, tuple[tuple[bytes, str], ...]] = {}
for _magic, _format in _MAGIC:
    _BY_FIRST[_magic[0]] = (*_BY_FIRST.get(_magic[0], ()), (_magic, _format))


def identify(content: Content, name: str) -> tuple[str, ...]:
    """The formats `content` is in, most certain first; ("unknown",) when none is recognised."""
    if content.size == 0:
        return ("gguf",) if name.endswith(".gguf") else ("safetensors",) if name.endswith(".safetensors") else ("empty",)
    probe = Probe(content, name, content.read(0, HEAD))
    found = [label for magic, label in _BY_FIRST.get(probe.head[0], ()) if probe.head.startswith(magic)]
    for label, sniff in SNIFFERS:
        if label not in found and sniff(probe, found):
            found.append(label)
    return tuple(found) or ("unknown",)
