"""A small client of the chat API: keeps the conversation, streams the answer, says what the gateway said of it."""

import http.client
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import msgspec

LONGEST_EVENT = 1 << 20


class GatewayError(Exception):
    """The gateway cannot be reached or does not speak as it should."""


class ChatClient:
    """One conversation. `notice` is what there is to say beside the last answer."""

    def __init__(self, base_url: str, model: str, key_env: str = "", max_tokens: int = 512) -> None:
        """Raises GatewayError when `base_url` is no http address."""
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise GatewayError(f"{base_url!r} is no http address; write for example http://127.0.0.1:8040/v1")
        self._parts = parts
        self._model = model
        self._key = os.environ.get(key_env, "") if key_env else "none"
        self._max_tokens = max_tokens
        self.messages: list[dict[str, Any]] = []
        self.notice = ""

    def say(self, line: str) -> str | None:
        """Adds what was typed to the conversation; its role, or None when nothing is to be sent."""
        word, _, rest = line.partition(" ")
        if word == "/new":
            self.messages.clear()
            return None
        if word == "/system":
            self.messages[:] = [{"role": "system", "content": rest}, *(m for m in self.messages if m["role"] != "system")]
            return None
        if word == "/tool":
            number = f"call_{len(self.messages)}"
            call = {"id": number, "type": "function", "function": {"name": "lookup", "arguments": "{}"}}
            self.messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            self.messages.append({"role": "tool", "tool_call_id": number, "content": rest})
            return "tool"
        self.messages.append({"role": "user", "content": line})
        return "user"

    def answer(self) -> Iterator[str]:
        """The answer as it comes. What was not answered is taken back out of the conversation. Raises GatewayError."""
        self.notice = ""
        body = {"model": self._model, "messages": self.messages, "stream": True, "max_tokens": self._max_tokens}
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=600)
        said: list[str] = []
        try:
            connection.request(
                "POST",
                f"{self._parts.path.rstrip('/')}/chat/completions",
                msgspec.json.encode(body),
                {"content-type": "application/json", "authorization": f"Bearer {self._key}"},
            )
            response = connection.getresponse()
            if response.status != 200:
                self._refused(response)
                return
            for piece in self._events(response):
                said.append(piece)
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise GatewayError(f"the gateway does not answer: {error}") from error
        finally:
            connection.close()
        self.messages.append({"role": "assistant", "content": "".join(said)})

    def _events(self, response: http.client.HTTPResponse) -> Iterator[str]:
        while line := response.readline(LONGEST_EVENT):
            if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                continue
            try:
                event = msgspec.json.decode(line[5:])
            except msgspec.DecodeError as error:
                raise GatewayError(f"the gateway sent an event that is no JSON: {error}") from error
            if "error" in event:
                self.notice = _words(event["error"])
                return
            yield from _texts(event)

    def _refused(self, response: http.client.HTTPResponse) -> None:
        try:
            error = msgspec.json.decode(response.read(LONGEST_EVENT))["error"]
        except (msgspec.DecodeError, KeyError, TypeError):
            error = {"message": f"the gateway answered {response.status}"}
        self.notice = _words(error)
        self.messages.pop()


def _texts(event: Any) -> Iterator[str]:
    for choice in event.get("choices") or ():
        delta: dict[str, Any] = choice.get("delta") or {}
        if text := delta.get("content"):
            yield str(text)


def _words(error: dict[str, Any]) -> str:
    return f"[{error.get('code') or error.get('type') or 'error'}] {error.get('message', '')}"
