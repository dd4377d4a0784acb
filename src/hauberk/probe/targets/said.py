"""What has been said so far in a stream: texts and tool calls, put together piece by piece."""

from hauberk.assets.chat import ToolCall
from hauberk.probe.targets.dialect import BadAnswer, Broken
from hauberk.probe.targets.target import Reply, Usage

MOST_CALLS = 128  # in one answer


class Said:
    """Collects a streamed answer. Memory is bounded by the bytes that the wire lets through."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.finish = ""
        self.blocked = ""
        self.usage = Usage()
        self.ended = False
        self.any = False  # whether there was anything that belongs to an answer
        self._calls: dict[int, tuple[str, str, list[str]]] = {}

    def call(self, index: int, call_id: str, name: str, arguments: str) -> None:
        """Adds a piece of the tool call `index`. Raises BadAnswer for more calls than an answer may have."""
        known_id, known_name, pieces = self._calls.get(index, ("", "", []))
        if arguments:
            pieces.append(arguments)
        self._calls[index] = (known_id or call_id, known_name or name, pieces)
        if len(self._calls) > MOST_CALLS:
            raise BadAnswer(f"the answer makes more than {MOST_CALLS} tool calls")

    def reply(self, *, cut: bool) -> Reply:
        """The answer so far. Raises Broken when it has not ended and was not cut by us, BadAnswer when there is none."""
        if not self.any and not self.blocked:
            raise Broken("the stream ended without an answer")
        if not (self.ended or self.finish or cut or self.blocked):
            raise Broken("the stream broke off in the middle of the answer")
        calls = tuple(ToolCall(name, "".join(pieces), known) for known, name, pieces in self._calls.values())
        return Reply("".join(self.texts), calls, finish=self.finish, blocked=self.blocked, usage=self.usage, cut=cut)
