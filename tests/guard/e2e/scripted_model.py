"""A model server that says exactly what a test wants said, in every dialect, whole and as a stream.

A real model cannot be made to leak a given key at a given chunk border, to break off in the middle of a body, or to call a
tool with the very argument that a web page asked for: those are what the guard is for. `test_local_llm.py` has a real one.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

Events = Iterator[tuple[str, dict[str, Any]]]
Raw = Callable[["Handler", dict[str, Any]], None]

USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
REPLIED = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}


class Model:
    """What is said to every request until it is changed."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.reset()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"model": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def reset(self) -> None:
        """Says `good day` and remembers nothing."""
        self.asked.clear()
        self.pieces: tuple[str, ...] = ("good ", "day")
        self.call: tuple[str, dict[str, Any]] | None = None
        self.pause = 0.0  # seconds between two pieces
        self.wait: threading.Event | None = None  # a stream goes on after its first piece when this is set
        self.raw: Raw | None = None

    def says(self, *pieces: str) -> None:
        """The answer, one chunk of a stream for each piece."""
        self.pieces = pieces

    def echoes(self, where: Callable[[dict[str, Any]], str]) -> None:
        """Answers with a piece of the request as it arrived."""

        def echo(handler: "Handler", body: dict[str, Any]) -> None:
            text = where(body)
            handler.answer_with(body, tuple(text[at : at + 7] for at in range(0, len(text), 7)))

        self.raw = echo

    def calls(self, tool: str, **arguments: Any) -> None:
        """A call of a tool in the place of an answer."""
        self.call = (tool, arguments)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        if self.wait is not None:
            self.wait.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: Model

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.model.asked.append(body)
        with contextlib.suppress(OSError):
            if self.model.raw is not None:
                self.model.raw(self, body)
            else:
                self.answer_with(body, self.model.pieces)

    def answer_with(self, body: dict[str, Any], pieces: tuple[str, ...]) -> None:
        kind = self.path.removeprefix("/v1/")
        form = _FORMS[kind]
        call = self.model.call
        if body.get("stream"):
            self.stream(form[1](pieces, call), named=kind in {"messages", "responses"})
        else:
            self.whole(form[0]("".join(pieces), call))

    def whole(self, body: dict[str, Any], status: int = 200, **headers: str) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.head(status, "application/json", **{"content-length": str(len(data))}, **headers)
        self.wfile.write(data)

    def head(self, status: int, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def stream(self, events: Events, *, named: bool) -> None:
        self.head(200, "text/event-stream", **{"transfer-encoding": "chunked"})
        for number, (name, event) in enumerate(events):
            self.chunk((f"event: {name}\n" if named else "").encode() + b"data: " + json.dumps(event).encode() + b"\n\n")
            time.sleep(self.model.pause)
            if number == 1 and self.model.wait is not None:
                self.model.wait.wait(30)
        if not named:
            self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def _chat(text: str, call: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if call is not None:
        function = {"name": call[0], "arguments": json.dumps(call[1], ensure_ascii=False)}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if call else "stop", "logprobs": None}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def _chat_events(pieces: tuple[str, ...], call: tuple[str, dict[str, Any]] | None) -> Events:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}

    def event(delta: dict[str, Any], finish: str | None = None) -> tuple[str, dict[str, Any]]:
        return "", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield event({"role": "assistant", "content": None if call else ""})
    if call is not None:
        written = json.dumps(call[1], ensure_ascii=False)
        function = {"name": call[0], "arguments": ""}
        yield event({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
        for at in range(0, len(written), 5):
            yield event({"tool_calls": [{"index": 0, "function": {"arguments": written[at : at + 5]}}]})
    else:
        yield from (event({"content": piece}) for piece in pieces)
    yield event({}, "tool_calls" if call else "stop")
    yield "", {**head, "choices": [], "usage": USAGE}


def _completion(text: str, call: object) -> dict[str, Any]:
    del call
    choice = {"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}
    return {"id": "c1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def _completion_events(pieces: tuple[str, ...], call: object) -> Events:
    for number, piece in enumerate(pieces, 1):
        event = {**_completion(piece, call), "usage": None}
        event["choices"][0]["finish_reason"] = "stop" if number == len(pieces) else None
        yield "", event


def _response(text: str, call: object) -> dict[str, Any]:
    del call
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "usage": REPLIED}
    return {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [item], **more}


def _response_events(pieces: tuple[str, ...], call: object) -> Events:
    whole = _response("".join(pieces), call)
    item = whole["output"][0]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "output": [], "status": "in_progress", "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": [], "status": "in_progress"}},
        {"type": "response.content_part.added", **place, "part": empty},
        *({"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []} for piece in pieces),
        {"type": "response.output_text.done", **place, "text": "".join(pieces), "logprobs": []},
        {"type": "response.content_part.done", **place, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    yield from ((each["type"], {**each, "sequence_number": number}) for number, each in enumerate(told))


def _message(text: str, call: tuple[str, dict[str, Any]] | None) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": text}
    if call is not None:
        block = {"type": "tool_use", "id": "toolu_1", "name": call[0], "input": call[1]}
    usage = {"input_tokens": 11, "output_tokens": 7}
    stop = {"stop_reason": "tool_use" if call else "end_turn", "stop_sequence": None}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [block], **stop, "usage": usage}


def _message_events(pieces: tuple[str, ...], call: tuple[str, dict[str, Any]] | None) -> Events:
    whole = _message("", call)
    deltas: list[dict[str, Any]] = [{"type": "text_delta", "text": piece} for piece in pieces]
    block = whole["content"][0]
    if call is not None:
        block = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(call[1])}]
    told = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    ]
    yield from ((cast("str", each["type"]), each) for each in told)


def _embedding(text: str, call: object) -> dict[str, Any]:
    del text, call
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}]
    return {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}


_FORMS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[..., Events]]] = {
    "chat/completions": (_chat, _chat_events),
    "completions": (_completion, _completion_events),
    "responses": (_response, _response_events),
    "messages": (_message, _message_events),
    "embeddings": (_embedding, _completion_events),
}
