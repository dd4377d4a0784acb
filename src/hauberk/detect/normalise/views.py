"""Finds the views of a text: itself, folded, and what its encodings say, level by level within bounds."""

from collections.abc import Iterator

from hauberk.assets.chat import MessageContent
from hauberk.core import Gap, GapReason
from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.fold.hanzi import simplify
from hauberk.detect.normalise.fold.invisible import strip_invisible
from hauberk.detect.normalise.fold.letters import fold_letters
from hauberk.detect.normalise.order import HIDDEN, WRITTEN, called_for
from hauberk.detect.normalise.trace import Decoded
from hauberk.detect.normalise.view import View, Views

MAX_VIEWS = 8
MAX_DEPTH = 3  # decodings within decodings; folding does not count
MAX_GROWTH = 4  # characters of all decoded views together, for each of the text
MAX_TEXT = 1 << 18  # characters that are decoded; beyond them the text is judged as it stands
FLOOR = 4096  # a short text may have this many decoded characters whatever its length
_FOLDS = (strip_invisible, fold_letters, simplify)


def views(message: MessageContent) -> Views:
    """Every reading of the text of `message`, worked out once."""
    return message.once("views", lambda: views_of(message.text))


def views_of(text: str) -> Views:
    """Every reading of `text`: itself first, the folded one next if it differs, then what its encodings say.

    At most MAX_VIEWS readings, MAX_GROWTH times its length together, MAX_DEPTH decodings deep; each bound met is a Gap.
    """
    return _Search(text).run()


class _Search:
    """The readings found so far, and the bounds."""

    def __init__(self, text: str) -> None:
        self._raw = View(text)
        self._found = [self._raw]
        self._seen = {text}
        self._room = max(MAX_GROWTH * len(text), FLOOR)
        self._gaps: dict[str, Gap] = {}

    def run(self) -> Views:
        start = self._raw
        if len(start.text) > MAX_TEXT:
            self._gap(GapReason.TOO_LARGE, f"encodings are looked for in the first {MAX_TEXT} characters only")
            start = View(start.text[:MAX_TEXT])
        level = [start]
        for depth in range(MAX_DEPTH + 1):
            level = list(self._decodings(level, depth))
        return Views(tuple(self._found), tuple(self._gaps.values()))

    def _decodings(self, level: list[View], depth: int) -> Iterator[View]:
        """The new readings one decoding further on."""
        for view in level:
            folded = self._fold(view)
            if folded is not view and not self._keep(folded):
                folded = view
            for base, decoders in ((view, HIDDEN), (folded, WRITTEN)):
                if base.text.isascii() and decoders is HIDDEN:
                    continue
                yield from self._decoded(base, decoders, depth)

    def _decoded(self, base: View, decoders: tuple[Decoder, ...], depth: int) -> Iterator[View]:
        settled: set[str] = set()
        for decoder in called_for(decoders, base.text.encode("utf-8", "replace")):
            decoded = decoder.decode(base.text) if decoder.group not in settled else None
            if decoded is None or decoded.text in self._seen:
                continue
            if decoder.group:
                settled.add(decoder.group)
            if decoded.partial:
                self._gap(GapReason.TOO_LARGE, f"{decoded.step}: more encoded pieces than are decoded in one text")
            if depth >= MAX_DEPTH:
                self._gap(GapReason.TOO_DEEP, f"an encoding within {MAX_DEPTH} others was not decoded: {decoded.step}")
                continue
            made = _after(base, decoded)
            if self._keep(made):
                yield made

    def _keep(self, view: View) -> bool:
        """Adds `view` if there is room and it says something new."""
        if view.text in self._seen:
            return False
        if len(self._found) >= MAX_VIEWS or len(view.text) > self._room:
            self._gap(GapReason.TOO_LARGE, f"more decoded text than {MAX_VIEWS} views or {MAX_GROWTH} times the text hold")
            return False
        self._room -= len(view.text)
        self._seen.add(view.text)
        self._found.append(view)
        return True

    def _fold(self, view: View) -> View:
        if view.text.isascii() and view.text.isprintable():
            return view
        for fold in _FOLDS:
            folded = fold(view.text)
            if folded is not None:
                view = _after(view, folded)
        return view

    def _gap(self, reason: GapReason, note: str) -> None:
        self._gaps.setdefault(f"{reason} {note.split(':', maxsplit=1)[0]}", Gap("message:", reason, note, rule="normalise"))


def _after(view: View, decoded: Decoded) -> View:
    return View(decoded.text, (*view.steps, decoded.step), (*view.traces, decoded.trace))
