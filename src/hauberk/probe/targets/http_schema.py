"""How an HTTP API is described in TOML. docs/probe-targets.md shows every key."""

import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from hauberk.probe.targets.json_path import BadPath, JsonPath
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.target import Fault, TargetError

MOST_BYTES = 1 << 20  # of a description


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """A table of the file. A key that it does not know is an error that names it."""


class Auth(_Table, frozen=True):
    """`[auth]`: credentials, each in an environment variable."""

    env: str  # of the token, or the password
    kind: Literal["bearer", "header", "basic"] = "bearer"
    header: str = "x-api-key"  # for kind `header`
    user_env: str = ""  # for kind `basic`


class Messages(_Table, frozen=True):
    """`[messages]`: how a message of `{{messages}}` and `{{history}}` is written."""

    role: str = "role"  # the key of who speaks
    content: str = "content"  # the key of what was said
    user: str = "user"
    assistant: str = "assistant"
    system: str = "system"
    tool: str = "tool"


class Answer(_Table, frozen=True):
    """`[answer]`: where the answer is. Paths are those of `JsonPath`."""

    text: str
    stream: Literal["none", "sse", "lines"] = "none"
    pieces: Literal["delta", "whole"] = "delta"  # whether each event adds to the text, or repeats it all
    event: str = ""  # the name of the events that hold text
    done: str = ""  # the data that ends the stream, such as [DONE]
    done_event: str = ""  # the name of the event that ends the stream
    finish: str = ""
    prompt_tokens: str = ""
    completion_tokens: str = ""


class SessionTable(_Table, frozen=True):
    """`[session]`: who names a conversation that the API keeps."""

    kind: Literal["none", "ours", "answer", "cookie"] = "none"
    path: str = ""  # for `answer`: where its first answer names the conversation
    first: Any = ""  # for `answer`: what `{{session}}` is in the first request


class When(_Table, frozen=True):
    """A condition: the value at `path` equals, or its text contains."""

    path: str
    equals: Any = msgspec.UNSET
    contains: str = ""


class Blocked(_Table, frozen=True):
    """`[blocked]`: how the API says that a guard or filter stopped the exchange. Any one of them is enough."""

    status: tuple[int, ...] = ()
    when: tuple[When, ...] = ()
    reason: str = ""  # path of the words for it


class Steps(_Table, frozen=True):
    """`[steps]`: where an agent reports the tools that it called."""

    each: str
    name: str = "name"
    arguments: str = "arguments"
    result: str = "result"


class HttpApi(_Table, frozen=True):
    """The whole file."""

    url: str
    answer: Answer
    name: str = ""
    method: Literal["POST", "PUT", "PATCH", "GET"] = "POST"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    encoding: Literal["json", "form"] = "json"
    body: Any = None
    join: bool = False  # whether `{{prompt}}` and the like may stand inside longer strings
    auth: Auth | None = None
    messages: Messages = Messages()
    session: SessionTable = SessionTable()
    blocked: Blocked = Blocked()
    steps: Steps | None = None
    retry_status: tuple[int, ...] = ()


def read_description(path: str) -> HttpApi:
    """The API that the file describes. Raises TargetError (SETUP), naming the file and the key."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise TargetError(Fault.SETUP, f"{path}: is over {MOST_BYTES} bytes")
        found = msgspec.convert(tomllib.loads(data.decode()), HttpApi)
    except OSError as error:
        raise TargetError(Fault.SETUP, f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TargetError(Fault.SETUP, f"{path}: is no TOML ({one_line(str(error))})") from None
    except msgspec.ValidationError as error:
        raise TargetError(Fault.SETUP, f"{path}: {key_named(error)}") from None
    _checked(found, path)
    return found


def path_at(text: str, key: str, file: str) -> JsonPath:
    """The path that stands at `key` of the file. Raises TargetError (SETUP)."""
    try:
        return JsonPath(text)
    except BadPath as error:
        raise TargetError(Fault.SETUP, f"{file}: {key}: {error}") from None


def key_named(error: msgspec.ValidationError) -> str:
    """Msgspec's message with the key in front, as TOML writes it."""
    words, _, place = str(error).partition(" - at `")
    key = place.rstrip("`").removeprefix("$").removeprefix(".")
    return f"{key}: {words}" if key else words


def _checked(api: HttpApi, file: str) -> None:
    """What the types cannot say."""
    if api.session.kind == "answer" and not api.session.path:
        raise TargetError(Fault.SETUP, f"{file}: session.path: name where the answer gives the conversation's id")
    if api.auth is not None and api.auth.kind == "basic" and not api.auth.user_env:
        raise TargetError(Fault.SETUP, f"{file}: auth.user-env: name the environment variable with the user")
    for place, when in enumerate(api.blocked.when):
        if when.equals is msgspec.UNSET and not when.contains:
            raise TargetError(Fault.SETUP, f"{file}: blocked.when[{place}]: needs `equals` or `contains`")
    if api.encoding == "form" and type(api.body) not in {dict, type(None)}:
        raise TargetError(Fault.SETUP, f"{file}: body: a form needs a table")
    if api.method == "GET" and api.body is not None:
        raise TargetError(Fault.SETUP, f"{file}: body: a GET has none; put the values into [query]")
