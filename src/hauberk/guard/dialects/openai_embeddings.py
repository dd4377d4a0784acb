"""OpenAI's embeddings: `/v1/embeddings`. https://platform.openai.com/docs/api-reference/embeddings."""

from collections.abc import Iterable, Iterator, Mapping

from hauberk.assets.chat import Role
from hauberk.guard.dialects import edits as editing
from hauberk.guard.dialects.bodies import encode
from hauberk.guard.dialects.dialect import BadUpstream, Delta, EventStream, Refusal
from hauberk.guard.dialects.fields import answer_body, answer_of, exchange_of, openai_usage, request_body
from hauberk.guard.dialects.gather import Gatherer
from hauberk.guard.dialects.openai_completions import gather_prompts
from hauberk.guard.dialects.openai_errors import error_body
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange, Operation

_KNOWN = frozenset(("model", "input", "encoding_format", "dimensions", "user", "safety_identifier", "metadata"))


class OpenAIEmbeddings:
    """Embeddings: texts in, numbers out. What is embedded is often a document, but it comes from the user of this request."""

    name = "openai_embeddings"

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        decoded = request_body(body)
        found = Gatherer()
        if decoded.get("input") is None and "messages" not in decoded:
            raise BadRequest("you must provide an input parameter", "input")
        gather_prompts(found, decoded.get("input"), ("input",), Role.USER)
        found.strays(decoded, Role.USER, (), _KNOWN)
        return exchange_of(Operation.EMBEDDING, decoded, found, streams=False)

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream."""
        editing.apply(exchange.body, edits)
        return encode({**exchange.body, "model": model} if model else exchange.body)

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer, which holds no text. Raises BadUpstream."""
        decoded = answer_body(body)
        if type(decoded.get("data")) is not list:
            raise BadUpstream("the answer has no data")
        return answer_of(decoded, Gatherer(), openai_usage(decoded.get("usage")))

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client."""
        editing.apply(answer.body, edits)
        return encode({**answer.body, "model": model} if model else answer.body)

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """Embeddings do not stream: a reader that refuses everything."""
        del exchange, model
        return NoStream()

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error."""
        return error_body(refusal)


class NoStream:
    """For APIs that do not stream."""

    def feed(self, data: bytes) -> Iterator[Delta]:
        """Raises BadUpstream."""
        raise BadUpstream(f"the upstream streams {len(data)} bytes where nothing streams")

    def close(self) -> Iterator[Delta]:
        """Raises BadUpstream."""
        raise BadUpstream("the upstream streams where nothing streams")

    def made(self, channel: str, text: str) -> bytes:
        """Nothing."""
        del channel, text
        return b""

    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """Nothing."""
        del delta, sent
        return b""

    def ended(self, channel: str, finish: str) -> bytes:
        """Nothing."""
        del channel, finish
        return b""

    def error(self, refusal: Refusal) -> bytes:
        """The error's body, as no event."""
        return error_body(refusal)
