"""Which dialect speaks at which path."""

from hauberk.guard.dialects.anthropic_messages import AnthropicMessages
from hauberk.guard.dialects.dialect import Dialect
from hauberk.guard.dialects.openai_chat import OpenAIChat
from hauberk.guard.dialects.openai_completions import OpenAICompletions
from hauberk.guard.dialects.openai_embeddings import OpenAIEmbeddings
from hauberk.guard.dialects.openai_responses import OpenAIResponses

ROUTES: dict[str, Dialect] = {
    "/v1/chat/completions": OpenAIChat(),
    "/v1/completions": OpenAICompletions(),
    "/v1/responses": OpenAIResponses(),
    "/v1/embeddings": OpenAIEmbeddings(),
    "/v1/messages": AnthropicMessages(),
}
