"""OpenAI's older completions, for base models. https://platform.openai.com/docs/api-reference/completions."""

from collections.abc import Sequence

from hauberk.assets.chat import Role
from hauberk.probe.targets.dialect import BadAnswer, Wish
from hauberk.probe.targets.openai_chat import ChoiceStream, decoded, first_choice, settings, whole, without
from hauberk.probe.targets.target import Abilities, Message, Reply, Request

_SPEAKER = {Role.USER: "User: ", Role.ASSISTANT: "Assistant: ", Role.TOOL: "Tool: ", Role.DOCUMENT: "Document: "}


class OpenAICompletions:
    """`/completions`: the conversation goes as one prompt."""

    path = "/completions"
    models = "/models"
    root = "/v1"

    def abilities(self, *, tools: bool, images: bool, prefill: bool) -> Abilities:
        del tools, images, prefill
        return Abilities(prefill=True)

    def headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, request: Request, wish: Wish) -> dict[str, object]:
        made: dict[str, object] = {"model": wish.model, "prompt": prompt_of(request.messages), **settings(request, wish)}
        return without(made, wish.refused)

    def read(self, body: bytes) -> Reply:
        answer = decoded(body)
        text = first_choice(answer).text
        if text is None:
            raise BadAnswer("the answer's choice has no text")
        return whole(answer, text)

    def reader(self) -> ChoiceStream:
        return ChoiceStream()


def prompt_of(messages: Sequence[Message]) -> str:
    """One message alone as it is; a conversation as lines by speaker, left open for the assistant to go on."""
    if len(messages) == 1:
        return messages[0].text
    lines = [_SPEAKER.get(message.role, "") + message.text for message in messages]
    if messages and messages[-1].role is not Role.ASSISTANT:
        lines.append("Assistant:")
    return "\n\n".join(lines)
