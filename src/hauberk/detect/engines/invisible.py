"""Engine `invisible`: text that a person does not see and a model reads.

    match:
      kinds: [tags]          # tags, selectors, zero-width, bidi, markup: any of these
      least: 8               # optional: fewer characters than this say nothing
      says: '(?i)assistant'  # optional: RE2; only when what is hidden spells something that matches
      roles: [tool]          # optional: only in messages of these roles

Joiners of emoji, Arabic, Persian and Indic scripts, flags, a byte-order mark and single variation selectors are no findings.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.chat import MessageContent, Role, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, Rule
from hauberk.detect.engines.regex import pattern_of
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.normalise.hidden import Hidden, hidden_pieces

KINDS = ("tags", "selectors", "zero-width", "bidi", "markup")


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kinds: tuple[str, ...]
    least: int = 1
    says: str = ""
    roles: tuple[Role, ...] = ()

    def fits(self, piece: Hidden) -> bool:
        if piece.kind not in self.kinds or piece.count < self.least:
            return False
        return not self.says or pattern_of(self.says).search(piece.says.encode("utf-8", "replace")) is not None


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key in `match`."""
    compiled = [(rule, match_of(rule, _Match)) for rule in rules]

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None:
            return
        pieces = message.once("hidden", lambda: tuple(hidden_pieces(message.text)))
        for rule, match in compiled if pieces else ():
            evidence = [_evidence(message, piece) for piece in pieces if match.fits(piece)]
            if evidence and (not match.roles or message.role in match.roles):
                yield finding_of(rule, asset, evidence, note=evidence[0].note)

    return detect


def _evidence(message: MessageContent, piece: Hidden) -> Evidence:
    offset, length = message.byte_span(piece.start, piece.end)
    said = f", spelling {quote(piece.says, 80)!r}" if piece.says else ""
    return Evidence(
        offset=offset,
        length=length,
        where=piece.kind,
        quote=quote(message.text[piece.start : piece.end], 120),
        note=f"{piece.count} hidden characters ({piece.kind}){said}",
    )
