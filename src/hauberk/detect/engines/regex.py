r"""Engine `regex`: RE2 patterns over the text of an asset.

    match:
      any: ['curl [^|]*\| *(?:ba)?sh']      # RE2; each place that one of these matches
      not: ['example\.com']                # optional: a match whose lines match one of these is dropped
      formats: [script, python]            # optional: only in assets of these formats
      without: [python]                    # optional: not in assets of these formats
      names: '(?i)\.pth$'                   # optional: only in assets whose name matches
      redact: true                         # optional: the quote shows the first 4 and last 2 characters of group 1, or of all
      checksum: true                       # optional: only matches that end in their CRC-32 (`detect.base62`)

In a message `not` is held against the match alone, and each place says how long it is: group 1 where there is one.

All patterns of one kind are one RE2 set: text that holds none of them costs one pass. Each distinct quoted piece is one finding.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Fact, Finding, Gap, Kind, Rule
from hauberk.detect.base62 import checks
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import findings_of_facts
from hauberk.detect.message_facts import MAX_PLACES as MAX_MESSAGE_PLACES
from hauberk.detect.message_facts import findings_in_message
from hauberk.detect.pattern_set import MEMORY, PatternSet
from hauberk.detect.text_windows import Window, windows

MAX_PLACES = 200  # of one pattern in one window; more say nothing new


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"excluded": "not"}):
    any: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    names: str = ""
    redact: bool = False
    checksum: bool = False


class _Compiled:
    """A rule with its patterns."""

    def __init__(self, rule: Rule) -> None:
        self.match = match_of(rule, _Match)
        self.rule = rule
        for pattern in (*self.match.any, *self.match.excluded, self.match.names):
            _check(rule, pattern)

    def reads(self, asset: Asset) -> bool:
        """Whether the rule is about assets of this format and name."""
        match = self.match
        if (match.formats and asset.format not in match.formats) or asset.format in match.without:
            return False
        return not match.names or pattern_of(match.names).search(asset.name.encode("utf-8", "replace")) is not None

    def places_in_message(self, pattern: str, window: Window) -> Iterator[Fact]:
        """Where the secret or the whole of `pattern` stands in the text of a message."""
        for number, found in enumerate(pattern_of(pattern).finditer(window.data)):
            if number >= MAX_MESSAGE_PLACES:
                return
            # Words elsewhere on the line are an attacker's to choose, and have not arrived yet in a stream.
            if found.end() <= window.fresh or self._excluded(found[0]) or not self._checks(found):
                continue
            group = 1 if found.re.groups and found[1] else 0
            start, end = found.span(group)
            shown = redacted(found[group]) if self.match.redact else quote(found[0].strip())
            where = f"line {window.line(start)}"
            yield Fact("text.match", offset=window.offset(start), where=where, quote=shown, attrs={"length": end - start})

    def places(self, pattern: str, window: Window) -> Iterator[Fact]:
        """Where `pattern` matches in `window`."""
        for number, found in enumerate(pattern_of(pattern).finditer(window.data)):
            if number >= MAX_PLACES:
                return
            start, end = found.span()
            if end <= window.fresh:
                continue
            if self._excluded(window.around(start, end)) or not self._checks(found):
                continue
            shown = redacted(_secret(found)) if self.match.redact else quote(found[0].strip())
            yield Fact("text.match", offset=window.offset(start), where=f"line {window.line(start)}", quote=shown)

    def _excluded(self, text: bytes) -> bool:
        return any(pattern_of(dropped).search(text) for dropped in self.match.excluded)

    def _checks(self, found: Any) -> bool:
        return not self.match.checksum or checks(_secret(found).decode("utf-8", "replace"))


def _secret(found: Any) -> bytes:
    """Group 1 of a match, or all of it."""
    return found[1] if found.re.groups and found[1] else found[0]


def _check(rule: Rule, pattern: str) -> None:
    try:
        pattern_of(pattern)
    except _re2().error as error:
        raise RuleError(f"{rule.id}: {pattern!r} is not RE2: {error}") from error


def _re2() -> Any:
    """RE2, which carries no types; imported when the first text is met."""
    return import_module("re2")


def _options() -> Any:
    options = _re2().Options()
    options.log_errors = False
    options.max_mem = MEMORY
    return options


@cache
def pattern_of(pattern: str) -> Any:
    """`pattern` compiled by RE2, for bytes."""
    return _re2().compile(pattern, _options())


def redacted(secret: bytes) -> str:
    """A secret as it may be shown: its first four and last two characters."""
    text = quote(secret.split(b"\n", 1)[0], 400)
    return f"{text[:4]}…{text[-2:]} ({len(secret)} characters)" if len(text) > 8 else "…"


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key in `match` or a pattern that RE2 refuses."""
    owners = [(compiled, pattern) for compiled in map(_Compiled, rules) for pattern in compiled.match.any]
    together = PatternSet(pattern for _, pattern in owners)

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = asset.kind is Kind.MESSAGE
        hits: dict[str, tuple[Rule, list[Fact]]] = {}
        for window in windows(asset):
            for index in together.matching(window.data):
                owner, pattern = owners[index]
                if owner.reads(asset):
                    places = owner.places_in_message if message else owner.places
                    hits.setdefault(owner.rule.id, (owner.rule, []))[1].extend(places(pattern, window))
        for rule, facts in hits.values():
            yield from (findings_in_message if message else findings_of_facts)(rule, asset, facts)

    return detect
