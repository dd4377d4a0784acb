"""Requests a second on two cores with every detector on, beside LiteLLM passing through bare, in the same run.

    uv venv /tmp/litellm && uv pip install --python /tmp/litellm/bin/python 'litellm[proxy]'
    python bench/gateway_detectors.py --litellm /tmp/litellm/bin/python -o bench/gateway_detectors.json

Both run two processes in front of the canned upstream of `gateway.py` (the guard's workers share a port; LiteLLM's, whose
supervisor ends workers that take more than 5 s to import, have one each); one client process sends the same requests to
each over 32 connections, whole answers and streams of 20 chunks. Every request has another text, since the guard remembers
its verdict on a text that it has seen. CPU is user and system time of the proxy's whole process tree. Rounds are
interleaved and the median counts. Client and upstream share the machine with the proxies, so that requests a second are a
lower bound for the faster one; the ratio of CPU is free of that.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from gateway import HERE as GATEWAY
from gateway import cpu_of, free_port, machine, raise_files, read_response, start, versions

HERE = Path(__file__).resolve()
NOTES = (
    "The allotment society met in the village hall on a wet Tuesday evening, with nineteen members present and four excused. "
    "The treasurer reported that the new water tank had cost somewhat less than was feared, because the neighbouring farm lent "
    "its digger for a weekend; what was saved goes towards repairing the fence along the railway. Two plots have become free, "
    "and eleven families are on the waiting list, so the committee proposes to divide the larger one. After some discussion "
    "about compost, and about whose wheelbarrow it was, the proposal was carried with two abstentions. Mrs Hartley showed "
    "photographs of the bean trial: the runner beans under the net had twice the crop of those without, but the net had to be "
    "mended after every storm. The seed exchange will be held on the second Sunday in March, in the school, since the hall is "
    "taken by the choir. Anybody who can bring a table should tell the secretary beforehand. The beekeepers asked that nobody "
    "mows the strip by the brook before the end of June. Finally the chairman thanked those who had cleared the ditch, and "
    "reminded everyone that the gate must be locked at night, as deer have been seen among the cabbages again this autumn."
)
CONNECTIONS = 32
WORKERS = 2
KINDS = {"json": (False, False), "stream": (True, False), "json, short prompt": (False, True)}
"""Whether the answer is a stream, and whether the prompt is a short question instead of a page of notes."""
_NUMBERS = count(time.time_ns() // 1_000_000)


def main() -> None:
    args = _arguments()
    raise_files()
    if args.role:
        hauberk(args.port, args.to)
        return
    up, port = start([sys.executable, str(GATEWAY), "--role", "upstream"])
    proxies = {"hauberk, detectors on": [sys.executable, str(HERE), "--role", "hauberk", "--to", str(port)]}
    if args.litellm:
        proxies["litellm, bare"] = [args.litellm, "-m", "litellm.proxy.proxy_cli"]
    rows: dict[str, dict[str, list[tuple[float, float]]]] = {name: {kind: [] for kind in KINDS} for name in proxies}
    load_before = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        running: dict[str, Running] = {}
        try:
            for name, command in proxies.items():
                running[name] = launch(command, port, folder)
            for each in running.values():
                asyncio.run(load(each, 4 * CONNECTIONS, stream=False))  # all workers have begun
                asyncio.run(load(each, 2 * CONNECTIONS, stream=True))
            for _ in range(args.rounds):
                for name, each in running.items():
                    number = args.requests if name.startswith("hauberk") else max(CONNECTIONS, args.requests // 10)
                    for kind, (stream, short) in KINDS.items():
                        rows[name][kind].append(measured(each, number, stream=stream, short=short))
        finally:
            for process, _ in (one for each in running.values() for one in each):
                ended(process)
            up.kill()
            up.wait()
    result = {
        "machine": {**machine(), "load_before": load_before, "others": busiest()},
        "versions": versions(proxies),
        "connections": CONNECTIONS,
        "workers": WORKERS,
        "prompt_characters": len(text_of(0, short=False)),
        "short_prompt_characters": len(text_of(0, short=True)),
        "proxies": {name: summary(kinds) for name, kinds in rows.items()},
    }
    text = json.dumps(result, indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", choices=("hauberk",))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--to", type=int, default=0)
    parser.add_argument("--litellm", help="a Python with litellm[proxy]")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output")
    return parser.parse_args()


def summary(kinds: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    return {
        kind: {
            "requests_per_second": round(statistics.median(rate for rate, _ in row), 1),
            "cpu_ms_per_request": round(statistics.median(cpu for _, cpu in row) * 1e3, 3),
        }
        for kind, row in kinds.items()
    }


Running = list[tuple[subprocess.Popen[bytes], int]]


def launch(command: list[str], upstream_port: int, folder: str) -> Running:
    if "--role" in command:
        return [begun(command)]
    config = Path(folder) / "litellm.yaml"
    entry = {"model": "openai/bench", "api_base": f"http://127.0.0.1:{upstream_port}/v1", "api_key": "x"}
    bare = {"dangerously_permit_weak_or_unset_master_key": True}  # no keys here, as on the other side
    models = [{"model_name": "bench", "litellm_params": entry}]
    config.write_text(json.dumps({"model_list": models, "general_settings": bare}))
    return [begun([*command, "--config", str(config)]) for _ in range(WORKERS)]


def begun(command: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """A process in a group of its own, and its port once it listens; LiteLLM takes its time to import."""
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    for _ in range(2400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process, port
        time.sleep(0.1)
    ended(process)
    raise SystemExit(f"{command[:4]} does not listen")


def ended(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def busiest() -> list[str]:
    """What else keeps the machine busy: more than a tenth of a core over its life."""
    out = subprocess.run(["ps", "-eo", "pcpu,ni,comm", "--sort=-pcpu"], capture_output=True, text=True, check=True).stdout
    return [" ".join(line.split()) for line in out.splitlines()[1:9] if float(line.split()[0]) > 10]


def measured(running: Running, number: int, *, stream: bool, short: bool) -> tuple[float, float]:
    """Requests a second, and CPU seconds of the processes and their children for one."""
    before, began = cpu_together(running), time.perf_counter()
    asyncio.run(load(running, number, stream=stream, short=short))
    seconds = time.perf_counter() - began
    return number / seconds, (cpu_together(running) - before) / number


def cpu_together(running: Running) -> float:
    return sum(tree_cpu(process.pid) for process, _ in running)


def tree_cpu(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_of(pid) + sum(tree_cpu(int(child)) for child in children)


def text_of(number: int, *, short: bool) -> str:
    if short:
        return f"What should I think of when I plan a garden party for {number % 900 + 20} guests on day {number} of the year?"
    return f"Could you turn these notes of meeting {number} into three sentences for the newsletter? {NOTES}"


def request_bytes(port: int, number: int, *, stream: bool, short: bool) -> bytes:
    body = {"model": "bench", "messages": [{"role": "user", "content": text_of(number, short=short)}], "stream": stream}
    data = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer sk-x\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def load(running: Running, number: int, *, stream: bool, short: bool = False) -> None:
    left = iter(range(number))

    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request_bytes(port, next(_NUMBERS), stream=stream, short=short))
            await read_response(reader)
        writer.close()

    ports = [port for _, port in running]
    await asyncio.gather(*(work(ports[at % len(ports)]) for at in range(CONNECTIONS)))


def hauberk(port: int, to: int) -> None:
    """The gateway as `hauberk guard serve` makes it, with its default policy and no limit in the way."""
    from hauberk.guard.assembly import Assembly
    from hauberk.guard.gateway.serve import serve
    from hauberk.guard.settings import guard_settings

    table = {
        "listen": f"127.0.0.1:{port}",
        "workers": WORKERS,
        "upstream": [{"name": "up", "base-url": f"http://127.0.0.1:{to}/v1", "models": ["bench"]}],
        "limits": {"source-requests": 100_000_000},
    }
    serve(guard_settings(table), Assembly().make)


if __name__ == "__main__":
    main()
