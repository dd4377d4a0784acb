"""One request to a model and its answer, whatever API they are written in. No I/O: dialects read and write these."""

from enum import StrEnum

import msgspec

from hauberk.assets.chat import Context, Role, ToolCall, ToolSpec

Path = tuple[str | int, ...]
"""Keys and indexes from the top of a JSON body to a value."""


class Operation(StrEnum):
    """What is asked of the model."""

    CHAT = "chat"
    COMPLETION = "completion"
    RESPONSE = "response"
    EMBEDDING = "embedding"
    MODELS = "models"
    MESSAGES = "messages"  # Anthropic


class Piece(msgspec.Struct, frozen=True):
    """One text of a request or an answer: who speaks, and where in the body it stands."""

    text: str
    role: Role
    path: Path
    call: ToolCall | None = None  # the model's call of a tool; `text` is its arguments
    image: bool = False  # `text` was read in the image at `path`, and cannot be replaced there


class Image(msgspec.Struct, frozen=True):
    """An image in a request: a data URL, or an address that only the upstream will open."""

    url: str
    path: Path


class Exchange(msgspec.Struct):
    """A request as the guard sees it. `body` is the decoded JSON, changed in place by edits."""

    operation: Operation
    model: str
    body: dict[str, object]
    pieces: tuple[Piece, ...] = ()
    images: tuple[Image, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    stream: bool = False
    max_tokens: int | None = None
    user: str = ""  # the end user's id, if the application passes one
    unread: tuple[str, ...] = ()  # parts that reach the model and were not read: "messages.0.content.1: input_audio"

    canaries: tuple[str, ...] = ()  # planted in the operator's prompts; no answer may hold one
    label_id: str = ""  # of the answer, in labels of generated content
    caller: str = ""  # name and tenant of the key, for a person who is asked; never the key

    def let_go(self) -> None:
        """Forgets the request's texts; what was made from them stays."""
        self.body, self.pieces, self.images, self.tools = {}, (), (), ()

    def context(self, canaries: tuple[str, ...] = ()) -> Context:
        """What detectors may need to know around each message."""
        return Context(
            system=tuple(p.text for p in self.pieces if p.role is Role.SYSTEM),
            canaries=(*self.canaries, *canaries),
            tools=self.tools,
            # What a tool is said to do is the application's own: a call that repeats it is not steered from outside.
            foreign=tuple(p.text for p in self.pieces if p.role.foreign and p.path[:1] not in {("tools",), ("functions",)}),
            user=tuple(p.text for p in self.pieces if p.role is Role.USER),
        )


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the upstream counted them; None when it did not say."""

    input: int | None = None
    output: int | None = None
    cached: int = 0


class Answer(msgspec.Struct):
    """A whole answer as the guard sees it."""

    body: dict[str, object]
    pieces: tuple[Piece, ...] = ()
    usage: Usage = Usage()
    model: str = ""
    finish: str = ""


class Edit(msgspec.Struct, frozen=True):
    """A piece whose text is replaced."""

    path: Path
    text: str


class BadRequest(Exception):
    """A request that cannot be read. `param` is the key at fault; the message says what is wrong and what to do."""

    def __init__(self, message: str, param: str = "", code: str = "invalid_request_error", status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status
