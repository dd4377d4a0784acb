"""The encoder as an int8 ONNX file, and how far its scores then lie from those in float32."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from evals.guard.training import vocabulary
from evals.guard.training.encoder import Encoder, Tokens
from torch import nn
from torch.nn import functional


class _Layer(nn.Module):
    """One BERT layer over the tokens of one text (tokens x width): queries, keys and values by one product, no mask."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        own = layer.attention.self
        self.heads, self.size = own.num_attention_heads, own.attention_head_size
        self.qkv = nn.Linear(own.query.in_features, 3 * own.query.out_features)
        scale = self.size**-0.5
        with torch.no_grad():
            self.qkv.weight.copy_(torch.cat([own.query.weight * scale, own.key.weight, own.value.weight]))
            self.qkv.bias.copy_(torch.cat([own.query.bias * scale, own.key.bias, own.value.bias]))
        self.out, self.first_norm = layer.attention.output.dense, layer.attention.output.LayerNorm
        self.up, self.down, self.second_norm = layer.intermediate.dense, layer.output.dense, layer.output.LayerNorm

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(hidden).reshape(-1, 3, self.heads, self.size)
        query, key, value = parts[:, 0].transpose(0, 1), parts[:, 1].permute(1, 2, 0), parts[:, 2].transpose(0, 1)
        mixed = (torch.softmax(query @ key, -1) @ value).transpose(0, 1).reshape(-1, self.heads * self.size)
        hidden = self.first_norm(hidden + self.out(mixed))
        return self.second_norm(hidden + self.down(functional.gelu(self.up(hidden))))


class _Alone(nn.Module):
    """The model for one text at a time, written out.

    The library's own code exports masks and shapes, which cost as much as the attention itself.
    """

    def __init__(self, model: Encoder) -> None:
        super().__init__()
        embeddings = model.bert.embeddings
        self.words = embeddings.word_embeddings.weight
        self.places = nn.Parameter(embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0])
        self.norm = embeddings.LayerNorm
        self.layers = nn.ModuleList(_Layer(layer) for layer in model.bert.encoder.layer)
        self.head = model.head

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        row = ids[0]
        hidden = self.norm(functional.embedding(row, self.words) + self.places[: row.shape[0]])
        for layer in self.layers:
            hidden = layer(hidden)
        return self.head(torch.cat([hidden[0], hidden.mean(0), hidden.amax(0)]).unsqueeze(0))


def export(model: Encoder, tokens: list[str], folder: Path) -> None:
    """Writes `encoder.onnx` (weights in int8 by channel, activations quantised as they come) and `encoder-tokens.json`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model.eval()
    whole, ready = folder / "encoder-float.onnx", folder / "encoder-ready.onnx"
    example = torch.randint(5, 1000, (1, 24))
    torch.onnx.export(
        _Alone(model).eval(),
        (example,),
        str(whole),
        input_names=["ids"],
        output_names=["logits"],
        dynamic_axes={"ids": {1: "tokens"}},
        opset_version=17,
        dynamo=False,
    )
    quant_pre_process(str(whole), str(ready), skip_symbolic_shape=True)
    quantize_dynamic(
        str(ready),
        str(folder / "encoder.onnx"),
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather", "Gemm"],
    )
    whole.unlink()
    ready.unlink()
    vocabulary.save(tokens, folder / "encoder-tokens.json")


def difference(model: Encoder, tokens: Tokens, folder: Path, texts: list[str]) -> dict[str, float]:
    """Mean and greatest difference of the attack probability between float32 and the file, over `texts`."""
    from hauberk.detect.prompt.encoder_model import EncoderModel
    from hauberk.detect.prompt.labels import Voice

    written = EncoderModel(folder)
    model.eval()
    gaps: list[float] = []
    for text in texts:
        with torch.no_grad():
            ids = torch.tensor(tokens.ids([text], [0], 256))
            exact = float(torch.sigmoid(model(ids, torch.ones_like(ids))[0, 0]))
        gaps.append(abs(exact - 1 / (1 + float(np.exp(-written.logits(text, Voice.USER)[0])))))
    return {"mean": float(np.mean(gaps)), "p99": float(np.quantile(gaps, 0.99)), "greatest": max(gaps)}
