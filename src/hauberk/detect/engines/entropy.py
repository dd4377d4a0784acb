"""Engine `entropy`: values that look random where a name says that they are secret.

    match:
      names: '(?i)api[_-]?key|secret'      # RE2: what the name of the value holds
      shortest: 20                          # characters
      bits: 3.5                             # Shannon entropy per character, from 16 hexadecimal digits' 3 up to 5
      not: ['example', '^[0-9a-f-]{36}$']   # RE2: values that are no secrets

The value is a quoted string, or a bare word to the end of its line. The quote shows its first 4 and last 2 characters.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hauberk.core import Asset, Detector, Fact, Finding, Gap, Kind, Rule
from hauberk.detect.engines.regex import pattern_of, redacted
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import findings_of_facts
from hauberk.detect.message_facts import findings_in_message
from hauberk.detect.text_windows import Window, windows

_VALUE = (
    r"""["'`]?\s*(?:=>|:=|[:=]|：)\s*"""
    r"""(?:["'`]([A-Za-z0-9+/_.~!@#$%^&*=-]{12,512})["'`]|([A-Za-z0-9+/_-]{12,512}={0,2})[ \t\r]*(?:$|\n))"""
)


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"excluded": "not"}):
    names: str
    shortest: int
    bits: float
    excluded: tuple[str, ...] = ()


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or type in `match`."""
    compiled: list[tuple[Rule, _Match, Any]] = []
    for rule in rules:
        match = match_of(rule, _Match)
        compiled.append((rule, match, pattern_of(f"(?m)(?:{match.names}){_VALUE}")))

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        in_message = asset.kind is Kind.MESSAGE
        hits: dict[str, tuple[Rule, list[Fact]]] = {}
        for window in windows(asset):
            for rule, match, pattern in compiled:
                if facts := list(_random_values(match, pattern, window, in_message=in_message)):
                    hits.setdefault(rule.id, (rule, []))[1].extend(facts)
        group = findings_in_message if in_message else findings_of_facts
        for rule, facts in hits.values():
            yield from group(rule, asset, facts)

    return detect


def _random_values(match: _Match, pattern: Any, window: Window, *, in_message: bool) -> Iterator[Fact]:
    for found in pattern.finditer(window.data):
        if found.end() <= window.fresh and in_message:
            continue
        value: bytes = found[1] or found[2] or b""
        if len(value) < match.shortest or not _is_mixed(value) or bits_per_character(value) < match.bits:
            continue
        if any(pattern_of(dropped).search(value) for dropped in match.excluded):
            continue
        start = found.span()[0]
        where = f"line {window.line(start)}"
        if in_message:
            start = found.span(1 if found[1] else 2)[0]
        attrs: dict[str, str | int | float | bool] = {"length": len(value)} if in_message else {}
        yield Fact("text.match", offset=window.offset(start), where=where, quote=redacted(value), attrs=attrs)


def _is_mixed(value: bytes) -> bool:
    return any(48 <= c <= 57 for c in value) and any(65 <= (c & 0xDF) <= 90 for c in value)


def bits_per_character(value: bytes) -> float:
    """Shannon entropy of the characters of `value`."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
