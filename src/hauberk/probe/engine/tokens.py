"""The most tokens that a request can have: what a hard budget sets aside."""

from hauberk.probe.targets.target import Request

PER_MESSAGE = 8  # role and separators
PER_IMAGE = 2_000
PREAMBLE = 200  # what a template may add on its own


def most(text: str) -> int:
    """No byte-level vocabulary makes more tokens than a text has bytes in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def prompt_most(request: Request) -> int:
    """A bound on the tokens of a prompt, with its tools."""
    total = PREAMBLE
    for message in request.messages:
        total += most(message.text) + PER_MESSAGE + PER_IMAGE * len(message.images)
        total += sum(most(call.arguments) + most(call.name) + PER_MESSAGE for call in message.calls)
    for tool in request.tools:
        total += most(tool.name) + most(tool.description) + most(str(tool.parameters)) + PER_MESSAGE
    return total
