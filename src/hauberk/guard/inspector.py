"""The detectors and the policy, held against whole requests and answers: what the gateway and the middleware ask."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from hauberk.assets.chat import Context, Direction, MessageContent, Role
from hauberk.core import Action, Finding, Gap, GapReason
from hauberk.guard.canary import plant
from hauberk.guard.checker import Checked, Checker
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Answer, Edit, Exchange, Image, Piece
from hauberk.guard.gateway.hooks import Decision, Session
from hauberk.guard.incident import new_incident
from hauberk.guard.ocr import MOST_IMAGES, ImageReader
from hauberk.guard.redact import PRIVATE_RISKS, Masker, finder, masked, redacted
from hauberk.policy.messages import Act, Ruling

MOST_PIECES = 4_000
BLOCKED = "The content was refused by the policy of this service."


class Approver(Protocol):
    """Asks a person; no answer is a no."""

    async def ask(self, what: str, findings: Sequence[Finding], preview: str, who: str = "") -> bool: ...


class InspectOptions(msgspec.Struct, frozen=True):
    """How requests and answers are judged. Times in seconds."""

    seconds: float = 10.0  # for one request or answer; past it the rest is a gap
    threads: int = 2
    interleave: bool = False  # datamarking inside spotlighted text


class Judged(msgspec.Struct, frozen=True):
    """A piece with what was found in it."""

    piece: Piece
    message: MessageContent
    checked: Checked


class Label(Protocol):
    """Labels generated content."""

    def header(self, exchange: Exchange) -> tuple[str, str]: ...

    def edits(self, exchange: Exchange, answer: Answer, edits: tuple[Edit, ...]) -> tuple[Edit, ...]: ...


class CanaryOptions(msgspec.Struct, frozen=True):
    """How canaries are made: see `guard.canary`."""

    key: bytes = b""
    stable: bool = False


SessionMaker = Callable[["PolicyInspector", Exchange], Session]


class PolicyInspector:
    """Judges every piece of an exchange off the event loop, and says what becomes of the whole."""

    def __init__(
        self,
        checker: Checker,
        options: InspectOptions | None = None,
        *,
        approver: Approver | None = None,
        sessions: SessionMaker | None = None,
        label: Label | None = None,
        canary: CanaryOptions | None = None,
        reader: ImageReader | None = None,
    ) -> None:
        self.checker = checker
        self.options = options or InspectOptions()
        self._approver = approver
        self._sessions = sessions
        self._label = label
        self._canary = canary
        self._reader = reader
        self._private = finder(checker.bench, lambda finding: finding.risk in PRIVATE_RISKS)
        self._pool = ThreadPoolExecutor(self.options.threads, thread_name_prefix="inspect")

    async def request(self, exchange: Exchange) -> Decision:
        """The decision on a request. A canary is planted in the operator's prompts if that is switched on."""
        read, gaps = await self._images(exchange)
        gaps += [Gap("message:", GapReason.UNSUPPORTED, f"not read: {part}") for part in exchange.unread]
        pieces = (*exchange.pieces, *read)
        decision = await self.decided(pieces, Direction.INPUT, exchange.context(), gaps, exchange.caller)
        if decision.refusal is None and self._canary is not None:
            planted = plant(exchange, decision.edits, key=self._canary.key, stable=self._canary.stable)
            exchange.canaries, decision.edits = planted.canaries, planted.edits
        if decision.refusal is None and self._label is not None:
            decision.headers = (self._label.header(exchange),)
        return decision

    async def answer(self, exchange: Exchange, answer: Answer) -> Decision:
        """The decision on a whole answer."""
        decision = await self.decided(answer.pieces, Direction.OUTPUT, exchange.context(), who=exchange.caller)
        if decision.refusal is None and self._label is not None:
            decision.edits = self._label.edits(exchange, answer, decision.edits)
        return decision

    async def _images(self, exchange: Exchange) -> tuple[list[Piece], list[Gap]]:
        """What the images say, if somebody reads them."""
        if not exchange.images:
            return [], []
        if self._reader is None:
            return [], [Gap(_uri(image), GapReason.UNSUPPORTED, "image not read") for image in exchange.images[:MOST_IMAGES]]
        seconds = self.options.seconds
        work = asyncio.get_running_loop().run_in_executor(
            self._pool, self._reader.read, exchange.images, time.monotonic() + seconds
        )
        try:
            return await asyncio.wait_for(work, seconds + 1)
        except TimeoutError:
            return [], [Gap("image:", GapReason.TIMEOUT, f"the images were not read in {seconds:g} s")]

    def session(self, exchange: Exchange) -> Session:
        """The guard of an answer that streams."""
        if self._sessions is None:
            raise RuntimeError("this inspector was made without stream sessions")
        return self._sessions(self, exchange)

    async def judged(self, pieces: Sequence[Piece], direction: Direction, context: Context) -> tuple[list[Judged], list[Gap]]:
        """Every piece judged in a worker thread, and the gaps of those that time did not suffice for."""
        deadline = time.monotonic() + self.options.seconds
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, self._judge_all, pieces, direction, context, deadline)
        try:
            return await asyncio.wait_for(work, self.options.seconds + 1)
        except TimeoutError:
            return [], [Gap("message:", GapReason.TIMEOUT, f"the detectors did not answer in {self.options.seconds:g} s")]

    def stream_with(self, sessions: SessionMaker) -> None:
        """Guards streams by what `sessions` makes."""
        self._sessions = sessions

    def close(self) -> None:
        """Lets the worker threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _judge_all(
        self, pieces: Sequence[Piece], direction: Direction, context: Context, deadline: float
    ) -> tuple[list[Judged], list[Gap]]:
        made: list[Judged] = []
        for number, piece in enumerate(pieces):
            if number >= MOST_PIECES or time.monotonic() > deadline:
                reason = GapReason.TOO_LARGE if number >= MOST_PIECES else GapReason.TIMEOUT
                return made, [Gap("message:", reason, f"only {number} of {len(pieces)} texts were judged")]
            message = MessageContent(piece.text, piece.role, direction, context, piece.call)
            made.append(Judged(piece, message, self.checker.check(message, _uri(piece))))
        return made, []

    async def decided(
        self, pieces: Sequence[Piece], direction: Direction, context: Context, unread: Sequence[Gap] = (), who: str = ""
    ) -> Decision:
        """What becomes of `pieces`; a person is asked where the policy says so.

        Args:
            pieces: The texts.
            direction: Towards the model or from it.
            context: The conversation around them.
            unread: What nobody can judge.
            who: Name of the key that asks.
        """
        started = time.perf_counter()
        judged, gaps = await self.judged(pieces, direction, context)
        gaps += [*unread, *_unchanged(judged)]
        extra = self.checker.ruled(MessageContent("", Role.USER, direction), gaps)
        decision = self.decision_of(judged, extra)
        if decision.action is Action.ASK:
            decision = await self._asked(decision, judged, who)
        decision.seconds = time.perf_counter() - started
        return decision

    def decision_of(self, judged: Iterable[Judged], extra: Sequence[Ruling] = ()) -> Decision:
        """The strictest action of all, the edits of those that are redacted, and a refusal when it is to block."""
        judged = list(judged)
        rulings = [ruling for one in judged for ruling in one.checked.rulings]
        rulings += extra
        action = max((ruling.act.action for ruling in rulings), default=Action.ALLOW)
        decision = Decision(
            action=action,
            findings=tuple(r.item for r in rulings if isinstance(r.item, Finding)),
            gaps=tuple(r.item for r in rulings if isinstance(r.item, Gap)),
        )
        if action is Action.BLOCK:
            decision.refusal = refusal()
        else:
            decision.edits = self._edits(judged)
        return decision

    def _edits(self, judged: Iterable[Judged]) -> tuple[Edit, ...]:
        masker = Masker()
        edits: list[Edit] = []
        for one in judged:
            if _to_redact(one) and not one.piece.image:
                text = redacted(one.message, one.checked.rulings, masker, interleave=self.options.interleave)
                edits.append(Edit(one.piece.path, text))
        return tuple(edits)

    async def _asked(self, decision: Decision, judged: Iterable[Judged], who: str) -> Decision:
        """The decision after a person was asked; without anybody to ask it is a no."""
        asking = [one for one in judged if one.checked.action is Action.ASK]
        if self._approver is not None:
            what = ", ".join(dict.fromkeys(_named(one.piece) for one in asking)) or "a request"
            preview = await asyncio.get_running_loop().run_in_executor(self._pool, self._preview, asking)
            if await self._approver.ask(what, decision.findings, preview, who):
                decision.action = Action.FLAG
                approved = {one.piece.path for one in asking}  # as it is: a mask would send the mail to `[EMAIL_1]`
                decision.edits = tuple(edit for edit in decision.edits if edit.path not in approved)
                return decision
        decision.action = Action.BLOCK
        decision.edits = ()
        decision.refusal = refusal()
        return decision

    def _preview(self, asking: Sequence[Judged]) -> str:
        """What a person is shown: each call with its arguments, or the text; personal data and credentials are masked."""
        masker = Masker()
        texts = [(one.piece, masked(one.piece.text, self._private(one.piece.text), masker)) for one in asking]
        return "; ".join(f"{piece.call.name}({text})" if piece.call else text for piece, text in texts)


def _named(piece: Piece) -> str:
    return f"{piece.call.name} (tool call)" if piece.call else f"text of the {piece.role.value}"


def refusal() -> Refusal:
    """What a blocked client is told: an incident to ask about, and nothing about what was recognised."""
    return Refusal(400, "content_filter", BLOCKED, incident=new_incident())


def _to_redact(one: Judged) -> bool:
    return any(ruling.act is Act.REDACT for ruling in one.checked.rulings)


def _unchanged(judged: Iterable[Judged]) -> list[Gap]:
    """Images that go on with what the policy would have had taken out."""
    note = "what was found in the image cannot be taken out of it"
    return [Gap(_uri(one.piece), GapReason.UNSUPPORTED, note) for one in judged if one.piece.image and _to_redact(one)]


def _uri(piece: Piece | Image) -> str:
    kind = "image" if isinstance(piece, Image) or piece.image else "message"
    return f"{kind}:{'/'.join(map(str, piece.path))}"
