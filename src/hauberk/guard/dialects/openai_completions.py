"""OpenAI's completions: `/v1/completions`. https://platform.openai.com/docs/api-reference/completions."""

from collections.abc import Iterable
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.choice_stream import ChoiceStream, Said
from hauberk.guard.dialects.dialect import BadUpstream, EventStream, Refusal
from hauberk.guard.dialects.fields import answer_body, answer_of, exchange_of, list_at, object_at, openai_usage, request_body
from hauberk.guard.dialects.gather import Gatherer, name_of
from hauberk.guard.dialects.openai_chat import SETTINGS, answer_written, asks_usage, written
from hauberk.guard.dialects.openai_errors import error_body
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange, Operation, Path

_KNOWN = (SETTINGS - {"messages"}) | {"prompt", "suffix", "echo", "logprobs", "best_of", "presence_penalty", "frequency_penalty"}
_ANSWER = frozenset(("id", "object", "model", "choices", "usage", "system_fingerprint"))


class OpenAICompletions:
    """Completions: a prompt, several prompts, or prompts as the numbers of tokens, which nobody reads."""

    name = "openai_completions"

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        decoded = request_body(body)
        found = Gatherer()
        gather_prompts(found, decoded.get("prompt"), ("prompt",), Role.USER)
        found.optional(decoded, "suffix", Role.USER, ())
        found.strays(decoded, Role.USER, (), _KNOWN)
        return exchange_of(Operation.COMPLETION, decoded, found, limits=("max_tokens",))

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream. A stream is always asked for its usage."""
        return written(exchange, edits, model)

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer. Raises BadUpstream."""
        decoded = answer_body(body)
        found = Gatherer(every=True)
        try:
            choices = [object_at(choice, ("choices", i)) for i, choice in enumerate(list_at(decoded, "choices"))]
            for index, choice in enumerate(choices):
                path: Path = ("choices", index)
                found.optional(choice, "text", Role.ASSISTANT, path)
                found.strays(choice, Role.ASSISTANT, path, frozenset(("text", "logprobs", "finish_reason", "index")))
            found.strays(decoded, Role.ASSISTANT, (), _ANSWER)
        except BadRequest as error:
            raise BadUpstream(f"the answer cannot be read: {error}") from error
        if not choices:
            raise BadUpstream("the answer has no choices")
        return answer_of(decoded, found, openai_usage(decoded.get("usage")), choices[0].get("finish_reason"))

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client. A choice that is edited loses its logprobs."""
        return answer_written(answer, edits, model)

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """A reader for the answer to `exchange` as it comes."""
        return CompletionStream(asked_usage=asks_usage(exchange.body), model=model)

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error."""
        return error_body(refusal)


class CompletionStream(ChoiceStream):
    """Channels: `0` the first choice's text."""

    def split(self, choice: Body, index: int) -> Said:
        """What `choice` says."""
        text, finish = choice.get("text"), choice.get("finish_reason")
        if text is not None and type(text) is not str:
            raise BadUpstream("a choice of the stream has no text")
        said = Said([], [(str(index), text)] if text else [], {}, finish if isinstance(finish, str) else "")
        if not text:
            said.rest = choice
        return said

    def only_text(self, choice: Body) -> str:
        """The text of a choice that goes on."""
        text = choice.get("text")
        return text if type(text) is str and choice.get("finish_reason") is None else ""

    def choice_of(self, channel: str, text: str) -> Body:
        """A choice that carries `text`."""
        return {"index": int(channel), "text": text, "logprobs": None, "finish_reason": None}

    def last_choice(self, index: int, finish: str) -> Body:
        """A choice that says why it ended."""
        return {"index": index, "text": "", "logprobs": None, "finish_reason": finish}


def gather_prompts(found: Gatherer, prompt: Any, path: Path, role: Role) -> None:
    """A prompt in each of its forms: a string, a list of strings, tokens, a list of lists of tokens."""
    if type(prompt) is str:
        found.text(prompt, role, path)
    elif _tokens(prompt):
        found.skipped(path, "text as the numbers of tokens")
    elif type(prompt) is list:
        for index, item in enumerate(cast("list[Any]", prompt)):
            gather_prompts(found, item, (*path, index), role)
    elif prompt is not None:
        raise BadRequest(f"{name_of(path)} must be a string, a list of strings, or tokens", str(path[0]))


def _tokens(item: Any) -> bool:
    tokens: list[Any] = cast("list[Any]", item) if type(item) is list else []
    return bool(tokens) and all(type(token) is int for token in tokens)
