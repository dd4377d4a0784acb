"""The formats Hauberk knows: what each is, and which module reads it. Recognition is in `identify`."""

import msgspec

from hauberk.core import Kind


class Format(msgspec.Struct, frozen=True):
    """One format. `reader` is `module:function`; `depth` says how it is read ("full" or "header")."""

    name: str
    title: str
    kind: Kind
    reader: str


def _table(*rows: tuple[str, str, Kind, str]) -> dict[str, Format]:
    return {
        name: Format(name, title, kind, f"hauberk.assets.{reader}" if ":" in reader else f"hauberk.assets.{reader}:read")
        for name, title, kind, reader in rows
    }


FORMATS: dict[str, Format] = _table(
    # object streams
    ("pickle", "Python pickle (any protocol; joblib, dill, cloudpickle)", Kind.MODEL, "pickle_stream"),
    ("torch_legacy", "PyTorch legacy (stacked pickles)", Kind.MODEL, "torch_legacy"),
    ("npy", "NumPy array", Kind.TENSORS, "npy"),
    ("marshal", "Python marshal / pyc", Kind.CODE, "marshalled"),
    # containers
    ("zip", "Zip and everything built on it", Kind.ARCHIVE, "zip_container"),
    ("tar", "Tar", Kind.ARCHIVE, "tar_container"),
    ("gzip", "gzip", Kind.ARCHIVE, "compressed:read_gzip"),
    ("bz2", "bzip2", Kind.ARCHIVE, "compressed:read_bz2"),
    ("xz", "xz / lzma", Kind.ARCHIVE, "compressed:read_xz"),
    ("zstd", "Zstandard", Kind.ARCHIVE, "compressed:read_zstd"),
    ("lz4", "LZ4 frame", Kind.ARCHIVE, "compressed:read_lz4"),
    ("zlib", "zlib stream (joblib)", Kind.ARCHIVE, "compressed:read_zlib"),
    ("7z", "7-Zip", Kind.ARCHIVE, "sevenzip"),
    ("torchscript", "TorchScript source", Kind.CODE, "torchscript"),
    ("rar", "RAR", Kind.ARCHIVE, "unread"),
    # tensors
    ("safetensors", "safetensors", Kind.TENSORS, "safetensors"),
    ("gguf", "GGUF", Kind.TENSORS, "gguf"),
    ("ggml", "GGML / GGJT / GGLA legacy", Kind.TENSORS, "ggml"),
    # graphs
    ("onnx", "ONNX", Kind.MODEL, "onnx"),
    ("savedmodel", "TensorFlow SavedModel / MetaGraph", Kind.MODEL, "savedmodel"),
    ("tflite", "TensorFlow Lite", Kind.MODEL, "tflite"),
    ("executorch", "ExecuTorch program", Kind.MODEL, "tflite:read_executorch"),
    ("coreml", "Core ML", Kind.MODEL, "coreml"),
    ("paddle", "PaddlePaddle program or parameters", Kind.MODEL, "paddle"),
    ("mxnet", "MXNet", Kind.MODEL, "mxnet"),
    ("cntk", "CNTK", Kind.MODEL, "cntk"),
    ("tensorrt", "TensorRT engine", Kind.MODEL, "tensorrt"),
    ("rknn", "RKNN", Kind.MODEL, "rknn"),
    ("xml", "XML: OpenVINO IR, PMML", Kind.MODEL, "xml_model"),
    # keras
    ("hdf5", "HDF5 (Keras)", Kind.MODEL, "hdf5"),
    ("keras_config", "Keras architecture JSON", Kind.MODEL, "keras_config"),
    # other learners
    ("msgpack", "MessagePack (Flax)", Kind.TENSORS, "flax"),
    ("xgboost", "XGBoost (JSON, UBJSON, binary)", Kind.MODEL, "xgboost"),
    ("lightgbm", "LightGBM text", Kind.MODEL, "lightgbm"),
    ("catboost", "CatBoost", Kind.MODEL, "catboost"),
    ("skops", "skops schema", Kind.MODEL, "skops"),
    ("torch7", "Torch7", Kind.MODEL, "torch7"),
    ("rds", "R serialised object", Kind.MODEL, "rds"),
    # text
    ("json", "JSON", Kind.CONFIG, "json_text"),
    ("yaml", "YAML", Kind.CONFIG, "yaml_text"),
    ("ini", "INI, TOML, properties", Kind.CONFIG, "plain_text"),
    ("jinja", "Jinja template", Kind.TEMPLATE, "jinja"),
    ("python", "Python source", Kind.CODE, "python_source"),
    ("notebook", "Jupyter notebook", Kind.CODE, "notebook"),
    ("script", "Shell, batch, PowerShell, JavaScript and other scripts", Kind.CODE, "script"),
    ("html", "HTML", Kind.TEXT, "script:read_html"),
    ("text", "Plain text", Kind.TEXT, "plain_text"),
    # native and other
    ("elf", "ELF program or library", Kind.BINARY, "executable"),
    ("pe", "Windows program or library", Kind.BINARY, "executable"),
    ("macho", "Mach-O program or library", Kind.BINARY, "executable"),
    ("wasm", "WebAssembly", Kind.BINARY, "executable"),
    ("java", "Java class", Kind.BINARY, "executable"),
    ("image", "Image", Kind.TEXT, "media"),
    ("audio", "Audio or video", Kind.TEXT, "media"),
    ("pdf", "PDF", Kind.TEXT, "unread"),
    ("sqlite", "SQLite database", Kind.BINARY, "unread"),
    ("parquet", "Parquet", Kind.BINARY, "unread"),
    ("arrow", "Arrow", Kind.BINARY, "unread"),
    ("sentencepiece", "SentencePiece model", Kind.TENSORS, "sentencepiece"),
    ("lfs", "Git LFS pointer", Kind.TEXT, "lfs_pointer"),
    ("empty", "Empty file", Kind.TEXT, "plain_text:read_empty"),
    ("unknown", "Not recognised", Kind.BINARY, "unknown"),
    # directories
    ("repository", "A directory read as one thing", Kind.REPOSITORY, "repository"),
)
