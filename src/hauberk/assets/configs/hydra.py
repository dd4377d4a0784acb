"""Hydra and OmegaConf: `_target_` names what the loader imports and calls (CVE-2025-23304 in NeMo)."""

import re
from collections.abc import Iterator

from hauberk.assets.configs.config_values import Place, mapping
from hauberk.assets.quoting import quote
from hauberk.core import Fact
from hauberk.core.asset import Scalar

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")

# Keys under which a loader looks for something to import and call.
_KEYS = {"_target_": "target", "_target": "target", "__target__": "target", "class_path": "class path", "_component_": "component"}


def targets(place: Place) -> Iterator[Fact]:
    """The callables that the mapping at `place` has instantiated."""
    held = mapping(place.value)
    if held is None:
        return
    attrs: dict[str, Scalar]
    plain = held.get("target")
    if isinstance(plain, str) and _DOTTED.fullmatch(plain):
        attrs = {"module": "", "name": plain, "how": "target"}
        where = f"{place.where}.target" if place.where else "target"
        yield Fact(
            "config.target-plain", f"a loader may import and call {quote(plain, 100)}", where=where, quote=quote(plain), attrs=attrs
        )
    for key, word in _KEYS.items():
        name = held.get(key)
        if not isinstance(name, str) or (key == "class_path" and "." not in name):
            continue
        where = f"{place.where}.{key}" if place.where else key
        if "${" in name:
            yield Fact("config.target-computed", "what to call is only known when it runs", where=where, quote=quote(name))
            continue
        note = f"the loader imports and calls {quote(name, 100)}"
        attrs = {"module": "", "name": name.strip().replace(":", "."), "how": "target"}
        yield Fact("config.target", note, where=where, quote=quote(f"{word} {name}" if word != "target" else name), attrs=attrs)
