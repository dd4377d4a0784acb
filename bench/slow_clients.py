"""Slow clients: connections that send a byte now and then, or nothing, held open by the hundred while good requests pass.

    python bench/slow_clients.py --count 600 --seconds 12 -o bench/slow_clients.json
    python bench/slow_clients.py --peers /tmp/peers/bin/python     # beside a bare uvicorn + aiohttp proxy

Three kinds: headers that never end, a body that never ends, and silence. For each, how many were still open at the end,
how long the longest-lived lasted, and how many of the good requests sent meanwhile were answered with 200.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import gateway as bench

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
KINDS = {
    "header": (HEAD, b"X-Slow: a\r\n"),
    "body": (HEAD + b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n", b"a"),
    "silent": (b"", b""),
}
EVERY = 4.0  # seconds between two drops


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--peers", help="a Python with aiohttp and uvicorn")
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    bench.raise_files()
    script = str(bench.HERE)
    up, port = bench.start([sys.executable, script, "--role", "upstream"])
    proxies = {"hauberk": [sys.executable, script, "--role", "hauberk", "--to", str(port)]}
    if args.peers:
        proxies["uvicorn defaults"] = [args.peers, script, "--role", "aiohttp", "--to", str(port)]
    result: dict[str, object] = {"machine": bench.machine(), "count": args.count, "seconds": args.seconds, "proxies": {}}
    for name, command in proxies.items():
        process, at = bench.start(command)
        try:
            found = {kind: asyncio.run(attack(at, kind, args.count, args.seconds)) for kind in KINDS}
        finally:
            process.kill()
            process.wait()
        result["proxies"] = {**result["proxies"], name: found}
    up.kill()
    up.wait()
    result["versions"] = bench.versions(proxies)
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")


async def attack(port: int, kind: str, count: int, seconds: float) -> dict[str, object]:
    """Opens `count` slow connections and asks good questions until `seconds` have passed."""
    first, drop = KINDS[kind]
    lives: list[float] = []
    end = time.monotonic() + seconds

    async def slow() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.monotonic()
        writer.write(first)
        dripping = asyncio.ensure_future(drip(writer, drop))
        try:
            async with asyncio.timeout(max(0.1, end - time.monotonic())):
                while await reader.read(4096):
                    pass
            lives.append(time.monotonic() - began)
        except TimeoutError:
            pass
        except OSError:
            lives.append(time.monotonic() - began)
        finally:
            dripping.cancel()
            writer.transport.abort()

    tasks = [asyncio.ensure_future(slow()) for _ in range(count)]
    good, asked = 0, 0
    while time.monotonic() < end:
        asked += 1
        good += await answered(port)
        await asyncio.sleep(0.25)
    await asyncio.gather(*tasks)
    return {
        "still_open": count - len(lives),
        "longest_seconds": round(max(lives, default=0.0), 1),
        "good_requests": asked,
        "answered": good,
    }


async def drip(writer: asyncio.StreamWriter, drop: bytes) -> None:
    while drop:
        await asyncio.sleep(EVERY)
        writer.write(drop)


async def answered(port: int) -> bool:
    """Whether a good request gets a 200 within two seconds."""
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(bench.request_bytes(port, stream=False))
            head = await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()
            return b" 200 " in head.split(b"\r\n", 1)[0]
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False


if __name__ == "__main__":
    main()
