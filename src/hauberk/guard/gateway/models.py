"""The list of models, in a form that clients of both API families read."""

from collections.abc import Sequence

import msgspec

_ENCODE = msgspec.json.Encoder().encode


def models_body(names: Sequence[str]) -> bytes:
    """`GET /v1/models`."""
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return _ENCODE({"object": "list", "data": [_model(name) for name in names], "has_more": False, **ends})


def model_body(name: str) -> bytes:
    """`GET /v1/models/{id}`."""
    return _ENCODE(_model(name))


def _model(name: str) -> dict[str, object]:
    openai = {"id": name, "object": "model", "created": 0, "owned_by": "hauberk"}
    return {**openai, "type": "model", "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
