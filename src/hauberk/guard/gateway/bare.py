"""Errors to requests that never became one: whole responses in bytes, in the form OpenAI clients expect."""

from http import HTTPStatus

import msgspec


def bare_error(status: int, code: str, words: str) -> bytes:
    """A response that says `words` and that the connection ends."""
    body = msgspec.json.encode({"error": {"message": words, "type": "invalid_request_error", "param": None, "code": code}})
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body
