"""The list of models that an upstream gives: OpenAI's and Anthropic's are alike where it matters."""

from typing import Any, cast

from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.fields import answer_body


def read_models(body: bytes) -> tuple[str, ...]:
    """The names in an upstream's list. Entries without an id are left out. Raises BadUpstream."""
    data = answer_body(body).get("data")
    if type(data) is not list:
        raise BadUpstream("the list of models has no data")
    entries = [cast("Body", entry) for entry in cast("list[Any]", data) if isinstance(entry, dict)]
    return tuple(entry["id"] for entry in entries if isinstance(entry.get("id"), str) and entry["id"])
