"""An application to be probed as Python functions."""

import asyncio
import sys
import time
from typing import Any

from hauberk.assets.chat import ToolCall
from hauberk.probe.targets.target import Reply, Request, Step


def plain(prompt: str) -> str:
    return f"You said {prompt}"


async def later(prompt: str) -> str:
    await asyncio.sleep(0.01)
    return f"Later {prompt}"


def whole(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"text": " | ".join(f"{message['role']}={message['content']}" for message in messages), "finish": "stop"}


def structured(request: Request) -> Reply:
    return Reply("done", steps=(Step(ToolCall("pay", "{}"), f"{len(request.messages)}"),))


def shapes(prompt: str) -> object:
    return {
        "openai": {"choices": [{"message": {"content": "like OpenAI"}}]},
        "blocked": {"blocked": "our own filter"},
        "steps": {"answer": "ok", "steps": [{"call": {"name": "pay", "arguments": "{}"}, "result": "paid"}]},
        "none": None,
        "number": 7,
        "empty": {},
        "wrong": {"text": 7},
        "filtered": {"error": {"code": "content_filter", "message": "no"}},
        "broken": {"error": {"message": "model is gone"}},
        "huge": "x" * 100_000,
    }[prompt]


def hangs(prompt: str) -> str:
    time.sleep(3)
    return prompt


async def waits(prompt: str) -> str:
    await asyncio.sleep(30)
    return prompt


def raises(prompt: str) -> str:
    raise ValueError(f"two\nlines {prompt}")


def leaves(prompt: str) -> str:
    sys.exit(3)


def two(a: str, b: str) -> str:
    return a + b


def none() -> str:
    return ""


NOT_A_FUNCTION = 7


class App:
    def __call__(self, prompt: str) -> str:
        return f"app {prompt}"


app = App()
