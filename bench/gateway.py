"""What the gateway costs: CPU for each request and stream, memory for each idle stream, beside others in the same run.

    uv venv /tmp/peers && uv pip install --python /tmp/peers/bin/python aiohttp uvicorn uvloop httptools
    uv venv /tmp/litellm && uv pip install --python /tmp/litellm/bin/python 'litellm[proxy]==1.109.*'
    python bench/gateway.py --peers /tmp/peers/bin/python --litellm /tmp/litellm/bin/python -o bench/gateway.json

Every proxy stands alone in a process in front of the same canned upstream; the load comes from a third process. CPU is
user and system time of the proxy's process tree. Rounds are interleaved, so that a busy machine is unfair to all alike;
the median round counts.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve()
PROMPT = "Please summarise the following notes in three sentences. " * 35
WORDS = [f"word{i} and " for i in range(20)]
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "bench",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 420, "completion_tokens": 60, "total_tokens": 480},
}


def main() -> None:
    args = _arguments()
    raise_files()
    if args.role:
        {"upstream": upstream, "hauberk": hauberk, "aiohttp": aiohttp_proxy}[args.role](args.port, args.to)
        return
    result = {"machine": machine(), "versions": {}, "proxies": {}}
    up, port = start([sys.executable, str(HERE), "--role", "upstream"])
    rows: dict[str, dict[str, list[float]]] = {}
    proxies = {"hauberk": [sys.executable, str(HERE), "--role", "hauberk", "--to", str(port)]}
    if args.peers:
        proxies["aiohttp"] = [args.peers, str(HERE), "--role", "aiohttp", "--to", str(port)]
    if args.litellm:
        proxies["litellm"] = [args.litellm, "-m", "litellm.proxy.proxy_cli"]
    with tempfile.TemporaryDirectory() as folder:
        running = {name: launch(name, command, port, folder) for name, command in proxies.items()}
        try:
            for _ in range(args.rounds):
                for name, (process, at) in running.items():
                    share = 50 if name == "litellm" else 1
                    row = rows.setdefault(name, {"json": [], "stream": []})
                    row["json"].append(cost(process.pid, at, max(20, args.requests // share), stream=False))
                    row["stream"].append(cost(process.pid, at, max(20, args.streams // share), stream=True))
            for name, (process, at) in running.items():
                count = args.idle if name != "litellm" else min(args.idle, 200)
                measured = {f"cpu_us_per_{kind}": round(statistics.median(row) * 1e6, 1) for kind, row in rows[name].items()}
                result["proxies"][name] = {**measured, "idle_streams": count, "kib_per_idle_stream": idle(process.pid, at, count)}
        finally:
            for process, _ in running.values():
                process.kill()
                process.wait()
            up.kill()
            up.wait()
    result["versions"] = versions(proxies)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", choices=("upstream", "hauberk", "aiohttp"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--to", type=int, default=0)
    parser.add_argument("--peers", help="a Python with aiohttp and uvicorn")
    parser.add_argument("--litellm", help="a Python with litellm[proxy]")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--idle", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output")
    return parser.parse_args()


def machine() -> dict[str, object]:
    return {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count(), "kernel": platform.release()}


def versions(proxies: dict[str, list[str]]) -> dict[str, str]:
    script = "import importlib.metadata as m,sys\nfor n in sys.argv[1:]:\n  try: print(n, m.version(n))\n  except Exception: pass"
    found = {"python": platform.python_version()}
    for command in proxies.values():
        out = subprocess.run(
            [command[0], "-c", script, "hauberk", "uvicorn", "uvloop", "httptools", "aiohttp", "litellm"],
            capture_output=True,
            text=True,
            check=False,
        )
        found.update(dict(line.split(" ", 1) for line in out.stdout.splitlines()))
    return found


# processes


def raise_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def start(command: list[str], port: int = 0, env: dict[str, str] | None = None) -> tuple[subprocess.Popen[bytes], int]:
    """The process and its port, when it listens."""
    port = port or free_port()
    where = command if "--config" in command else [*command, "--port", str(port)]
    process = subprocess.Popen(where, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process, port
        time.sleep(0.1)
    process.kill()
    raise SystemExit(f"{command[:4]} does not listen")


def launch(name: str, command: list[str], upstream_port: int, folder: str) -> tuple[subprocess.Popen[bytes], int]:
    if name != "litellm":
        return start(command)
    config = Path(folder) / "litellm.yaml"
    entry = {"model": "openai/bench", "api_base": f"http://127.0.0.1:{upstream_port}/v1", "api_key": "x"}
    bare = {"dangerously_permit_weak_or_unset_master_key": True}  # no keys, as the others here; later releases ask to be told
    models = [{"model_name": "bench", "litellm_params": entry}]
    config.write_text(json.dumps({"model_list": models, "general_settings": bare}))
    port = free_port()
    return start([*command, "--config", str(config), "--port", str(port)], port)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    """Private and shared resident KiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1])
    return 0


# load


def request_bytes(port: int, *, stream: bool, hang: bool = False) -> bytes:
    body: dict[str, object] = {"model": "bench", "messages": [{"role": "user", "content": PROMPT}], "stream": stream}
    if hang:
        body["seed"] = 7
    data = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer sk-x\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def cost(pid: int, port: int, count: int, *, stream: bool) -> float:
    """CPU seconds of the process for one request."""
    asyncio.run(load(port, min(200, count), stream=stream))
    before = cpu_of(pid)
    asyncio.run(load(port, count, stream=stream))
    return (cpu_of(pid) - before) / count


async def load(port: int, count: int, *, stream: bool, workers: int = 16) -> None:
    left = iter(range(count))
    request = request_bytes(port, stream=stream)

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            await read_response(reader)
        writer.close()

    await asyncio.gather(*(work() for _ in range(workers)))


async def read_response(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"the proxy answered {head[:200]!r}")
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
        return
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
    await reader.readline()


def idle(pid: int, port: int, count: int) -> float:
    """KiB of memory for each stream that has begun and then says nothing."""
    return asyncio.run(_idle(pid, port, count))


async def _idle(pid: int, port: int, count: int) -> float:
    request = request_bytes(port, stream=True, hang=True)
    before = memory_of(pid)
    writers: list[asyncio.StreamWriter] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        writer.write(request)
        await reader.readuntil(b"word1 ")

    for begun in range(0, count, 50):
        await asyncio.gather(*(one() for _ in range(min(50, count - begun))))
    await asyncio.sleep(1)
    grown = memory_of(pid) - before
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(1)
    return round(grown / count, 2)


# roles


def upstream(port: int, _to: int) -> None:
    """Answers from memory, as cheaply as Python can."""
    body = json.dumps(ANSWER).encode()
    whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    events = [framed(event(word)) for word in WORDS] + [framed(event(None) + b"data: [DONE]\n\n") + b"0\r\n\r\n"]

    class Canned(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            self.data = b""

        def data_received(self, data: bytes) -> None:
            self.data += data
            head_bytes, end, rest = self.data.partition(b"\r\n\r\n")
            lower = head_bytes.lower()
            length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]) if b"content-length:" in lower else 0
            if not end or len(rest) < length:
                return
            self.data = b""
            if b'"stream":true' not in rest.replace(b" ", b""):
                self.transport.write(whole)
            elif b'"seed"' in rest:
                self.transport.write(head + events[0] + events[1])
            else:
                asyncio.get_running_loop().create_task(self.stream())

        async def stream(self) -> None:
            self.transport.write(head)
            for part in events:
                self.transport.write(part)
                await asyncio.sleep(0.002)  # so that each event is a packet of its own

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", port, backlog=4096)
        await server.serve_forever()

    asyncio.run(run())


def event(word: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": word} if word else {}, "finish_reason": None if word else "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": [choice]}
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def hauberk(port: int, to: int) -> None:
    from hauberk.guard.gateway.serve import serve
    from hauberk.guard.settings import guard_settings

    upstream_table = {"name": "up", "base-url": f"http://127.0.0.1:{to}/v1", "models": ["bench"], "connections": 10_000}
    table = {"listen": f"127.0.0.1:{port}", "upstream": [{**upstream_table, "idle": 600.0}]}
    serve(guard_settings({**table, "bounds": {"connections-per-source": 20_000}}))


def aiohttp_proxy(port: int, to: int) -> None:
    """The barest proxy: raw ASGI on uvicorn, aiohttp as client, no parsing of anything."""
    import aiohttp
    import uvicorn

    session: list[aiohttp.ClientSession] = []

    async def app(scope: dict, receive: object, send: object) -> None:
        if scope["type"] != "http":
            return
        if not session:
            session.append(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None))
            )
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {"content-type": "application/json"}
        async with session[0].post(f"http://127.0.0.1:{to}{scope['path']}", data=body, headers=headers) as answer:
            kind = answer.headers["content-type"].encode()
            await send({"type": "http.response.start", "status": answer.status, "headers": [(b"content-type", kind)]})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    uvicorn.run(app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error", lifespan="off", ws="none")


if __name__ == "__main__":
    main()
