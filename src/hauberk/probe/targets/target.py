"""Target: whom to ask. Everything that can be probed looks like this."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from hauberk.assets.chat import Role, ToolCall, ToolSpec


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message to or from a target. `calls` are an assistant's tool calls, `call_id` names the call a tool's result answers.

    `images` are PNG or JPEG bytes, for vision targets.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""  # of the tool whose result this is
    images: tuple[bytes, ...] = ()


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request: the whole conversation so far. `max_tokens` bounds the answer; `seed` is passed on where the API has one."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = None
    json_schema: dict[str, object] | None = None  # of an answer that must be JSON, where the API can


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Tokens as the API counted them; `estimated` when it did not and we did."""

    prompt: int = 0
    completion: int = 0
    estimated: bool = False


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call of a tool that an agent made on its own side, as far as it tells us."""

    call: ToolCall
    result: str = ""


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came back.

    Attributes:
        text: The answer, joined from its stream if it was one.
        calls: Tool calls it asks us to make.
        steps: Tool calls it made itself (agents), with their results.
        finish: `stop`, `length`, `tool_calls`, `content_filter`, "" when the API does not say.
        blocked: Why a guard or content filter stopped it, "" when none did. A blocked reply is an answer, not an error.
        usage: Tokens.
        seconds: From sending to the last byte.
        cut: Whether the answer was cut at one of our bounds (bytes, stream time): what is there was kept.
        requests: To the model, that it took: more than one where we carry its tool calls out.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    steps: tuple[Step, ...] = ()
    finish: str = ""
    blocked: str = ""
    usage: Usage = Usage()
    seconds: float = 0.0
    cut: bool = False
    requests: int = 1


class Fault(StrEnum):
    """Why there is no reply. The engine retries those marked so, with adaptive back-off."""

    CONNECT = "connect"  # retried
    TIMEOUT = "timeout"  # retried
    RATE_LIMIT = "rate-limit"  # 429; retried after `retry_after`
    SERVER = "server"  # 5xx; retried
    REJECTED = "rejected"  # 4xx that is no block: too long, bad parameter
    AUTH = "auth"  # 401, 403: ends the run, with one line
    GARBAGE = "garbage"  # not the promised format, empty choices, schema changed; retried once
    SETUP = "setup"  # cannot work at all: no such model, command not found, bad certificate; ends the run

    @property
    def passing(self) -> bool:
        """Whether trying again may help."""
        return self in {Fault.CONNECT, Fault.TIMEOUT, Fault.RATE_LIMIT, Fault.SERVER, Fault.GARBAGE}

    @property
    def final(self) -> bool:
        """Whether no request can be expected to go better."""
        return self in {Fault.AUTH, Fault.SETUP}


class TargetError(Exception):
    """No reply. The message is one line: what, where, what to do."""

    def __init__(self, fault: Fault, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.retry_after = retry_after


class Abilities(msgspec.Struct, frozen=True):
    """What a target takes. An attack that needs more is not planned for it, and the plan says so."""

    system: bool = True  # a system prompt of ours
    turns: bool = True  # several turns
    tools: bool = False  # tools of ours, called by the model
    images: bool = False
    prefill: bool = False  # an assistant message at the end that the answer goes on from
    words: bool = True  # takes what is said, not only calls of its tools (an MCP server alone)
    rounds: int = 1  # most requests to the model that one answer takes
    stateful: bool = False  # keeps the conversation itself: only what is new is sent


class Session(Protocol):
    """One conversation with a target. Not shared between cases."""

    async def send(self, request: Request) -> Reply:
        """The reply to `request`, which always holds the whole conversation. Raises TargetError, and nothing else."""
        ...

    async def close(self) -> None:
        """Ends the conversation; never raises."""
        ...


class Target(Protocol):
    """Whom to ask. Made by `hauberk.probe.targets.open_target`, closed by the engine."""

    @property
    def name(self) -> str:
        """Stable name for reports and case ids: address and model, without credentials."""
        ...

    @property
    def abilities(self) -> Abilities: ...

    async def open(self) -> Session:
        """A new conversation. Raises TargetError."""
        ...

    async def close(self) -> None:
        """Gives back connections and processes; never raises."""
        ...


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and what came of it: the piece that transcripts are made of. Either `reply` or `fault` is set."""

    request: Request
    reply: Reply | None = None
    fault: str = ""  # a Fault's value
    note: str = ""  # one line on the fault


Transcript = Sequence[Exchange]
