"""A small client of the chat API: keeps the conversation, streams the answer, says what the gateway said of it."""

import http.client
import os
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

LONGEST_EVENT = 1 << 20


class GatewayError(Exception):
    """The gateway cannot be reached or does not speak as it should."""


class ChatClient:
    """One conversation. `notice` is what there is to say beside the last answer."""

    def __init__(self, base_url: str, model: str, key_env: str = "", max_tokens: int = 512) -> None:
        """Raises GatewayError when `base_url` is no http address, or the variable `key_env` holds no key."""
        try:
            parts = urlsplit(base_url)
            self._port = parts.port
        except ValueError as error:
            raise GatewayError(f"{base_url!r} is no http address: {error}") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise GatewayError(f"{base_url!r} is no http address; write for example http://127.0.0.1:8040/v1")
        self._parts = parts
        self._model = model
        self._key = _key_in(key_env) if key_env else "none"
        self._max_tokens = max_tokens
        self._answered = 0  # messages of the turns that were answered
        self.messages: list[dict[str, Any]] = []
        self.notice = ""

    def say(self, line: str) -> str | None:
        """Adds what was typed to the conversation; its role, or None when nothing is to be sent."""
        word, _, rest = line.partition(" ")
        self._answered = len(self.messages)
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
        said: list[str] = []
        try:
            for piece in self._asked():
                said.append(piece)
                yield piece
        finally:
            if said:
                self.messages.append({"role": "assistant", "content": "".join(said)})
            else:
                del self.messages[self._answered :]

    def _asked(self) -> Iterator[str]:
        self.notice = ""
        body = {"model": self._model, "messages": self.messages, "stream": True, "max_tokens": self._max_tokens}
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._port, timeout=600)
        try:
            connection.request(
                "POST",
                f"{self._parts.path.rstrip('/')}/chat/completions",
                msgspec.json.encode(body),
                {"content-type": "application/json", "authorization": f"Bearer {self._key}"},
            )
            response = connection.getresponse()
            if response.status == 200:
                yield from self._events(response)
            else:
                self._refused(response)
        except (OSError, http.client.HTTPException) as error:
            raise GatewayError(f"the gateway does not answer: {error}") from error
        finally:
            connection.close()

    def _events(self, response: http.client.HTTPResponse) -> Iterator[str]:
        while line := response.readline(LONGEST_EVENT):
            if not line.startswith(b"data:") or line[5:].strip() == b"[DONE]":
                continue
            try:
                event = msgspec.json.decode(line[5:])
            except msgspec.DecodeError as error:
                raise GatewayError(f"the gateway sent an event that is no JSON: {error}") from error
            if type(event) is not dict:
                raise GatewayError("the gateway sent an event that is no JSON object")
            if "error" in event:
                self.notice = _words(event["error"])
                return
            yield from _texts(cast("dict[str, Any]", event))

    def _refused(self, response: http.client.HTTPResponse) -> None:
        try:
            error = msgspec.json.decode(response.read(LONGEST_EVENT))["error"]
        except (msgspec.DecodeError, KeyError, TypeError):
            error = f"the gateway answered {response.status}"
        self.notice = _words(error)


def _key_in(variable: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise GatewayError(f"the variable {variable!r} is not set, or holds what no key is")
    return key


def _texts(event: dict[str, Any]) -> Iterator[str]:
    for choice in event.get("choices") or ():
        delta: dict[str, Any] = choice.get("delta") or {}
        if text := delta.get("content"):
            yield str(text)


def _words(error: Any) -> str:
    """An error as one line. Upstreams' own, which a gateway passes on, may be a mere text."""
    if not isinstance(error, dict):
        return f"[error] {error}"
    told = cast("dict[str, Any]", error)
    return f"[{told.get('code') or told.get('type') or 'error'}] {told.get('message', '')}"
