"""The endpoints, and the dialect each speaks."""

from collections.abc import Mapping
from importlib import import_module

import msgspec

from hauberk.guard.dialects.dialect import Dialect
from hauberk.guard.settings import Api


class Route(msgspec.Struct, frozen=True):
    """One endpoint that takes a body. `judged`: whether a model runs, so that there is something to judge."""

    dialect: str
    path: str  # after the version, at the upstream
    api: Api = Api.OPENAI
    judged: bool = True


ROUTES: Mapping[str, Route] = {
    "/v1/chat/completions": Route("openai_chat", "/chat/completions"),
    "/v1/completions": Route("openai_completions", "/completions"),
    "/v1/responses": Route("openai_responses", "/responses"),
    "/v1/embeddings": Route("openai_embeddings", "/embeddings"),
    "/v1/messages": Route("anthropic_messages", "/messages", Api.ANTHROPIC),
    "/v1/messages/count_tokens": Route("anthropic_messages", "/messages/count_tokens", Api.ANTHROPIC, judged=False),
}
MODELS = "/v1/models"
PLAIN = "openai_chat"
"""The dialect in which errors outside any endpoint are said."""

_CLASSES = {
    "openai_chat": "OpenAIChat",
    "openai_completions": "OpenAICompletions",
    "openai_responses": "OpenAIResponses",
    "openai_embeddings": "OpenAIEmbeddings",
    "anthropic_messages": "AnthropicMessages",
}


def dialects() -> dict[str, Dialect]:
    """Every dialect, by name."""
    return {name: getattr(import_module(f"hauberk.guard.dialects.{name}"), made)() for name, made in _CLASSES.items()}
