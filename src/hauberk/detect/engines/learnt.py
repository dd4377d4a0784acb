"""Engine `learnt`: what a guard has learnt of attacks that got through (`detect/learnt`).

    match: {}     # nothing to set: thresholds are the model's

The model stands in a message's memo under `learnt`; without one there is nothing to say. One finding, whose evidence holds the
score and the window that decided.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.chat import message_of
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.learnt.model import Learnt


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def _nothing() -> Learnt | None:
    return None


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on any key in `match`."""
    for rule in rules:
        match_of(rule, _Match)

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        model = message.once("learnt", _nothing) if message is not None else None
        head = model.head_of(message) if model is not None and message is not None else None
        if message is None or model is None or head is None or not message.text.strip():
            return
        found = model.score(message)
        if found.score >= head.threshold(model.rate):
            note = f"learnt from {model.samples} samples"
            evidence = Evidence(found.offset, found.length, where=found.view, note=note, score=round(found.score, 6))
            for rule in rules:
                yield finding_of(rule, asset, [evidence])
        for gap in found.gaps:
            yield msgspec.structs.replace(gap, asset=asset.uri, kind=asset.kind, rule="learnt")

    return detect
