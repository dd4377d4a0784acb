"""What Hugging Face, MLflow, diffusers, PEFT, sentence-transformers and ModelScope configurations make a loader import or fetch.

`whole(obj)` looks at the file, `section` at each mapping in it, `setting` at each value.
"""

import re
from collections.abc import Iterator

from hauberk.assets.configs.config_values import Mapping, Place, listing, mapping
from hauberk.assets.quoting import quote
from hauberk.core import Fact
from hauberk.core.asset import Scalar

_REMOTE = re.compile(r"[\w][\w.\-]{0,95}/[\w][\w.\-]{0,95}--[\w.\-/]+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w\-]*")
_REPOSITORY = re.compile(r"[\w][\w.\-]*/[\w][\w.\-]*(?::[\w.\-]+)?(?:@[\w.\-]+)?")
_SCHEME = re.compile(r"(?i)(?:https?|ftp|s3|gs|file|git\+\w+|ssh|hdfs|smb)://|^\\\\")
# Values that a loader joins to the model's folder and opens.
_PATH_KEYS = frozenset(
    {
        "transformers_weights", "weights_name", "tokenizer_file", "vocab_file", "merges_file", "spm_file", "sp_model_file",
        "checkpoint", "checkpoint_path", "model_file", "model_path", "weights_path", "artifact_path", "data", "code", "model_data",
        "python_model", "serialized_model", "pickled_model", "saved_model", "path", "pyfunc_custom_loader", "adapter_path",
        "base_model_name_or_path", "tokenizer_path", "config_file", "vocab_path", "lora_path", "nemo_file", "restore_from_path",
        "env", "conda", "virtualenv", "chat_template_file", "template_file", "filename", "blob_path", "model_script", "scaler_path",
    }
)  # fmt: skip
# Of these, the ones that nothing but a loader reads.
_LOADED_KEYS = frozenset(
    {
        "transformers_weights", "weights_name", "tokenizer_file", "vocab_file", "merges_file", "spm_file", "sp_model_file",
        "artifact_path", "python_model", "model_data", "serialized_model", "pickled_model", "chat_template_file", "template_file",
    }
)  # fmt: skip
_SYSTEM = re.compile(r"/(?:etc|proc|sys|root/\.|dev/(?!null))|~/\.|/home/[^/]+/\.")
_SYSTEM_BY_STEPS = re.compile(r"(?:\.\./){2,}(?:etc|proc|root|home|tmp|var|dev|usr|sys|windows)/")
# Where a dotted path is imported and used as a class or function.
_IMPORT_KEYS = frozenset(
    {"activation_fn", "sbert_ce_default_activation_function", "activation_function", "restore_fn", "loader_module",
     "tokenizer_module", "model_module", "custom_loader", "entry_point", "pre_processing_fn", "load_fn", "init_fn", "decode_fn",
     "deserializer", "type_handler", "handler_class"}
)  # fmt: skip
_TRUST_KEYS = frozenset({"trust_remote_code", "allow_remote", "allow_pickle", "weights_only", "unsafe_load", "allow_unsafe"})
_KNOWN_LIBRARIES = frozenset(
    {"diffusers", "transformers", "flax", "optimum", "onnxruntime", "peft", "stable_diffusion", "pipeline_utils"}
)  # fmt: skip


def whole(obj: object) -> Iterator[Fact]:
    """What only the file as a whole tells."""
    rows = listing(obj)
    if rows is not None:
        yield from _modules(rows)
        return
    held = mapping(obj)
    if held is None:
        return
    if isinstance(held.get("_class_name"), str):
        yield from _pipeline(held)
    yield from _labels(held)


def _modules(rows: list[object]) -> Iterator[Fact]:
    """modules.json of sentence-transformers: each `type` is imported."""
    for row in rows[:1000]:
        held = mapping(row)
        if held is None or not {"idx", "path", "type"} <= held.keys():
            return
        name = held["type"]
        if isinstance(name, str):
            yield from _import(name, f"[{held['idx']}].type", "module")


def _pipeline(held: Mapping) -> Iterator[Fact]:
    """model_index.json of diffusers: each entry is [library, class], and a library that is no library is a file beside it."""
    for key, value in held.items():
        pair = listing(value)
        if key == "_class_name" or pair is None or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            continue
        library, name = str(pair[0]), str(pair[1])
        if library in _KNOWN_LIBRARIES or library.startswith(("diffusers.", "transformers.")):
            continue
        yield _local(f"{library}.{name}", key) if _IDENTIFIER.fullmatch(library) else _outside(f"{library}.{name}", key)


def _labels(held: Mapping) -> Iterator[Fact]:
    """`label2id` and `id2label` that contradict each other: an answer that reads as another."""
    forward, back = mapping(held.get("id2label")), mapping(held.get("label2id"))
    if forward is None or back is None:
        return
    for label, number in list(back.items())[:100_000]:
        said = forward.get(str(number))
        if isinstance(said, str) and said != label:
            note = f"label2id says {quote(label, 40)} is {quote(str(number), 20)}, id2label calls that {quote(said, 40)}"
            yield Fact("config.labels-contradict", note, where="label2id", quote=quote(f"{label} {number} {said}"))
            return


def section(place: Place) -> Iterator[Fact]:
    """What one mapping makes a loader do."""
    held = mapping(place.value)
    if held is None:
        return
    for key in ("auto_map", "custom_pipelines", "auto_mapping"):
        inner = mapping(held.get(key))
        if inner is not None:
            where = f"{place.where}.{key}" if place.where else key
            yield from (_auto_mapping(inner, where) if key == "auto_mapping" else _auto_map(inner, where))
    weights = mapping(held.get("weight_map"))
    if weights is not None:
        yield from _shards(weights, f"{place.where}.weight_map" if place.where else "weight_map")
    if "flavors" in held or place.key == "python_function":
        yield from _flavour(held, place.where)


def _auto_map(held: Mapping, where: str) -> Iterator[Fact]:
    for key, value in list(held.items())[:200]:
        inner = mapping(value)
        named = listing(value) or [inner.get("impl") if inner is not None else value]
        for name in named:
            if not isinstance(name, str) or _REMOTE.fullmatch(name):  # `setting` reports those of another repository
                continue
            place = f"{where}.{key}"
            yield _local(name, place) if _DOTTED.fullmatch(name) or _IDENTIFIER.fullmatch(name) else _outside(name, place)


def _local(name: str, where: str) -> Fact:
    attrs: dict[str, Scalar] = {"class": name}
    return Fact("hf.local-code", f"runs {quote(name, 80)} from the model's own folder", where=where, quote=quote(name), attrs=attrs)


def _outside(name: str, where: str) -> Fact:
    return Fact("hf.code-path", "names code by a path that is no module of this folder", where=where, quote=quote(name))


def _auto_mapping(held: Mapping, where: str) -> Iterator[Fact]:
    """PEFT: imports `parent_library` and takes `base_model_class` out of it."""
    library, name = held.get("parent_library"), held.get("base_model_class")
    if isinstance(library, str) and library:
        dotted = f"{library}.{name}" if isinstance(name, str) and name else library
        yield from _import(dotted, f"{where}.parent_library", "library")


def _shards(weights: Mapping, where: str) -> Iterator[Fact]:
    """A shard index whose entries leave the folder."""
    for name in dict.fromkeys(one for one in weights.values() if isinstance(one, str)):
        plain = name.replace("\\", "/")
        if plain.startswith(("/", "~")) or ".." in plain.split("/") or ":" in plain.partition("/")[0]:
            note = f"the index names {quote(name, 80)}, outside the directory"
            yield Fact("hf.index-traversal", note, where=where, quote=quote(name))


def _flavour(held: Mapping, where: str) -> Iterator[Fact]:
    """A flavour of an MLflow MLmodel: `loader_module` is imported."""
    code = held.get("code")
    if isinstance(code, str) and code:
        note = f"puts {quote(code, 60)} on the import path when the model is loaded"
        yield Fact("mlflow.code", note, where=where, quote=quote(code))


def setting(place: Place) -> Iterator[Fact]:
    """What one value makes a loader do."""
    key, value = place.key, place.value
    if key in _TRUST_KEYS:
        yield from _trust(place)
    if not isinstance(value, str) or not value:
        return
    if len(value) <= 300 and "--" in value and _REMOTE.fullmatch(value.strip()):
        yield _remote(value, place.where, "code of another repository")
    elif key == "custom_generate" and _REPOSITORY.fullmatch(value):
        yield _remote(value, place.where, "generates with code of another repository")
    elif key in {"attn_implementation", "_attn_implementation", "experts_implementation"} and _REPOSITORY.fullmatch(value):
        yield Fact("hf.remote-kernel", "fetches and loads a compiled kernel", where=place.where, quote=quote(value))
    if key in _IMPORT_KEYS:
        yield from _import(value, place.where, "module" if key == "loader_module" else "setting")
    elif key == "similarity_fn_name" and not _IDENTIFIER.fullmatch(value):
        yield Fact("config.code", "a name that is an expression", where=place.where, quote=quote(value))
    elif key in _PATH_KEYS:
        yield from _path(place, value)


def _trust(place: Place) -> Iterator[Fact]:
    unsafe = place.value is (place.key != "weights_only")
    if unsafe:
        attrs: dict[str, Scalar] = {"key": place.key}
        yield Fact("hf.trust", f"asks for {place.key}", where=place.where, quote=f"{place.key}: {place.value}", attrs=attrs)


def _remote(value: str, where: str, what: str) -> Fact:
    return Fact("hf.remote-code", f"runs {what}: {quote(value.partition('--')[0], 80)}", where=where, quote=quote(value))


def _import(name: str, where: str, how: str) -> Iterator[Fact]:
    """A dotted path that the loader imports. A plain word (`relu`) is looked up in a table and is none."""
    if _REMOTE.fullmatch(name):
        return
    if not _DOTTED.fullmatch(name) and not (how in {"module", "library"} and _IDENTIFIER.fullmatch(name)):
        if re.search(r"[^\w .\-]", name):
            yield Fact("config.code", "a name that is an expression", where=where, quote=quote(name))
        return
    attrs: dict[str, Scalar] = {"module": "", "name": name, "how": how}
    yield Fact("config.import", f"the loader imports {quote(name, 100)}", where=where, quote=quote(name), attrs=attrs)


def _path(place: Place, value: str) -> Iterator[Fact]:
    """A path that leaves the model's folder. `loaded`: the loader opens it, it is no note of where training data lay."""
    loaded = place.key in _LOADED_KEYS or place.where.startswith("flavors") or {"idx", "type"} <= place.holder.keys()
    plain = value.replace("\\", "/")
    attrs: dict[str, Scalar] = {"loaded": loaded or _SYSTEM_BY_STEPS.search(plain) is not None}
    if ".." in plain.split("/"):
        yield Fact(
            "config.path-traversal", "a path that leaves the model's folder", where=place.where, quote=quote(value), attrs=attrs
        )
    elif _SCHEME.search(value):
        yield Fact("config.path-remote", "an address where a file should be", where=place.where, quote=quote(value), attrs=attrs)
    elif plain.startswith(("/", "~/")) or re.match(r"[A-Za-z]:/", plain):
        attrs = {"system": _SYSTEM.match(plain) is not None}
        yield Fact("config.path-absolute", "a path of one machine", where=place.where, quote=quote(value), attrs=attrs)
