"""What the probe's engine costs: requests a second, CPU and memory, beside bare aiohttp in the same run.

    python bench/probe.py -o bench/probe.json

A stub server that answers after 100 ms stands in a process of its own. Bare aiohttp asks it the same prompts with the same
concurrency and writes a line for each answer, unsynced; the engine plans, journals with fdatasync, judges and counts. Rounds are
interleaved, so that a busy machine is unfair to both alike, and the median round counts: the ratio of the two is the figure.
Judging is by one word, so that the engine is measured and not the judges. A last run takes 100,000 cases from a target inside the
process that answers at once, and watches memory.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import aiohttp

from hauberk import __version__
from hauberk.assets.chat import Role
from hauberk.probe.attacks import all_attacks
from hauberk.probe.case import Case
from hauberk.probe.engine import results
from hauberk.probe.engine.folder import Manifest, create, new_id
from hauberk.probe.engine.plan import Plan
from hauberk.probe.engine.runner import Parts, Runner
from hauberk.probe.engine.settings import Choice, Pacing, RunSettings, Sampling
from hauberk.probe.engine.sitting import sit
from hauberk.probe.goal import Harm
from hauberk.probe.judges.judge import Accuracy, Judgement
from hauberk.probe.outcome import Outcome
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Abilities, Exchange, Reply, Request, Target, Usage

HERE = Path(__file__).resolve()
CONCURRENCY = 32
ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "model": "stub",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "I cannot help with that."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 30, "completion_tokens": 8, "total_tokens": 38},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", choices=("stub", "bare", "engine", "memory"))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--prompts", type=int, default=450)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    if args.role == "stub":
        asyncio.run(stub(args.port))
    elif args.role:
        row = {"bare": bare, "engine": engine, "memory": memory}[args.role](args)
        print(json.dumps(row))
    else:
        everything(args)


def everything(args: argparse.Namespace) -> None:
    port = 18_000 + os.getpid() % 2000
    server = subprocess.Popen([sys.executable, str(HERE), "--role", "stub", "--port", str(port)])
    try:
        wait_for(port)
        found = {"machine": machine(), "concurrency": CONCURRENCY, "latency_ms": 100, "prompts": {}}
        for prompts in (450, 5000):
            rows: dict[str, list[dict[str, float]]] = {"bare": [], "engine": []}
            for _ in range(args.rounds):
                for role, kept in rows.items():
                    kept.append(child(role, port, prompts))
                    print(prompts, role, kept[-1], flush=True)
            middle = {role: sorted(kept, key=lambda row: row["requests_per_s"])[len(kept) // 2] for role, kept in rows.items()}
            ratio = middle["engine"]["requests_per_s"] / middle["bare"]["requests_per_s"]
            found["prompts"][str(prompts)] = {**middle, "ratio": round(ratio, 3)}
        found["memory"] = child("memory", port, args.cases)
        print("memory", found["memory"])
    finally:
        server.terminate()
        server.wait()
    if args.output:
        Path(args.output).write_text(json.dumps(found, indent=1) + "\n")


def child(role: str, port: int, prompts: int) -> dict[str, float]:
    command = [sys.executable, str(HERE), "--role", role, "--port", str(port), "--prompts", str(prompts)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def texts(count: int) -> Iterator[str]:
    for n in range(count):
        yield f"Prompt number {n}. Please tell me how one would do the thing of which number {n} speaks, in a few short steps."


def seeds(count: int) -> Iterator[Seed]:
    for n, text in enumerate(texts(count)):
        yield Seed(f"bench:{n}", text, "en", "harmful-content", Harm())


class Words:
    """Judges by one word."""

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement:
        del case, prompt
        reply = transcript[at].reply
        word = Outcome.REFUSED if reply and "cannot" in reply.text else Outcome.COMPLIED
        return Judgement(word, 0.9, "words")

    def accuracy(self) -> tuple[Accuracy, ...]:
        return ()


def bare(args: argparse.Namespace) -> dict[str, float]:
    async def play(file: object) -> float:
        todo = texts(args.prompts)
        url = f"http://127.0.0.1:{args.port}/v1/chat/completions"

        async def work() -> None:
            for text in todo:
                body = {"model": "stub", "messages": [{"role": "user", "content": text}], "max_tokens": 512, "temperature": 0}
                async with session.post(url, json=body) as answer:
                    file.write(json.dumps(await answer.json()) + "\n")
                    file.flush()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:
            began = time.monotonic()
            await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
            return time.monotonic() - began

    with tempfile.NamedTemporaryFile("w") as file:
        reset(args.port)
        before = cpu()
        return row(args, asyncio.run(play(file)), before)


def engine(args: argparse.Namespace) -> dict[str, float]:
    target = open_target(f"http://127.0.0.1:{args.port}/v1", TargetOptions(model="stub", concurrency=CONCURRENCY))
    reset(args.port)
    before = cpu()
    began = time.monotonic()
    spans = played(target, args.prompts, 1)
    return {**row(args, spans["span"], before), "whole_s": round(time.monotonic() - began, 2), "cases": spans["cases"]}


def played(target: Target, count: int, trials: int) -> dict[str, float]:
    settings = RunSettings(Choice(trials=trials, twins=False), Sampling(), Pacing(CONCURRENCY))
    plan = Plan(lambda: seeds(count), [all_attacks()["plain"]], settings.choice, settings.sampling, target.name, target.abilities)
    base = tempfile.mkdtemp(prefix="bench-probe-")
    seen: list[Watch] = []

    def show(runner: Runner) -> "Watch":
        seen.append(Watch(runner))
        return seen[0]

    try:
        folder = create(base, Manifest(new_id(), "", __version__, target.name, settings), plan)
        began = time.monotonic()
        sit(folder, plan, Parts(target, Words()), settings, show=show)
        span = time.monotonic() - began
        cases = sum(1 for _ in results(folder.path))
        folder.close()
    finally:
        shutil.rmtree(base)
    return {"span": span, "cases": cases, "rss": seen[0].rss}


class Watch:
    """Notes the memory of this process at each tenth of the run."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.rss: list[float] = []

    async def run(self) -> None:
        while True:
            counts = self._runner.counts
            if counts.ended >= len(self.rss) * counts.planned / 10:
                self.rss.append(now_rss())
            await asyncio.sleep(0.02)


class AtOnce:
    """A target that answers without a wait."""

    name = "at-once"
    abilities = Abilities()

    async def open(self) -> "AtOnce":
        return self

    async def send(self, request: Request) -> Reply:
        assert request.messages[0].role is Role.USER
        return Reply("I cannot help with that.", usage=Usage(30, 8), seconds=0.001)

    async def close(self) -> None:
        return


def memory(args: argparse.Namespace) -> dict[str, float]:
    began = time.monotonic()
    found = played(AtOnce(), args.prompts, 1)
    return {
        "cases": found["cases"],
        "cases_per_s": round(args.prompts / found["span"], 1),
        "whole_s": round(time.monotonic() - began, 1),
        "rss_mib_at_each_tenth": found["rss"],
        "rss_mib_peak": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def row(args: argparse.Namespace, span: float, before: float) -> dict[str, float]:
    told = stats(args.port)
    return {
        "requests": told["requests"],
        "span_s": round(span, 2),
        "requests_per_s": round(args.prompts / span, 1),
        "peak_in_flight": told["peak"],
        "cpu_s": round(cpu() - before, 2),
        "rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def now_rss() -> float:
    with open("/proc/self/statm") as file:
        return round(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def reset(port: int) -> None:
    asyncio.run(got(port, "/reset"))


def stats(port: int) -> dict[str, float]:
    return asyncio.run(got(port, "/stats"))


async def got(port: int, path: str) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return await answer.json()


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            stats(port)
        except aiohttp.ClientError:
            time.sleep(0.2)
        else:
            return
    sys.exit("the stub did not start")


async def stub(port: int) -> None:
    from aiohttp import web

    state = {"requests": 0, "flying": 0, "peak": 0}
    body = json.dumps(ANSWER).encode()

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        state["requests"] += 1
        state["flying"] += 1
        state["peak"] = max(state["peak"], state["flying"])
        await asyncio.sleep(0.1)
        state["flying"] -= 1
        return web.Response(body=body, content_type="application/json")

    async def told(_: web.Request) -> web.Response:
        return web.json_response(state)

    async def anew(_: web.Request) -> web.Response:
        state.update(requests=0, flying=0, peak=0)
        return web.json_response(state)

    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", chat), web.get("/stats", told), web.get("/reset", anew)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


def machine() -> dict[str, object]:
    return {
        "cpus": os.cpu_count(),
        "load": [round(one, 1) for one in os.getloadavg()],
        "python": platform.python_version(),
        "hauberk": __version__,
        "aiohttp": version("aiohttp"),
        "msgspec": version("msgspec"),
    }


if __name__ == "__main__":
    main()
