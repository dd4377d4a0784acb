"""What any configuration is looked at for, whatever wrote it: templates, code to import, remote code, paths, programs."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.configs import hf_config, hydra
from hauberk.assets.configs.config_values import Place, is_long_row_of_scalars, listing, mapping, places
from hauberk.assets.content import BytesContent
from hauberk.assets.quoting import quote
from hauberk.assets.templates.jinja import is_template
from hauberk.core import Asset, Fact, Gap, GapReason

_TEMPLATE_KEY = re.compile(r"(?i)template|prompt|jinja")
_REACHING = re.compile(r"\{[{%](?:(?!\}\}|%\}).){0,2000}(?:__|\||\.|\[|\*\*|\brange\b|\binclude\b|\bimport\b|\bdebug\b)", re.DOTALL)
# The whole of a value is Python that somebody means to evaluate.
_CODE = re.compile(
    r"\s*(?:\$\{\s*eval\s*:|lambda\b[^:\n]{0,80}:|__import__\s*\(|(?:eval|exec|compile|execfile)\s*\(\s*['\"\w]|open\s*\(\s*['\"]|"
    r"(?:os|subprocess|sys|builtins|shutil|socket|ctypes|importlib|pickle|marshal)\.[\w.]+\s*\()"
)
_HARM = re.compile(r"\b(?:eval|exec|compile|__import__|system|popen|Popen|check_output|getattr|open|loads?|urlopen)\s*\(")
_PROSE_KEY = re.compile(
    r"(?i)text|content|prompt|descr|comment|example|message|code|source|snippet|question|answer|output|input|title|body|doc"
)
MAX_TEMPLATES = 500


def facts(asset: Asset, obj: object, budget: Budget, *, is_row: bool = False) -> Iterator[Fact | Asset | Gap]:
    """Everything a parsed configuration says that matters, in the order it says it."""
    yield from hf_config.whole(obj)
    templates = 0
    rows = listing(obj)
    is_data = is_row or (rows is not None and len(rows) > 200 and mapping(rows[0]) is not None)
    for place in places(_settings(obj), budget):
        held = mapping(place.value)
        if held is not None:
            yield from hydra.targets(place)
            yield from hf_config.section(place)
            continue
        yield from hf_config.setting(place)
        if not isinstance(place.value, str):
            continue
        if is_template(place.value) and (_TEMPLATE_KEY.search(place.key) or _REACHING.search(place.value)):
            templates += 1
            if templates <= MAX_TEMPLATES:
                content = BytesContent(place.value.encode("utf-8", "surrogatepass"))
                yield asset.child(place.where or "value", content, format="jinja")
        elif not is_data:
            yield from _code(place)
    if templates > MAX_TEMPLATES:
        note = f"{templates} strings look like templates; only the first {MAX_TEMPLATES} were read as such"
        yield Gap(asset.uri, GapReason.UNSUPPORTED, note)


def _settings(obj: object) -> object:
    """`obj` without vocabularies, which hold any string there is."""
    held = mapping(obj)
    if held is None:
        return None if is_long_row_of_scalars(obj) else obj
    if is_long_row_of_scalars(obj):
        return None
    model = mapping(held.get("model"))
    if model is not None and ("vocab" in model or "merges" in model):
        return {**held, "model": {key: value for key, value in model.items() if key not in {"vocab", "merges"}}}
    return {key: value for key, value in held.items() if not is_long_row_of_scalars(value)}


def _code(place: Place) -> Iterator[Fact]:
    value = place.value
    assert isinstance(value, str)
    if len(value) > 4096 or _PROSE_KEY.search(place.where) or not _CODE.match(value) or not _HARM.search(value):
        return
    yield Fact("config.code", "a setting whose value is Python code", where=place.where, quote=quote(value))
