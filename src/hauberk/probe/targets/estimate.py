"""How many tokens a text has, about, when the API does not count them."""

import msgspec

from hauberk.probe.targets.target import Reply, Request, Usage

PER_MESSAGE = 4  # tokens that templates put around one
PER_IMAGE = 765  # tokens of a picture of 1024 x 1024, after OpenAI's rule for tiles


def estimated_tokens(text: str) -> int:
    """About as many tokens as today's tokenizers make: four ASCII characters each, other characters 0.7 each."""
    if text.isascii():
        return (len(text) + 3) // 4
    other = len(text.encode("ascii", "ignore"))
    return (other + 3) // 4 + round((len(text) - other) * 0.7)


def prompt_tokens(request: Request) -> int:
    """About as many tokens as `request` sends."""
    total = 0
    for message in request.messages:
        total += PER_MESSAGE + estimated_tokens(message.text) + PER_IMAGE * len(message.images)
        total += sum(estimated_tokens(call.arguments) + PER_MESSAGE for call in message.calls)
    for tool in request.tools:
        total += PER_MESSAGE * 2 + estimated_tokens(tool.description) + estimated_tokens(str(tool.parameters))
    return total


def estimated_usage(request: Request, reply: Reply) -> Usage:
    """The usage of an exchange that nobody counted."""
    said = estimated_tokens(reply.text) + sum(estimated_tokens(call.arguments) + PER_MESSAGE for call in reply.calls)
    return Usage(prompt=prompt_tokens(request), completion=said, estimated=True)


def counted(request: Request, reply: Reply) -> Reply:
    """`reply` with its tokens estimated when the API did not count them."""
    usage = reply.usage
    return reply if usage.prompt or usage.completion else msgspec.structs.replace(reply, usage=estimated_usage(request, reply))
