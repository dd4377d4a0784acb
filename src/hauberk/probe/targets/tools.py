"""Tools that a target's model may call while we carry the calls out: real ones (an MCP server) or simulated ones."""

from typing import Protocol

from hauberk.assets.chat import ToolCall, ToolSpec


class ToolRunner(Protocol):
    """Tools within one conversation. What one conversation changes no other sees, where the tools can promise that."""

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What is offered to the model."""
        ...

    async def run(self, call: ToolCall) -> str:
        """The result as the model reads it; of a call that fails, the error. Raises TargetError when the tools are gone."""
        ...

    async def close(self) -> None:
        """Ends the conversation; never raises."""
        ...


class ToolSource(Protocol):
    """Where conversations get their tools."""

    @property
    def name(self) -> str:
        """Stable name for reports and case ids."""
        ...

    async def open(self) -> ToolRunner:
        """Tools for a new conversation. Raises TargetError."""
        ...

    async def close(self) -> None:
        """Gives back what it holds; never raises."""
        ...
