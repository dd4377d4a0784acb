"""YAML: read as a stream of events, nothing constructed. Tags that would make a loader build objects are facts."""

from collections.abc import Iterator

import yaml

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_text import judged
from hauberk.assets.configs.yaml_build import Builder
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.text.textual import decoded
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_SIZE = 16 << 20


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of every document in `asset`."""
    assert asset.content is not None
    if asset.content.size > min(MAX_SIZE, budget.limits.text):
        raise ReadError(GapReason.TOO_LARGE, f"a YAML text of {asset.content.size} bytes")
    text = decoded(asset.content.read())
    builder = Builder(budget)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    failure: yaml.YAMLError | None = None
    try:
        for event in yaml.parse(text, Loader=loader):  # events only: no object is constructed
            builder.take(event)
    except yaml.YAMLError as error:
        failure = error
    except (ValueError, RecursionError) as error:  # characters and nesting that libyaml refuses in its own ways
        raise Malformed(f"not YAML: {quote(str(error), 100)}") from error
    yield from builder.facts
    for document in builder.documents:
        yield from judged(asset, document, budget)
    if failure is not None:
        yield from _spoilt(asset, text, failure)


def _spoilt(asset: Asset, text: str, error: yaml.YAMLError) -> Iterator[Fact | Gap]:
    """What is left to say of a text that is not YAML to its end: a template of YAML is a template."""
    mark = getattr(error, "problem_mark", None)
    line = f"line {mark.line + 1}" if mark is not None else "somewhere"
    reason = GapReason.UNSUPPORTED if "{{" in text or "{%" in text else GapReason.MALFORMED
    yield Gap(asset.uri, reason, f"not YAML from {line} on")
