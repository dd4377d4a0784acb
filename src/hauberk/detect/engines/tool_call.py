"""Engine `tool_call`: calls of tools that the model makes.

    match:
      check: tainted               # json, schema, not-offered, effect, tainted, address, path, shell, sql
      effects: [changes]           # optional: only calls of tools with these effects

Reads messages with a call. A rule fires once a call, with a piece of evidence for each argument.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from hauberk.assets.chat import MessageContent, ToolSpec, message_of
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, GapReason, Rule
from hauberk.detect.errors import RuleError
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import MAX_EVIDENCE, finding_of
from hauberk.detect.output.argument_shapes import inner_address, path_escape, shell_shape, sql_shape
from hauberk.detect.output.arguments import Arguments, Leaf, read_arguments
from hauberk.detect.output.json_schema import Unjudged, errors_of
from hauberk.detect.output.taint import MAX_FOREIGN, Sources, taints
from hauberk.detect.output.tool_effect import Effect, effect_of


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    check: str
    effects: tuple[Effect, ...] = ()


class _Call:
    """One call with what its rules share."""

    def __init__(self, message: MessageContent) -> None:
        assert message.call is not None
        self.name = message.call.name
        self.context = message.context
        self.tool: ToolSpec | None = next((tool for tool in message.context.tools if tool.name == self.name), None)
        self.schema = self.tool.parameters if self.tool else {}
        self.arguments: Arguments = read_arguments(message.call.arguments, self.schema)
        self.effect = effect_of(self.name, self.tool)
        self.sources = Sources(message.context)
        self.known = "\n".join((*message.context.user, *message.context.system))


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key, check or effect in `match`."""
    matches = [(rule, match_of(rule, _Match)) for rule in rules]
    for rule, match in matches:
        if match.check not in _CHECKS:
            raise RuleError(f"{rule.id}: there is no check {match.check!r}")

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None or message.call is None:
            return
        call = _Call(message)
        unread: set[str] = set()
        for rule, match in matches:
            if match.effects and call.effect not in match.effects:
                continue
            try:
                pieces = _first(_CHECKS[match.check](call))
            except Unjudged as error:
                unread.add(str(error))
                continue
            if pieces:
                yield finding_of(rule, asset, pieces, note=f"{quote(call.name, 60)}: {pieces[0].note}")
        if call.sources.cut:
            unread.add(f"arguments were held against the first {MAX_FOREIGN} characters of foreign text")
        for note in sorted(unread | {call.arguments.unread} - {""}):
            yield Gap(asset.uri, GapReason.UNDECIDED, note, asset.kind, "tool_call")

    return detect


def _first(pieces: Iterator[Evidence]) -> list[Evidence]:
    return [piece for _, piece in zip(range(MAX_EVIDENCE), pieces, strict=False)]


def _json(call: _Call) -> Iterator[Evidence]:
    if call.arguments.problem:
        yield Evidence(note=call.arguments.problem, where="/")


def _schema(call: _Call) -> Iterator[Evidence]:
    if call.schema and not call.arguments.problem and not call.arguments.unread:
        for error in errors_of(call.schema, call.arguments.value):
            yield Evidence(note=quote(error, 120), where=quote(error.partition(" ")[0], 80))


def _not_offered(call: _Call) -> Iterator[Evidence]:
    if call.tool is None:
        yield Evidence(note="the request offers no such tool", where=quote(call.name, 80))


def _effect(call: _Call) -> Iterator[Evidence]:
    yield Evidence(note=f"the tool {call.effect}", where=quote(call.name, 80))


def _tainted(call: _Call) -> Iterator[Evidence]:
    for taint in taints(call.arguments.leaves, call.sources):
        note = f"{quote(taint.where, 60)} was taken from outside text ({taint.kind})"
        yield Evidence(note=note, where=quote(taint.where, 80), quote=quote(taint.piece, 80))


def _shapes(judge: Callable[[Leaf, str], str]) -> Callable[[_Call], Iterator[Evidence]]:
    def check(call: _Call) -> Iterator[Evidence]:
        for leaf in call.arguments.leaves:
            note = judge(leaf, call.known)
            if note:
                yield Evidence(note=note, where=quote(leaf.where, 80), quote=quote(leaf.text, 80))

    return check


_CHECKS: dict[str, Callable[[_Call], Iterator[Evidence]]] = {
    "json": _json,
    "schema": _schema,
    "not-offered": _not_offered,
    "effect": _effect,
    "tainted": _tainted,
    "address": _shapes(inner_address),
    "path": _shapes(path_escape),
    "shell": _shapes(shell_shape),
    "sql": _shapes(sql_shape),
}
