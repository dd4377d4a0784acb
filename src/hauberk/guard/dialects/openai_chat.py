"""OpenAI's chat completions: `/v1/chat/completions`. https://platform.openai.com/docs/api-reference/chat."""

from collections.abc import Iterable
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects import edits as editing
from hauberk.guard.dialects.bodies import Body, encode
from hauberk.guard.dialects.dialect import BadUpstream, EventStream, Refusal
from hauberk.guard.dialects.fields import answer_body, answer_of, exchange_of, list_at, object_at, openai_usage, request_body
from hauberk.guard.dialects.gather import Gatherer, plain
from hauberk.guard.dialects.openai_chat_stream import ChatStream
from hauberk.guard.dialects.openai_errors import error_body
from hauberk.guard.dialects.openai_parts import gather_content, role_of
from hauberk.guard.dialects.tools import gather_schema, gather_tools
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange, Operation, Path

# Keys whose values no model reads, or that are read by their own name below.
SETTINGS = frozenset(
    (
        "model",
        "messages",
        "stream",
        "stream_options",
        "user",
        "safety_identifier",
        "metadata",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "n",
        "seed",
        "temperature",
        "top_p",
        "service_tier",
        "reasoning_effort",
        "verbosity",
        "modalities",
        "audio",
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "prediction",
        "response_format",
        "documents",
        "logit_bias",
        "prompt_cache_key",
        "prompt_cache_retention",
        "store",
    )
)
_SPOKEN = ("name", "refusal", "reasoning_content", "reasoning")
_TURN = frozenset((*_SPOKEN, "role", "content", "tool_calls", "function_call", "tool_call_id", "audio", "id", "cache_control"))
_CHOICE = frozenset(("message", "logprobs", "finish_reason", "index", "stop_reason", "token_ids"))
_ANSWER = frozenset(("id", "object", "model", "choices", "usage", "system_fingerprint", "service_tier", "prompt_token_ids"))


class OpenAIChat:
    """Chat completions. Tolerates fields that it does not know; their texts are judged like the others."""

    name = "openai_chat"

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        decoded = request_body(body)
        found = Gatherer()
        turns = list_at(decoded, "messages")
        if not turns:
            raise BadRequest("messages must be a list of at least one message", "messages")
        for index, turn in enumerate(turns):
            gather_turn(found, turn, ("messages", index))
        gather_tools(found, decoded, "tools")
        gather_tools(found, decoded, "functions")
        _gather_extras(found, decoded)
        return exchange_of(Operation.CHAT, decoded, found, limits=("max_completion_tokens", "max_tokens"))

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream. A stream is always asked for its usage."""
        return written(exchange, edits, model)

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer. Raises BadUpstream."""
        decoded = answer_body(body)
        found = Gatherer(every=True)
        try:
            choices = [object_at(c, ("choices", i)) for i, c in enumerate(list_at(decoded, "choices"))]
            for index, choice in enumerate(choices):
                path: Path = ("choices", index)
                message = object_at(choice.get("message"), (*path, "message"))
                gather_turn(found, {"role": "assistant", **message}, (*path, "message"), said=True)
                found.strays(choice, Role.ASSISTANT, path, _CHOICE)
            found.strays(decoded, Role.ASSISTANT, (), _ANSWER)
        except BadRequest as error:
            raise BadUpstream(f"the answer cannot be read: {error}") from error
        if not choices:
            raise BadUpstream("the answer has no choices")
        return answer_of(decoded, found, openai_usage(decoded.get("usage")), choices[0].get("finish_reason"))

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client. A choice that is edited loses its logprobs, which spell the text token by token."""
        return answer_written(answer, edits, model)

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """A reader for the answer to `exchange` as it comes."""
        return ChatStream(asked_usage=asks_usage(exchange.body), model=model)

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error."""
        return error_body(refusal)


def gather_turn(found: Gatherer, turn: Any, path: Path, *, said: bool = False) -> None:
    """Every text of one message. `said`: it is the model's answer, whatever role it claims."""
    turn = object_at(turn, path)
    role = Role.ASSISTANT if said else role_of(turn.get("role"), (*path, "role"))
    for key in _SPOKEN:
        if isinstance(turn.get(key), dict | list):  # some servers' structured reasoning
            found.strays(turn[key], role, (*path, key))
        else:
            found.optional(turn, key, role, path)
    gather_content(found, turn.get("content"), role, (*path, "content"))
    for index, item in enumerate(list_at(turn, "tool_calls", path)):
        _gather_call(found, object_at(item, (*path, "tool_calls", index)), role, (*path, "tool_calls", index))
    call = turn.get("function_call")
    if type(call) is dict:
        made = cast("Body", call)
        found.call(made.get("name"), made.get("arguments"), role, (*path, "function_call", "arguments"))
    audio = turn.get("audio")
    if type(audio) is dict:
        found.optional(cast("Body", audio), "transcript", role, (*path, "audio"))
        found.skipped((*path, "audio"), "audio")
    found.strays(turn, role, path, _TURN)


def written(exchange: Exchange, edits: Iterable[Edit], model: str) -> bytes:
    """A request of chat or of completions for the upstream."""
    body = exchange.body
    editing.apply(body, edits)
    changes: Body = {}
    if model:
        changes["model"] = model
    if exchange.stream:
        options = body.get("stream_options")
        changes["stream_options"] = {**(cast("Body", options) if type(options) is dict else {}), "include_usage": True}
    return encode({**body, **changes} if changes else body)


def asks_usage(body: Body) -> bool:
    """Whether the client asked for usage at the end of the stream."""
    options = body.get("stream_options")
    return type(options) is dict and cast("Body", options).get("include_usage") is True


def answer_written(answer: Answer, edits: Iterable[Edit], model: str) -> bytes:
    """An answer of chat or of completions for the client."""
    body = answer.body
    edits = tuple(edits)
    editing.apply(body, edits)
    for index in {edit.path[1] for edit in edits if len(edit.path) > 1 and edit.path[0] == "choices"}:
        choice = cast("list[Body]", body["choices"])[cast("int", index)]
        if choice.get("logprobs") is not None:
            choice["logprobs"] = None
    if model:
        body["model"] = model
    return encode(body)


def _gather_call(found: Gatherer, item: Body, role: Role, path: Path) -> None:
    for key, text in (("function", "arguments"), ("custom", "input")):
        if type(item.get(key)) is dict:
            made = cast("Body", item[key])
            found.call(made.get("name"), made.get(text), role, (*path, key, text), item.get("id"))
            if isinstance(made.get("name"), str) and not plain(made["name"]):
                found.text(made["name"], role, (*path, key, "name"))


def _gather_extras(found: Gatherer, body: Body) -> None:
    prediction = body.get("prediction")
    if type(prediction) is dict:
        gather_content(found, cast("Body", prediction).get("content"), Role.USER, ("prediction", "content"))
    found.strays(body.get("documents"), Role.DOCUMENT, ("documents",))
    gather_schema(found, body.get("response_format"), ("response_format",))
    found.strays(body, Role.USER, (), SETTINGS)
