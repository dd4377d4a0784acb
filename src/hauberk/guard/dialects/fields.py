"""Fields of a request that are read by more than one dialect. Each raises BadRequest that names the field at fault."""

from typing import Any, cast

from hauberk.guard.dialects.bodies import Body, Malformed, decode, decode_mended
from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.gather import Gatherer, name_of
from hauberk.guard.exchange import Answer, BadRequest, Exchange, Operation, Path, Usage

_MOST_TOKENS = 2**31 - 1
_LONGEST_MODEL = 256  # characters


def request_body(body: bytes) -> Body:
    """The decoded request."""
    try:
        return decode(body)
    except Malformed as error:
        raise BadRequest(f"We could not read the JSON body of your request: {error}.") from error


def answer_body(body: bytes) -> Body:
    """The decoded answer. Raises BadUpstream, also for an answer that is an error."""
    try:
        decoded = decode_mended(body)
    except Malformed as error:
        raise BadUpstream(f"the answer cannot be read: {error}") from error
    raise_error(decoded)
    return decoded


def raise_error(decoded: Body) -> None:
    """Raises BadUpstream when `decoded` says an error where an answer is due; its text, which may tell too much, is left out."""
    error = decoded.get("error")
    if error:
        kind: Any = cast("Body", error).get("type") or cast("Body", error).get("code") if isinstance(error, dict) else ""
        raise BadUpstream(f"the upstream answered with an error {str(kind)[:60]!r}")


def model_name(body: Body) -> str:
    """The model asked for."""
    model = body.get("model")
    if type(model) is not str or not model:
        raise BadRequest("you must provide a model parameter", "model")
    if len(model) > _LONGEST_MODEL or not model.isprintable():
        raise BadRequest("model is not a model's name", "model")
    return model


def exchange_of(
    operation: Operation,
    body: Body,
    found: Gatherer,
    *,
    limits: tuple[str, ...] = (),
    streams: bool = True,
    user: str | None = None,
) -> Exchange:
    """The request that was found in `body`. `limits`: keys of the most tokens; `user`: the end user, if no OpenAI key says."""
    return Exchange(
        operation=operation,
        model=model_name(body),
        body=body,
        pieces=tuple(found.pieces),
        images=tuple(found.images),
        tools=tuple(found.tools),
        stream=streams and flag(body, "stream"),
        max_tokens=token_limit(body, *limits),
        user=end_user(body) if user is None else user,
        unread=tuple(found.unread),
    )


def answer_of(body: Body, found: Gatherer, usage: Usage | None, finish: Any = "") -> Answer:
    """The answer that was found in `body`."""
    return Answer(
        body=body,
        pieces=tuple(found.pieces),
        usage=usage or Usage(),
        model=str(body.get("model", ""))[:_LONGEST_MODEL],
        finish=finish if isinstance(finish, str) else "",
    )


def flag(body: Body, key: str) -> bool:
    """A switch that is off when it is absent."""
    value = body.get(key)
    if value is not None and type(value) is not bool:
        raise BadRequest(f"{key} must be true or false", key)
    return value is True


def token_limit(body: Body, *keys: str) -> int | None:
    """The first of `keys` that is set: the most tokens that the answer may have."""
    found: int | None = None
    for key in keys:
        value = body.get(key)
        if value is None:
            continue
        if type(value) is not int or not 0 <= value <= _MOST_TOKENS:
            raise BadRequest(f"{key} must be a whole number, 0 or more", key)
        found = value if found is None else found
    return found


def end_user(body: Body) -> str:
    """The end user's id, as OpenAI's requests give it."""
    for key in ("safety_identifier", "user"):
        value = body.get(key)
        if isinstance(value, str) and value:
            return value[:256]
    return ""


def list_at(holder: Body, key: str, path: Path = ()) -> list[Any]:
    """The list at `key`; empty when it is absent."""
    value = holder.get(key)
    if value is None:
        return []
    if type(value) is not list:
        raise BadRequest(f"{name_of((*path, key))} must be a list", name_of((*path, key)))
    return cast("list[Any]", value)


def object_at(value: Any, path: Path) -> Body:
    """`value`, which must be an object."""
    if type(value) is not dict:
        raise BadRequest(f"{name_of(path)} must be an object", name_of(path))
    return cast("Body", value)


def string_at(value: Any, path: Path) -> str:
    """`value`, which must be a string."""
    if type(value) is not str:
        raise BadRequest(f"{name_of(path)} must be a string", name_of(path))
    return value


def count_of(holder: Any, *keys: str) -> int | None:
    """The first of `keys` that holds a count of tokens."""
    for key in keys:
        value: Any = cast("Body", holder).get(key) if isinstance(holder, dict) else None
        if type(value) is int and 0 <= value <= _MOST_TOKENS:
            return value
    return None


def openai_usage(usage: Any) -> Usage | None:
    """Tokens as OpenAI's APIs count them, under the names of all of them; None when there is no count."""
    if type(usage) is not dict:
        return None
    usage = cast("Body", usage)
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    spent = Usage(
        input=count_of(usage, "prompt_tokens", "input_tokens"),
        output=count_of(usage, "completion_tokens", "output_tokens"),
        cached=count_of(details, "cached_tokens") or 0,
    )
    return None if spent.input is None and spent.output is None else spent
