"""Lists of models: `/v1/models`, in OpenAI's form and in Anthropic's."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from hauberk.guard.dialects.bodies import Body, encode
from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.fields import answer_body


class Model(msgspec.Struct, frozen=True):
    """A model on offer. `created`: seconds since the epoch, 0 when nobody said."""

    id: str
    created: int = 0
    owned_by: str = "hauberk"


def listing(models: Iterable[Model]) -> bytes:
    """The answer to `GET /v1/models`."""
    return encode({"object": "list", "data": [_one(model) for model in models]})


def one(model: Model) -> bytes:
    """The answer to `GET /v1/models/{id}`."""
    return encode(_one(model))


def anthropic_listing(models: Iterable[Model]) -> bytes:
    """The answer to `GET /v1/models` for clients of Anthropic's API, all on one page."""
    data = [{"type": "model", "id": m.id, "display_name": m.id, "created_at": "1970-01-01T00:00:00Z"} for m in models]
    ends = {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return encode({"data": data, "has_more": False, **ends})


def read_models(body: bytes) -> tuple[Model, ...]:
    """The models in an upstream's list. Entries without an id are left out. Raises BadUpstream."""
    data = answer_body(body).get("data")
    if type(data) is not list:
        raise BadUpstream("the list of models has no data")
    entries = [cast("Body", entry) for entry in cast("list[Any]", data) if isinstance(entry, dict)]
    return tuple(_read(entry) for entry in entries if isinstance(entry.get("id"), str) and entry["id"])


def on_offer(models: Iterable[Model], aliases: Mapping[str, str], allowed: Callable[[str], bool]) -> tuple[Model, ...]:
    """What a caller sees: the aliases (name -> upstream's name) and the models themselves, as far as they are allowed."""
    known = {model.id: model for model in models}
    for alias, target in aliases.items():
        known[alias] = msgspec.structs.replace(known.get(target, Model(target)), id=alias)
    return tuple(model for name, model in known.items() if allowed(name))


def _one(model: Model) -> Body:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": model.owned_by}


def _read(entry: Body) -> Model:
    created, owner = entry.get("created"), entry.get("owned_by")
    return Model(entry["id"], created if type(created) is int else 0, owner if isinstance(owner, str) else "")
