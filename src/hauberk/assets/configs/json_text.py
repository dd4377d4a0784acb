"""JSON of any shape: parsed within bounds, then given to whoever knows the shape. The file's name decides nothing."""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_facts import facts as config_facts
from hauberk.assets.configs.config_values import mapping
from hauberk.assets.configs.json_depth import deeper_than
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.text.textual import decoded
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

MAX_DEPTH = 400
MAX_LINES = 100_000
# Keys that say what code runs or what is loaded: which of two values counts must not depend on the parser.
_DECIDES = frozenset(
    {
        "class_name", "module", "registered_name", "config", "auto_map", "_target_", "type", "__module__", "__class__",
        "__loader__", "chat_template", "template", "weight_map", "vocab", "model", "added_tokens", "normalizer", "build_config",
        "custom_pipelines",
    }
)  # fmt: skip
Item = Fact | Asset | Gap

# Whose shape it is: `is_*` says whether, `facts(asset, obj, budget)` says what is in it. The rest of the file is looked at
# as a configuration all the same, less the part under the last column's key, which only that shape gives a meaning.
_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("source.notebook", "is_notebook", "cells"),
    ("configs.tokenizer", "is_tokenizer", ""),
    ("keras.config", "is_keras", ""),
    ("learners.skops", "is_skops", ""),
    ("learners.xgboost", "is_xgboost", "learner"),
)


class _Pairs:
    """Builds objects and remembers keys that were given twice."""

    def __init__(self) -> None:
        self.twice: dict[str, int] = {}

    def __call__(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        built = dict(pairs)
        if len(built) != len(pairs) and len(self.twice) < 100:
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self.twice[key] = self.twice.get(key, 0) + 1
                seen.add(key)
        return built


def read(asset: Asset, budget: Budget) -> Iterator[Item]:
    """Facts of the JSON in `asset`, by its shape."""
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a JSON text of {asset.content.size} bytes")
    text = decoded(asset.content.read())
    if deeper_than(text.encode("utf-8", "surrogatepass"), MAX_DEPTH, budget):
        raise ReadError(GapReason.TOO_DEEP, f"JSON nested more than {MAX_DEPTH} deep", check="json.too-deep")
    pairs = _Pairs()
    obj, rest = _parse(text, pairs)
    for key, count in pairs.twice.items():
        attrs: dict[str, Scalar] = {"decides": key in _DECIDES}
        yield Fact("json.duplicate-key", f"the key {quote(key, 60)} is given {count + 1} times", quote=quote(key), attrs=attrs)
    yield from judged(asset, obj, budget)
    if rest:
        yield from _lines(asset, rest, budget)


def judged(asset: Asset, obj: object, budget: Budget, *, is_row: bool = False) -> Iterator[Item]:
    """What is to be said of a parsed configuration; `is_row` when it is one of many and its texts are data."""
    budget.check_time()
    for module_name, predicate, own in _SHAPES:
        module = import_module(f"hauberk.assets.{module_name}")
        is_shape: Callable[[object], bool] = getattr(module, predicate)
        if not is_shape(obj):
            continue
        yield from module.facts(asset, obj, budget)
        held = mapping(obj)
        if own and held is not None:
            obj = {key: value for key, value in held.items() if key != own}
    yield from config_facts(asset, obj, budget, is_row=is_row)


def _parse(text: str, pairs: _Pairs, *, again: bool = False) -> tuple[object, str]:
    """The first value, and what follows it (JSON lines)."""
    start = len(text) - len(text.lstrip())
    try:
        obj, end = json.JSONDecoder(object_pairs_hook=pairs).raw_decode(text, start)
    except RecursionError as error:
        raise ReadError(GapReason.TOO_DEEP, "JSON nested too deep", check="json.too-deep") from error
    except ValueError as error:  # JSONDecodeError, and numbers of more digits than Python converts
        loose = text if again else _loosened(text)
        if loose != text:
            return _parse(loose, pairs, again=True)
        note = f"not JSON: {quote(str(error), 100)}"
        raise Malformed(note, offset=getattr(error, "pos", None)) from error
    return obj, text[end:].strip("\x00 \t\r\n")


_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*+")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:[^"\\\n]|\\.)*+")|,(?=\s*[}\]])')


def _loosened(text: str) -> str:
    """The text without comments and trailing commas, which many loaders accept."""
    return _TRAILING.sub(lambda m: m[1] or "", _COMMENT.sub(lambda m: m[1] or " ", text))


def _lines(asset: Asset, rest: str, budget: Budget) -> Iterator[Item]:
    for number, line in enumerate(rest.splitlines()):
        if number >= MAX_LINES:
            yield Gap(asset.uri, GapReason.UNSUPPORTED, f"JSON lines: only the first {MAX_LINES} were read")
            return
        if not line.strip():
            continue
        budget.tick(64)
        try:
            obj = json.loads(line)
        except ValueError:
            yield Gap(asset.uri, GapReason.MALFORMED, f"text after the JSON that is not JSON: {quote(line, 60)}")
            return
        yield from judged(asset, obj, budget, is_row=True)
