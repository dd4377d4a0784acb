"""Makes the guard of an answer that streams: the redactor for values, the detectors for windows and calls, the label."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role, ToolCall, message_asset
from hauberk.core import Action, Evidence, Finding
from hauberk.detect.finding_of import finding_of
from hauberk.detect.output.canaries import Leak
from hauberk.detect.output.leak_watch import LeakWatch
from hauberk.detect.personal.span import Span
from hauberk.guard.exchange import Exchange, Piece
from hauberk.guard.gateway.hooks import Decision, Session, decision_so_far
from hauberk.guard.inspector import PolicyInspector
from hauberk.guard.redact import PRIVATE_RISKS, Masker, spans_of
from hauberk.guard.stream.leaks import LeakSession
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.guard.stream.session import Limits, StreamSession
from hauberk.policy.messages import Act

MOST_REMEMBERED = 100  # values of one answer

Wrap = Callable[[Session, Exchange], Session]


class Sessions:
    """A maker of sessions, as the inspector wants it."""

    def __init__(self, limits: Limits | None = None, wrap: Wrap | None = None) -> None:
        self._limits = limits
        self._wrap = wrap

    def __call__(self, inspector: PolicyInspector, exchange: Exchange) -> Session:
        masker = Masker()
        values = _Values(inspector)
        session: Session = StreamSession(
            _Windows(inspector, exchange),
            # A call is judged whole, as the model wrote it: a value masked before could no longer be told to come from outside.
            redactor=lambda channel: None if "/tool/" in channel else StreamRedactor(values.find, masker),
            limits=self._limits,
        )
        session = _Recorded(session, values)
        if any(piece.role is Role.SYSTEM for piece in exchange.pieces):
            context = exchange.context()
            session = LeakSession(
                session, lambda: LeakWatch(context.system, context.canaries, context.user), partial(_leaking, inspector)
            )
        return self._wrap(session, exchange) if self._wrap else session


class _Values:
    """Finds what the policy takes out of answers, and remembers what that was."""

    def __init__(self, inspector: PolicyInspector) -> None:
        self._wanted = redacts(inspector)
        self._bench = inspector.checker.bench_of(PRIVATE_RISKS)
        self.found: dict[str, Finding] = {}

    def find(self, text: str) -> list[Span]:
        message = MessageContent(text, Role.ASSISTANT, Direction.OUTPUT)
        spans: list[Span] = []
        for item in self._bench.inspect(message_asset(message)):
            if isinstance(item, Finding) and self._wanted(item):
                spans += spans_of(message, item)
                if len(self.found) < MOST_REMEMBERED:
                    self.found.setdefault(item.fingerprint, item)
        return spans


class _Recorded:
    """A session whose record has the values that were taken out on the way."""

    def __init__(self, session: Session, values: _Values) -> None:
        self._session = session
        self._values = values
        self.push = session.push
        self.end = session.end
        self.due = session.due
        self.tick = session.tick

    @property
    def decision(self) -> Decision | None:
        """What was found so far."""
        made = decision_so_far(self._session)
        if made is None or not self._values.found:
            return made
        findings = (*made.findings, *self._values.found.values())
        return msgspec.structs.replace(made, action=max(made.action, Action.REDACT), findings=findings)


class _Windows:
    """Judges windows of one answer."""

    def __init__(self, inspector: PolicyInspector, exchange: Exchange) -> None:
        self._inspector = inspector
        self._who = exchange.caller
        self._context = exchange.context()
        # The prompt itself is watched for as the text arrives: comparing it with every window would cost far more.
        self._running = msgspec.structs.replace(self._context, system=())

    async def __call__(self, channel: str, text: str, *, final: bool, tool: str) -> Decision:
        call = ToolCall(tool, text) if "/tool/" in channel else None
        piece = Piece(text, Role.ASSISTANT, (channel,), call)
        context = self._context if final else self._running
        decision = await self._inspector.decided((piece,), Direction.OUTPUT, context, who=self._who)
        if call is None and decision.action is Action.REDACT:
            decision.edits = ()  # the redactor took the values out on their way
        return decision


def _leaking(inspector: PolicyInspector, channel: str, leaks: Sequence[Leak]) -> Decision:
    """What the policy makes of pieces of the prompt in an answer."""
    message = MessageContent("", Role.ASSISTANT, Direction.OUTPUT)
    asset = message_asset(message, f"message:{channel}")
    found = [
        finding_of(rule, asset, [Evidence(note=f"{leak.words:g} words of the prompt, {leak.share:.0%} of it")])
        for leak in leaks
        for rule in inspector.checker.leak_rules(leak.kind)
    ]
    return inspector.decision_of([], inspector.checker.ruled(message, found))


def redacts(inspector: PolicyInspector) -> Callable[[Finding], bool]:
    """Whether the policy takes what a finding found out of answers."""
    probe = MessageContent("", Role.ASSISTANT, Direction.OUTPUT)

    def wanted(finding: Finding) -> bool:
        return any(ruling.act is Act.REDACT for ruling in inspector.checker.ruled(probe, [finding]))

    return wanted
