"""What a module and name in a Keras configuration refer to: Keras' own objects by structure, or something else.

Keras imports the named module and takes the named attribute, so the space is open. What is data is decided by where
Keras keeps its own layers, losses and activations; everything Keras keeps elsewhere is a tool, and a tool in a
configuration is a gadget.
"""

import builtins
import re
from enum import StrEnum

# Longest first: `keras.src.layers` is below `keras.src`, not below `keras`.
_ROOTS = (
    "keras._tf_keras.keras.src",
    "keras._tf_keras.keras",
    "keras.api._v2.keras",
    "keras.api._v1.keras",
    "keras.api",
    "keras.src",
    "keras",
    "tf_keras.api._v2.keras",
    "tf_keras.src",
    "tf_keras",
    "tensorflow.python.keras",
    "tensorflow.keras",
    "tensorflow._api.v2.keras",
    "keras_hub.src",
    "keras_hub",
    "keras_nlp.src",
    "keras_nlp",
    "keras_cv.src",
    "keras_cv",
    "keras_rs",
    "tensorflow_addons",
    "tensorflow_probability",
)

_CLASS_SPACES = frozenset({
    "", "layers", "models", "engine", "initializers", "regularizers", "constraints", "optimizers", "losses", "metrics",
    "activations", "ops", "dtype_policies", "mixed_precision", "quantizers", "random", "applications", "backend",
    "premade", "premade_models", "legacy", "experimental", "feature_column", "distribution", "trainers", "utils",
    "export", "tokenizers", "samplers", "bounding_box", "callbacks", "bijectors", "distributions", "python", "seq2seq", "rnn",
})  # fmt: skip
_FUNCTION_SPACES = frozenset({
    "", "activations", "losses", "metrics", "initializers", "regularizers", "constraints", "ops", "random", "layers",
    "legacy", "applications", "optimizers", "bounding_box",
})  # fmt: skip

# Functions of Keras that read, write, fetch, load or re-enable, under whatever module re-exports them.
GADGETS = {
    "get_file": "download",
    "enable_unsafe_deserialization": "unsafe-switch",
    "disable_unsafe_deserialization": "unsafe-switch",
    "set_safe_mode": "unsafe-switch",
    "func_load": "code-loader",
    "func_dump": "code-loader",
    "code_to_function": "code-loader",
    "load_model": "model-loader",
    "load_weights": "model-loader",
    "load_model_from_hdf5": "model-loader",
    "model_from_json": "model-loader",
    "model_from_config": "model-loader",
    "model_from_yaml": "model-loader",
    "deserialize_keras_object": "model-loader",
    "deserialize": "model-loader",
    "load_lib": "code-loader",
    "load_op_library": "code-loader",
    "load_library": "code-loader",
    "load_data": "download",
    "_extract_archive": "archive",
    "extract_archive": "archive",
    "extract_open_archive": "archive",
    "save_model": "file-write",
    "save_weights": "file-write",
    "save_img": "file-write",
    "plot_model": "file-write",
    "export": "file-write",
    "load_img": "file-read",
    "image_dataset_from_directory": "file-read",
    "text_dataset_from_directory": "file-read",
    "audio_dataset_from_directory": "file-read",
    "import_module": "code-loader",
    "run_script": "code-loader",
    "register_keras_serializable": "registry",
    "custom_object_scope": "registry",
    "CustomObjectScope": "registry",
}

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PYTHON_BUILTINS = frozenset(dir(builtins)) | {"unicode", "execfile", "reload", "raw_input", "file", "apply", "quit", "exit"}

# TensorFlow symbols a TFOpLambda layer may name: arithmetic on tensors. Everything else is looked at.
_TENSOR_SPACES = frozenset({
    "math", "nn", "linalg", "image", "signal", "strings", "sparse", "bitwise", "random", "ragged", "sets", "dtypes",
    "__operators__", "keras", "quantization", "compat", "experimental", "errors", "autodiff",
})  # fmt: skip
_TENSOR_DANGER = re.compile(
    r"(?i)(^|\.)(io|raw_ops|saved_model|data|py_func\w*|numpy_func\w*|load_\w+|train|summary|distribute|config|profiler|tpu"
    r"|gfile|python_io|read_file|write_file|eager_py_func|import_graph_def|sysconfig|test|lite|debugging|estimator|app|flags)(\.|$)"
)


class Place(StrEnum):
    """Where a reference leads."""

    DATA = "data"  # an object Keras itself keeps for configurations
    GADGET = "gadget"  # a function of Keras known to reach outside
    INTERNAL = "internal"  # some other function of Keras
    CUSTOM = "custom"  # resolved only from what the loading program registered itself
    FOREIGN = "foreign"  # an import of something that is not Keras


def below_keras(module: str) -> str | None:
    """`module` without its Keras root (`keras.src.layers.core` -> `layers.core`), None when it is not Keras."""
    for root in _ROOTS:
        if module == root:
            return ""
        if module.startswith(root + "."):
            return module[len(root) + 1 :]
    return None


def place_of(module: str, name: str, *, function: bool) -> Place:
    """Where `module` and `name` lead when Keras resolves them."""
    if not module:
        return _place_without_module(name)
    if module == "builtins" and function and name not in _PYTHON_BUILTINS and _plain(name.rsplit(">", 1)[-1]):
        return Place.CUSTOM  # Keras 2.13 to 2.15 wrote this for every function of the model's author
    below = below_keras(module)
    if below is None:
        return Place.FOREIGN
    if name in GADGETS:
        return Place.GADGET
    if not _plain(name):
        return Place.FOREIGN if ">" not in name else Place.CUSTOM
    space = below.split(".", 1)[0]
    spaces = _CLASS_SPACES if name[0].isupper() and not function else _FUNCTION_SPACES
    return Place.DATA if space in spaces else Place.INTERNAL


def _place_without_module(name: str) -> Place:
    if name in GADGETS and name != "deserialize":
        return Place.GADGET
    if "." in name:
        return Place.FOREIGN
    if ">" in name:
        return Place.CUSTOM
    return Place.DATA


def _plain(name: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(name)) and "__" not in name


def tensor_symbol_is_plain(symbol: str) -> bool:
    """Whether a TFOpLambda's symbol (`math.multiply`, `expand_dims`) is arithmetic on tensors."""
    if _TENSOR_DANGER.search(symbol):
        return False
    head, _, rest = symbol.partition(".")
    return not rest or head in _TENSOR_SPACES
