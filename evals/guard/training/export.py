"""The encoder as an int8 ONNX file, and how far its scores then lie from those in float32."""

from pathlib import Path

import numpy as np
import torch
from evals.guard.training import vocabulary
from evals.guard.training.encoder import Encoder, Tokens
from torch import nn


class _Alone(nn.Module):
    """The model for one text at a time: no mask."""

    def __init__(self, model: Encoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model(ids, torch.ones_like(ids))


def export(model: Encoder, tokens: list[str], folder: Path) -> None:
    """Writes `encoder.onnx` (weights in int8 by channel, activations quantised as they come) and `encoder-tokens.json`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    model.eval()
    whole, ready = folder / "encoder-float.onnx", folder / "encoder-ready.onnx"
    example = torch.randint(5, 1000, (1, 24))
    torch.onnx.export(
        _Alone(model),
        (example,),
        str(whole),
        input_names=["ids"],
        output_names=["logits"],
        dynamic_axes={"ids": {0: "batch", 1: "tokens"}, "logits": {0: "batch"}},
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
