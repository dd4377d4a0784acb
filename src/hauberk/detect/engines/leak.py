"""Engine `leak`: instructions in an answer, against the canaries and prompts around the message.

    match:
      kinds: [canary]              # of `Leak.kind`: canary, overlap, quote
      run: 14                      # optional: words in one piece that make a quote (a Chinese character counts 0.6)
      share: 0.5                   # optional: share of a prompt that makes an overlap

The text is read as it stands, backwards, and in the decoded and folded views of `hauberk.detect.normalise`.
Paraphrase and translation are out of scope. The quote shows the first and last characters only: what leaked is a secret.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from hauberk.assets.chat import Direction, MessageContent, message_of
from hauberk.core import Asset, Detector, Evidence, Finding, Gap, GapReason, Rule
from hauberk.detect.facts import match_of
from hauberk.detect.finding_of import finding_of
from hauberk.detect.normalise.views import views
from hauberk.detect.output.canaries import Leak
from hauberk.detect.output.encoded import MAX_LENGTH, decoded
from hauberk.detect.output.leak_watch import LeakWatch, Limits

_SAMPLES = 100  # pieces of a prompt that are looked for in a text read backwards
_SAMPLE = 8  # characters


_Place = Callable[[int, int], tuple[int, int]]
"""Of characters of a reading: those of the message that they were read from."""


class _Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kinds: tuple[str, ...]
    run: float = 14.0
    share: float = 0.5


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or type in `match`."""
    matches = [(rule, match_of(rule, _Match)) for rule in rules]

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        message = message_of(asset)
        if message is None or message.direction is not Direction.OUTPUT:
            return
        if not message.context.system and not message.context.canaries:
            return
        judged: dict[Limits, tuple[tuple[Leak, ...], bool]] = {}
        for rule, match in matches:
            limits = Limits(run=match.run, share=match.share)
            if limits not in judged:
                judged[limits] = _leaks(message, limits)
            leaks, _ = judged[limits]
            if pieces := [_evidence(message, leak) for leak in leaks if leak.kind in match.kinds]:
                yield finding_of(rule, asset, pieces, note=pieces[0].note)
        if any(cut for _, cut in judged.values()):
            yield Gap(asset.uri, GapReason.TOO_LARGE, "a system prompt is longer than is compared", asset.kind, "leak")

    return detect


def _leaks(message: MessageContent, limits: Limits) -> tuple[tuple[Leak, ...], bool]:
    """The leaks in all readings of `message`, one of a kind and form, and whether a prompt was cut."""
    context = message.context
    found: dict[tuple[str, str], Leak] = {}
    cut = False
    for text, form, place in _readings(message):
        system = context.system if not form else tuple(p for p in context.system if _looks_copied(p, text))
        watch = LeakWatch(system, context.canaries, context.user, limits)
        cut = cut or watch.cut
        for leak in (*watch.feed(text), *watch.end()):
            start, end = place(leak.start, leak.end)
            placed = leak if not form else msgspec.structs.replace(leak, form=form, start=start, end=end)
            found.setdefault((placed.kind, placed.form), placed)
    leaks = found.values()
    much = {leak.form for leak in leaks if leak.kind == "overlap"}
    return tuple(leak for leak in leaks if leak.kind != "quote" or leak.form not in much), cut


def _readings(message: MessageContent) -> Iterator[tuple[str, str, _Place]]:
    """Text, form and place in the message of each way to read it; the form of the text as it stands is empty."""
    text = message.text
    yield text, "", lambda start, end: (start, end)
    if len(text) <= MAX_LENGTH:
        yield text[::-1], "reversed", lambda start, end: (len(text) - end, len(text) - start)
    for piece in decoded(text):
        yield piece.text, "encoded", _whole(piece.start, piece.end)
    for view in views(message).views[1:]:
        yield view.text, view.steps[-1] if view.steps else "folded", view.origin


def _whole(start: int, end: int) -> _Place:
    return lambda _start, _end: (start, end)


def _looks_copied(prompt: str, text: str) -> bool:
    """Whether any of some pieces of `prompt` stands in `text`: cheap, and enough to see that much of it does."""
    folded, step = text.casefold(), max(1, len(prompt) // _SAMPLES)
    return any(prompt[at : at + _SAMPLE].casefold() in folded for at in range(0, max(1, len(prompt) - _SAMPLE), step))


def _evidence(message: MessageContent, leak: Leak) -> Evidence:
    offset, length = message.byte_span(leak.start, leak.end)
    shown = message.text[leak.start : leak.end]
    note = (
        f"a canary token, {leak.form}"
        if leak.kind == "canary"
        else f"{leak.words:g} words of the prompt, {leak.share:.0%} of it, {leak.form}"
    )
    return Evidence(offset=offset, length=length, quote=f"{shown[:2]}… ({len(shown)} characters)", note=note)
