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
    ("pickle", "Python pickle (any protocol; joblib, dill, cloudpickle)", Kind.MODEL, "pickle.stream"),
    ("torch_legacy", "PyTorch legacy (stacked pickles)", Kind.MODEL, "pickle.torch_legacy"),
    ("npy", "NumPy array", Kind.TENSORS, "tensors.npy"),
    ("marshal", "Python marshal / pyc", Kind.CODE, "source.marshalled"),
    # containers
    ("zip", "Zip and everything built on it", Kind.ARCHIVE, "containers.zip_container"),
    ("tar", "Tar", Kind.ARCHIVE, "containers.tar_container"),
    ("gzip", "gzip", Kind.ARCHIVE, "containers.compressed:read_gzip"),
    ("bz2", "bzip2", Kind.ARCHIVE, "containers.compressed:read_bz2"),
    ("xz", "xz / lzma", Kind.ARCHIVE, "containers.compressed:read_xz"),
    ("zstd", "Zstandard", Kind.ARCHIVE, "containers.compressed:read_zstd"),
    ("lz4", "LZ4 frame", Kind.ARCHIVE, "containers.compressed:read_lz4"),
    ("zlib", "zlib stream (joblib)", Kind.ARCHIVE, "containers.compressed:read_zlib"),
    ("7z", "7-Zip", Kind.ARCHIVE, "containers.sevenzip"),
    ("torchscript", "TorchScript source", Kind.CODE, "source.torchscript"),
    ("rar", "RAR", Kind.ARCHIVE, "unread"),
    # tensors
    ("safetensors", "safetensors", Kind.TENSORS, "tensors.safetensors"),
    ("gguf", "GGUF", Kind.TENSORS, "tensors.gguf"),
    ("ggml", "GGML / GGJT / GGLA legacy", Kind.TENSORS, "tensors.ggml"),
    # graphs
    ("onnx", "ONNX", Kind.MODEL, "graphs.onnx"),
    ("savedmodel", "TensorFlow SavedModel / MetaGraph", Kind.MODEL, "graphs.savedmodel"),
    ("tflite", "TensorFlow Lite", Kind.MODEL, "graphs.tflite"),
    ("executorch", "ExecuTorch program", Kind.MODEL, "graphs.tflite:read_executorch"),
    ("coreml", "Core ML", Kind.MODEL, "graphs.coreml"),
    ("paddle", "PaddlePaddle program or parameters", Kind.MODEL, "graphs.paddle"),
    ("mxnet", "MXNet", Kind.MODEL, "graphs.mxnet"),
    ("cntk", "CNTK", Kind.MODEL, "graphs.cntk"),
    ("tensorrt", "TensorRT engine", Kind.MODEL, "graphs.tensorrt"),
    ("rknn", "RKNN", Kind.MODEL, "graphs.rknn"),
    ("xml", "XML: OpenVINO IR, PMML", Kind.MODEL, "graphs.xml_model"),
    # keras
    ("hdf5", "HDF5 (Keras)", Kind.MODEL, "keras.hdf5"),
    ("keras_config", "Keras architecture JSON", Kind.MODEL, "keras.config"),
    # other learners
    ("msgpack", "MessagePack (Flax)", Kind.TENSORS, "learners.flax"),
    ("xgboost", "XGBoost (JSON, UBJSON, binary)", Kind.MODEL, "learners.xgboost"),
    ("lightgbm", "LightGBM text", Kind.MODEL, "learners.lightgbm"),
    ("catboost", "CatBoost", Kind.MODEL, "learners.catboost"),
    ("skops", "skops schema", Kind.MODEL, "learners.skops"),
    ("torch7", "Torch7", Kind.MODEL, "learners.torch7"),
    ("rds", "R serialised object", Kind.MODEL, "learners.rds"),
    # text
    ("json", "JSON", Kind.CONFIG, "configs.json_text"),
    ("yaml", "YAML", Kind.CONFIG, "configs.yaml_text"),
    ("ini", "INI, TOML, properties", Kind.CONFIG, "text.plain_text"),
    ("jinja", "Jinja template", Kind.TEMPLATE, "templates.jinja"),
    ("python", "Python source", Kind.CODE, "source.python_source"),
    ("notebook", "Jupyter notebook", Kind.CODE, "source.notebook"),
    ("script", "Shell, batch, PowerShell, JavaScript and other scripts", Kind.CODE, "source.script"),
    ("html", "HTML", Kind.TEXT, "source.script:read_html"),
    ("text", "Plain text", Kind.TEXT, "text.plain_text"),
    # native and other
    ("elf", "ELF program or library", Kind.BINARY, "native.executable"),
    ("pe", "Windows program or library", Kind.BINARY, "native.executable"),
    ("macho", "Mach-O program or library", Kind.BINARY, "native.executable"),
    ("wasm", "WebAssembly", Kind.BINARY, "native.executable"),
    ("java", "Java class", Kind.BINARY, "native.executable"),
    ("image", "Image", Kind.TEXT, "native.media"),
    ("audio", "Audio or video", Kind.TEXT, "native.media"),
    ("pdf", "PDF", Kind.TEXT, "unread"),
    ("sqlite", "SQLite database", Kind.BINARY, "unread"),
    ("parquet", "Parquet", Kind.BINARY, "unread"),
    ("arrow", "Arrow", Kind.BINARY, "unread"),
    ("sentencepiece", "SentencePiece model", Kind.TENSORS, "tensors.sentencepiece"),
    ("lfs", "Git LFS pointer", Kind.TEXT, "configs.lfs_pointer"),
    ("empty", "Empty file", Kind.TEXT, "text.plain_text:read_empty"),
    ("unknown", "Not recognised", Kind.BINARY, "unknown"),
    # directories
    ("repository", "A directory read as one thing", Kind.REPOSITORY, "repository.reader"),
)
