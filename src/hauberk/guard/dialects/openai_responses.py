"""OpenAI's Responses API: `/v1/responses`. https://platform.openai.com/docs/api-reference/responses."""

from collections.abc import Iterable
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects import edits as editing
from hauberk.guard.dialects.bodies import Body, encode
from hauberk.guard.dialects.dialect import BadUpstream, EventStream, Refusal
from hauberk.guard.dialects.fields import answer_body, answer_of, exchange_of, openai_usage, request_body
from hauberk.guard.dialects.gather import Gatherer
from hauberk.guard.dialects.openai_errors import error_body
from hauberk.guard.dialects.openai_parts import gather_part
from hauberk.guard.dialects.openai_responses_stream import ResponseStream, finish_of, spell_anew
from hauberk.guard.dialects.response_items import gather_items
from hauberk.guard.dialects.tools import gather_schema, gather_tools
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange, Operation

_KNOWN = frozenset(
    (
        *("model", "input", "instructions", "tools", "tool_choice", "text", "prompt", "stream", "stream_options", "metadata"),
        *("max_output_tokens", "max_tool_calls", "user", "safety_identifier", "prompt_cache_key", "include", "reasoning"),
        *("previous_response_id", "conversation", "service_tier", "truncation", "store", "context_management"),
    )
)


class OpenAIResponses:
    """Responses. Turns that the upstream keeps (`previous_response_id`, stored prompts) are noted as not read."""

    name = "openai_responses"

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        decoded = request_body(body)
        found = Gatherer()
        gather_items(found, decoded.get("instructions"), ("instructions",), Role.SYSTEM)
        gather_items(found, decoded.get("input"), ("input",), Role.USER)
        gather_tools(found, decoded, "tools")
        gather_schema(found, decoded.get("text"), ("text",))
        _gather_kept(found, decoded)
        found.strays(decoded, Role.USER, (), _KNOWN)
        return exchange_of(Operation.RESPONSE, decoded, found, limits=("max_output_tokens",))

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream."""
        editing.apply(exchange.body, edits)
        return encode({**exchange.body, "model": model} if model else exchange.body)

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer. Raises BadUpstream."""
        decoded = answer_body(body)
        found = Gatherer(every=True)
        if type(decoded.get("output")) is not list:
            raise BadUpstream("the answer has no output")
        try:
            gather_items(found, decoded["output"], ("output",), Role.ASSISTANT)
            found.optional(decoded, "output_text", Role.ASSISTANT, ())
        except BadRequest as error:
            raise BadUpstream(f"the answer cannot be read: {error}") from error
        return answer_of(decoded, found, openai_usage(decoded.get("usage")), finish_of(decoded))

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client. An edited part loses its logprobs and annotations, which point into the old text."""
        spell_anew(answer.body, edits)
        return encode({**answer.body, "model": model} if model else answer.body)

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """A reader for the answer to `exchange` as it comes."""
        del exchange
        return ResponseStream(model=model)

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error."""
        return error_body(refusal)


def _gather_kept(found: Gatherer, body: Body) -> None:
    for key in ("previous_response_id", "conversation"):
        if body.get(key):
            found.skipped((key,), "turns kept by the upstream")
    prompt: Any = body.get("prompt")
    if type(prompt) is dict:
        found.skipped(("prompt",), "a prompt kept by the upstream")
        variables: Any = cast("Body", prompt).get("variables")
        if type(variables) is dict:
            for key, value in cast("Body", variables).items():
                gather_part(found, value, Role.USER, ("prompt", "variables", key))
