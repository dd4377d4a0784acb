"""Anthropic's Messages API: `/v1/messages`. https://docs.claude.com/en/api/messages."""

from collections.abc import Iterable
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects import edits as editing
from hauberk.guard.dialects.anthropic_blocks import gather_blocks
from hauberk.guard.dialects.anthropic_errors import error_body
from hauberk.guard.dialects.anthropic_stream import MessageStream
from hauberk.guard.dialects.anthropic_usage import usage_of
from hauberk.guard.dialects.bodies import Body, encode
from hauberk.guard.dialects.dialect import BadUpstream, EventStream, Refusal
from hauberk.guard.dialects.fields import answer_body, answer_of, exchange_of, list_at, object_at, request_body, string_at
from hauberk.guard.dialects.gather import Gatherer
from hauberk.guard.dialects.tools import gather_tools
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange, Operation, Path

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}
_KNOWN = frozenset(
    (
        *("model", "messages", "system", "tools", "tool_choice", "stream", "max_tokens", "metadata", "stop_sequences"),
        *("temperature", "top_p", "top_k", "thinking", "service_tier", "container", "mcp_servers", "context_management"),
    )
)
_ANSWER = frozenset(("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", "container"))


class AnthropicMessages:
    """Messages. Results of tools and documents in a user's message are told from what the user wrote."""

    name = "anthropic_messages"

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        decoded = request_body(body)
        found = Gatherer()
        gather_blocks(found, decoded.get("system"), Role.SYSTEM, ("system",))
        turns = list_at(decoded, "messages")
        if not turns:
            raise BadRequest("messages: at least one message is required", "messages")
        for index, turn in enumerate(turns):
            _gather_turn(found, turn, ("messages", index))
        gather_tools(found, decoded, "tools")
        found.strays(decoded, Role.USER, (), _KNOWN)
        return exchange_of(Operation.MESSAGES, decoded, found, limits=("max_tokens",), user=_user(decoded.get("metadata")))

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream."""
        editing.apply(exchange.body, edits)
        return encode({**exchange.body, "model": model} if model else exchange.body)

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer. Raises BadUpstream."""
        decoded = answer_body(body)
        found = Gatherer(every=True)
        if type(decoded.get("content")) is not list:
            raise BadUpstream("the answer has no content")
        try:
            gather_blocks(found, decoded["content"], Role.ASSISTANT, ("content",))
            found.strays(decoded, Role.ASSISTANT, (), _ANSWER)
        except BadRequest as error:
            raise BadUpstream(f"the answer cannot be read: {error}") from error
        return answer_of(decoded, found, usage_of(decoded.get("usage")), decoded.get("stop_reason"))

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client."""
        editing.apply(answer.body, edits)
        return encode({**answer.body, "model": model} if model else answer.body)

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """A reader for the answer to `exchange` as it comes."""
        del exchange
        return MessageStream(model=model)

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error."""
        return error_body(refusal)


def _gather_turn(found: Gatherer, turn: Any, path: Path) -> None:
    turn = object_at(turn, path)
    role = _ROLES.get(string_at(turn.get("role"), (*path, "role")), Role.USER)
    gather_blocks(found, turn.get("content"), role, (*path, "content"))
    found.strays(turn, role, path, frozenset(("role", "content")))


def _user(metadata: Any) -> str:
    user = cast("Body", metadata).get("user_id") if type(metadata) is dict else None
    return user[:256] if isinstance(user, str) else ""
