"""Makes the guard of an answer that streams: the redactor for values, the detectors for windows and calls, the label."""

from collections.abc import Callable

from hauberk.assets.chat import Direction, Role, ToolCall
from hauberk.core import Action, Finding
from hauberk.guard.exchange import Exchange, Piece
from hauberk.guard.gateway.hooks import Decision, Session
from hauberk.guard.inspector import PolicyInspector
from hauberk.guard.redact import Find, Masker
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.guard.stream.session import Limits, StreamSession

Wrap = Callable[[Session, Exchange], Session]


class Sessions:
    """A maker of sessions, as the inspector wants it."""

    def __init__(self, find: Find, limits: Limits | None = None, wrap: Wrap | None = None) -> None:
        """`find`: where the values of a text are that the policy redacts in answers."""
        self._find = find
        self._limits = limits
        self._wrap = wrap

    def __call__(self, inspector: PolicyInspector, exchange: Exchange) -> Session:
        masker = Masker()
        session: Session = StreamSession(
            _Windows(inspector, exchange),
            redactor=lambda _channel: StreamRedactor(self._find, masker),
            limits=self._limits,
        )
        return self._wrap(session, exchange) if self._wrap else session


class _Windows:
    """Judges windows of one answer."""

    def __init__(self, inspector: PolicyInspector, exchange: Exchange) -> None:
        self._inspector = inspector
        self._context = exchange.context()

    async def __call__(self, channel: str, text: str, *, final: bool, tool: str) -> Decision:
        del final
        call = ToolCall(tool, text) if "/tool/" in channel else None
        piece = Piece(text, Role.ASSISTANT, (channel,), call)
        decision = await self._inspector.decided((piece,), Direction.OUTPUT, self._context)
        if call is None and decision.action is Action.REDACT:
            decision.edits = ()  # the redactor took the values out on their way
        return decision


def redacts(inspector: PolicyInspector) -> Callable[[Finding], bool]:
    """Whether the policy takes what a finding found out of answers."""
    from hauberk.assets.chat import MessageContent
    from hauberk.policy.messages import Act

    probe = MessageContent("", Role.ASSISTANT, Direction.OUTPUT)

    def wanted(finding: Finding) -> bool:
        return any(ruling.act is Act.REDACT for ruling in inspector.checker.ruled(probe, [finding]))

    return wanted
