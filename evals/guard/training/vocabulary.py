"""The encoder's vocabulary: MiniLM's WordPiece without its unused entries, with Chinese characters.

A new character's embedding is a ridge regression, over words that both models know, from a larger model's token embeddings (a
GGUF). Each side is centred on its own language first, so that Chinese lands beside the English of the same meaning.
"""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
ROLE_TOKENS = ("[user]", "[foreign]", "[model]")
RIDGE = 30.0


def chinese_characters(texts: list[str]) -> list[str]:
    """The 6,763 characters of GB 2312, and others that the texts hold at least three times."""
    known = {bytes((high, low)).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)} - {""}
    counts: dict[str, int] = {}
    for text in texts:
        for letter in text:
            if "\u3400" <= letter <= "\u9fff":
                counts[letter] = counts.get(letter, 0) + 1
    return sorted(known | {letter for letter, count in counts.items() if count >= 3})


def build(base: Path, gguf: Path, texts: list[str]) -> tuple[list[str], dict[str, F32]]:
    """Tokens in order, and vectors for the new ones that could be mapped."""
    old = (base / "vocab.txt").read_text("utf-8").splitlines()
    kept = [token for token in old if not token.startswith("[unused")]
    letters = [letter for letter in chinese_characters(texts) if letter not in set(old)]
    return [*kept, *ROLE_TOKENS, *letters], _mapped(base, gguf, old, letters)


def base_rows(base: Path, tokens: list[str]) -> list[int]:
    """The base model's row of each token, -1 for a new one."""
    place = {token: number for number, token in enumerate((base / "vocab.txt").read_text("utf-8").splitlines())}
    return [place.get(token, -1) for token in tokens]


def _mapped(base: Path, gguf: Path, old: list[str], letters: list[str]) -> dict[str, F32]:
    from safetensors.numpy import load_file

    weights = load_file(str(base / "model.safetensors"))
    target = next(value for name, value in weights.items() if name.endswith("word_embeddings.weight")).astype(np.float32)
    table, names = _gguf_embeddings(gguf)
    place = {token: number for number, token in enumerate(old)}
    pairs = [
        (names["Ġ" + token], place[token])
        for token in old
        if token.isascii() and token.isalpha() and len(token) > 2 and "Ġ" + token in names
    ]
    source, aim = table[[a for a, _ in pairs]], target[[b for _, b in pairs]]
    mean, aim_mean = source.mean(0), aim.mean(0)
    centred = source - mean
    solved = np.linalg.solve(centred.T @ centred + RIDGE * np.eye(centred.shape[1]), centred.T @ (aim - aim_mean))
    known = {letter: names[_bytes_as_text(letter)] for letter in letters if _bytes_as_text(letter) in names}
    vectors = table[list(known.values())]
    moved = (vectors - vectors.mean(0)) @ solved
    length = np.linalg.norm(aim - aim_mean, axis=1).mean()
    moved *= length / np.linalg.norm(moved, axis=1, keepdims=True)
    return dict(zip(known, (moved + aim_mean).astype(np.float32), strict=True))


def _gguf_embeddings(path: Path) -> tuple[F32, dict[str, int]]:
    from gguf import GGUFReader
    from gguf.quants import dequantize

    reader = GGUFReader(str(path))
    tensor = next(item for item in reader.tensors if item.name == "token_embd.weight")
    table = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    field = reader.fields["tokenizer.ggml.tokens"]
    names = [bytes(field.parts[number]).decode("utf-8") for number in field.data]
    return table, {name: number for number, name in enumerate(names)}


def _bytes_as_text(letter: str) -> str:
    """How a byte-level BPE vocabulary (Radford et al. 2019) writes a character."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    shown = {byte: chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)}
    return "".join(shown[byte] for byte in letter.encode())


def save(tokens: list[str], path: Path) -> None:
    path.write_text(json.dumps(tokens, ensure_ascii=False), "utf-8")
