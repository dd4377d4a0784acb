"""A target of our own for tests: counts every prompt that reaches it. `python stub_target.py PORT_FILE [LATENCY_MS]`.

`GET /stats` gives {prompt: times}, the most requests in flight, and how many there were.
"""

import asyncio
import json
import os
import sys
from collections import Counter

from aiohttp import web

REFUSAL = "I'm sorry, but I can't help with that request."


class Stub:
    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.prompts: Counter[str] = Counter()
        self.flying = self.peak = 0

    async def chat(self, request: web.Request) -> web.Response:
        asked = await request.json()
        said = json.dumps(asked["messages"], ensure_ascii=False)
        self.prompts[said] += 1
        self.flying += 1
        self.peak = max(self.peak, self.flying)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
        finally:
            self.flying -= 1
        message = {"role": "assistant", "content": f"{REFUSAL} ({len(asked['messages'])})"}
        return web.json_response(
            {
                "id": "1",
                "object": "chat.completion",
                "model": "stub",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
            }
        )

    async def models(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"object": "list", "data": [{"id": "stub", "object": "model"}]})

    async def stats(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"prompts": self.prompts, "peak": self.peak, "requests": self.prompts.total()})


async def serve(port_file: str, latency: float) -> None:
    stub = Stub(latency)
    app = web.Application(client_max_size=64 << 20)
    app.add_routes([web.post("/v1/chat/completions", stub.chat), web.get("/v1/models", stub.models), web.get("/stats", stub.stats)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    _told(port_file, port)
    await asyncio.Event().wait()


def _told(port_file: str, port: int) -> None:
    with open(f"{port_file}.tmp", "w") as file:
        file.write(str(port))
    os.replace(f"{port_file}.tmp", port_file)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
