"""How a target is reached: what holds for every kind of target."""

import msgspec

from hauberk.probe.targets.target import Fault, TargetError


class TargetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a target and how much of it to take.

    Credentials stand in environment variables only: `api_key_env` names one, and `headers` and `proxy` may hold `${NAME}`, which
    stands for the variable's value.

    Attributes:
        model: The model to ask for; "" takes the only one that the API lists.
        api_key_env: Environment variable with the API key.
        headers: More headers of every request.
        system: The application's system prompt, put before conversations that bring none.
        proxy: URL of an HTTP proxy; "" takes the environment's (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), `none` takes none.
        ca: PEM file with further certificate authorities to trust.
        timeout: Seconds for a whole answer, or of silence in a stream.
        connect_timeout: Seconds for connecting, TLS included.
        max_bytes: Most bytes of one answer, unpacked.
        max_stream_seconds: Most seconds of one streamed answer; it is cut there and kept.
        concurrency: Most requests, or processes, at one time.
        stream: Whether answers are asked for as streams, where the API has them.
        tools: Whether the model takes tools, where the API has them.
        images: Whether the model sees images.
        prefill: Whether the model goes on from an assistant's message at the end.
        tools_from: An MCP server (`mcp:` and its address or command) whose tools the model may call; we carry the calls out.
    """

    model: str = ""
    api_key_env: str = ""
    headers: dict[str, str] = {}
    system: str = ""
    proxy: str = ""
    ca: str = ""
    timeout: float = 120.0
    connect_timeout: float = 10.0
    max_bytes: int = 8 << 20
    max_stream_seconds: float = 120.0
    concurrency: int = 32
    stream: bool = False
    tools: bool = True
    images: bool = False
    prefill: bool = False
    tools_from: str = ""

    def __post_init__(self) -> None:
        """Raises TargetError (SETUP) for a number that bounds nothing."""
        for name in ("timeout", "connect_timeout", "max_bytes", "max_stream_seconds", "concurrency"):
            if not 0 < getattr(self, name) < float("inf"):
                raise TargetError(Fault.SETUP, f"target option {name}: must be more than 0, and finite")
