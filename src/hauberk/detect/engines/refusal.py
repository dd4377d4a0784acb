"""Engine `refusal`: whether an answer declines what was asked.

    match:
      stances: [refuses, partly]     # of `hauberk.detect.answer.stance.Stance`

Reads answers only, never calls of tools.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.chat import Direction, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule
from hauberk.detect.answer.stance import Stance, stance_of
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stances: tuple[Stance, ...]


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or stance in `match`."""
    matches = [(rule, match_of(rule, _Match)) for rule in rules]

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None or message.direction is not Direction.OUTPUT or message.call is not None:
            return
        judged = message.once("stance", lambda: stance_of(message.text))
        if judged.stance is Stance.COMPLIES:
            return
        offset, length = message.byte_span(judged.start, judged.end)
        piece = Evidence(offset=offset, length=length, quote=quote(message.text[judged.start : judged.end]), note=judged.stance)
        for rule, match in matches:
            if judged.stance in match.stances:
                yield finding_of(rule, asset, (piece,))

    return detect
