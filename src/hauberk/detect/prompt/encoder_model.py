"""The second stage: a small int8 encoder under onnxruntime, one thread a call."""

from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk.detect.prompt.labels import Voice

F32: TypeAlias = npt.NDArray[np.float32]
LONGEST = 256
"""Tokens of a window that are read; the first stage has judged the whole of it."""
VOICES = ("[user]", "[foreign]", "[model]")


class EncoderModel:
    """Reads `encoder.onnx` and `encoder-tokens.json` of a folder; raises ImportError without onnxruntime and tokenizers."""

    def __init__(self, folder: Path) -> None:
        runtime: Any = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(str(folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"])
        tokens = msgspec.json.decode((folder / "encoder-tokens.json").read_bytes(), type=list[str])
        self._tokenizer = tokenizer_of(tokens)
        place = {token: number for number, token in enumerate(tokens)}
        self._first, self._last = place["[CLS]"], place["[SEP]"]
        self._voices = [place[token] for token in VOICES]

    def logits(self, text: str, voice: Voice) -> F32:
        """Logits (outputs) of one text."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids[: LONGEST - 3]
        row = np.array([[self._first, self._voices[int(voice)], *ids, self._last]], np.int64)
        made: list[F32] = self._session.run(None, {"ids": row})
        return made[0][0]


def tokenizer_of(tokens: list[str]) -> Any:
    """A WordPiece tokeniser for `tokens`: lower case, no accents, Chinese by character."""
    library: Any = import_module("tokenizers")
    pieces = {token: number for number, token in enumerate(tokens)}
    made = library.Tokenizer(library.models.WordPiece(pieces, unk_token="[UNK]"))  # noqa: S106 - a token of text
    made.normalizer = library.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    return made
