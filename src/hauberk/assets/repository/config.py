"""What the configurations of a directory name, held against the files that are there."""

import posixpath
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import listing, mapping
from hauberk.assets.quoting import quote
from hauberk.assets.repository.json import beside, load
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap, GapReason

_NAMES = frozenset(
    {
        "config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "generation_config.json",
        "image_processor_config.json", "feature_extractor_config.json", "video_preprocessor_config.json", "adapter_config.json",
        "model_index.json", "modules.json", "configuration.json",
    }
)  # fmt: skip
_LOCAL = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
MAX_CONFIG = 4 << 20


def configured(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact | Gap]:
    """Local code that a configuration wants and that is not here, and ModelScope's own hooks."""
    for name in tree.files:
        if posixpath.basename(name) not in _NAMES:
            continue
        obj = load(tree, name, budget, MAX_CONFIG)
        for dotted in dict.fromkeys(_local_code(obj)):
            module = dotted.rpartition(".")[0].replace(".", "/")
            if f"{beside(name, module)}.py" not in tree.files and f"{beside(name, module)}/__init__.py" not in tree.files:
                note = f"the code that {quote(dotted, 80)} names is not here: what it does was not looked at"
                yield Gap(f"{asset.uri}/{name}", GapReason.ABSENT, note)
        yield from _modelscope(tree, name, obj)
    for name in tree.files:
        if posixpath.basename(name) == "generate.py" and posixpath.basename(posixpath.dirname(name)) == "custom_generate":
            note = "transformers runs custom_generate/generate.py when it is trusted to"
            yield Fact("repository.custom-generate", note, where=name, quote=quote(name), attrs={"path": name})


def _local_code(obj: object) -> Iterator[str]:
    held = mapping(obj)
    if held is None:
        return
    for value in (mapping(held.get("auto_map")) or {}).values():
        for one in listing(value) or [value]:
            if isinstance(one, str) and _LOCAL.fullmatch(one):
                yield one


def _modelscope(tree: Tree, name: str, obj: object) -> Iterator[Fact]:
    """ModelScope's configuration.json: with `allow_remote` or plugins, ms_wrapper.py and the like are imported."""
    held = mapping(obj)
    if held is None or posixpath.basename(name) != "configuration.json":
        return
    plugins = listing(held.get("plugins"))
    wrapper = beside(name, "ms_wrapper.py") in tree.files
    if plugins or wrapper:
        piece = ", ".join(str(one) for one in plugins or ["ms_wrapper.py"])
        yield Fact(
            "modelscope.code", f"ModelScope imports {quote(piece, 80)}", where=name, quote=quote(piece), attrs={"path": name}
        )
