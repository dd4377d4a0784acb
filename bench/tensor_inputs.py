"""Large tensor files with real bytes: a random block of 64 MiB over and over, no holes. Used by `scan.py`.

python bench/tensor_inputs.py DIR [SIZE_MB]
"""

import json
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 64 << 20
_ROWS, _COLUMNS = 4096, 4096  # of one tensor: 64 MiB of float32


def _floats() -> bytes:
    """64 MiB of float32 weights, normal with a deviation of 0.02, as a trained layer has them."""
    import numpy as np

    generator = np.random.default_rng(20261121)
    return (generator.standard_normal(_BLOCK // 4, dtype=np.float32) * np.float32(0.02)).tobytes()


def _blocks(path: Path, head: bytes, count: int, tail: bytes = b"") -> Path:
    block = _floats()
    with path.open("wb", buffering=0) as file:
        file.write(head)
        for _ in range(count):
            file.write(block)
        file.write(tail)
    return path


def big_safetensors(path: Path, size_mb: int = 2048) -> Path:
    """A safetensors file of `size_mb` MiB in tensors of 64 MiB."""
    count = max(1, size_mb // 64)
    header = {
        f"model.layers.{i}.mlp.weight": {"dtype": "F32", "shape": [_ROWS, _COLUMNS], "data_offsets": [i * _BLOCK, (i + 1) * _BLOCK]}
        for i in range(count)
    }
    raw = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    raw += b" " * (-len(raw) % 8)
    return _blocks(path, struct.pack("<Q", len(raw)) + raw, count)


def big_gguf(path: Path, size_mb: int = 2048, tokens: int = 32_000) -> Path:
    """A GGUF file of `size_mb` MiB in tensors of 64 MiB, with a vocabulary of `tokens`."""
    count = max(1, size_mb // 64)
    pairs = list(_pairs(count, tokens))
    head = b"GGUF" + struct.pack("<IQQ", 3, count, len(pairs)) + b"".join(pairs)
    for i in range(count):
        head += _string(f"blk.{i}.ffn_up.weight") + struct.pack("<IQQIQ", 2, _COLUMNS, _ROWS, 0, i * _BLOCK)
    return _blocks(path, head + b"\x00" * (-len(head) % 32), count)


def _pairs(layers: int, tokens: int) -> Iterator[bytes]:
    yield _string("general.architecture") + struct.pack("<I", 8) + _string("llama")
    for key, value in {"block_count": layers, "context_length": 4096, "embedding_length": 4096, "attention.head_count": 32}.items():
        yield _string(f"llama.{key}") + struct.pack("<II", 4, value)
    yield _string("tokenizer.ggml.model") + struct.pack("<I", 8) + _string("gpt2")
    texts = b"".join(_string(f"token{i}") for i in range(tokens))
    yield _string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, tokens) + texts
    yield _string("tokenizer.ggml.token_type") + struct.pack("<IIQ", 9, 5, tokens) + struct.pack("<i", 1) * tokens


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def big_torch_zip(path: Path, size_mb: int = 1024) -> Path:
    """A PyTorch archive of `size_mb` MiB: a small pickle naming stored storages of 64 MiB, under 4 GiB in all."""
    count = min(max(1, size_mb // 64), 63)
    block = _floats()
    members = [("archive/data.pkl", _state_dict(count)), ("archive/byteorder", b"little")]
    members += [(f"archive/data/{i}", block) for i in range(count)] + [("archive/version", b"3\n")]
    checksum = {id(block): zlib.crc32(block)}
    central = b""
    with path.open("wb", buffering=0) as file:
        at = 0
        for name, data in members:
            crc = checksum.get(id(data)) or zlib.crc32(data)
            pad = -(at + 30 + len(name) + 4) % 64  # storages begin on 64 bytes, as torch writes them
            extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
            local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 0, 0, 0, 0, 0, crc, len(data), len(data), len(name), len(extra))
            file.write(local + name.encode() + extra)
            file.write(data)
            central += struct.pack(
                "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 0, 0, 0, 0, 0, 0, crc, len(data), len(data), len(name), 0, 0, 0, 0, 0, at,
            ) + name.encode()  # fmt: skip
            at += len(local) + len(name) + len(extra) + len(data)
        file.write(central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(members), len(members), len(central), at, 0))
    return path


def _state_dict(count: int) -> bytes:
    """The pickle torch.save writes for a state dict of `count` float tensors."""
    out = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01("
    for i in range(count):
        name, key = f"layers.{i}.weight".encode(), str(i).encode()
        out += b"X" + struct.pack("<I", len(name)) + name + b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
        out += (
            b"ctorch\nFloatStorage\nX"
            + struct.pack("<I", len(key))
            + key
            + b"X\x03\x00\x00\x00cpuJ"
            + struct.pack("<i", _BLOCK // 4)
        )
        out += b"tQK\x00M\x00\x10M\x00\x10\x86M\x00\x10K\x01\x86\x89ccollections\nOrderedDict\n)RtR"
    return out + b"u."


if __name__ == "__main__":
    folder, size = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2048
    folder.mkdir(parents=True, exist_ok=True)
    for made in (
        big_safetensors(folder / "big.safetensors", size),
        big_gguf(folder / "big.gguf", size),
        big_torch_zip(folder / "big.pt", size // 2),
    ):
        print(made, made.stat().st_size)
