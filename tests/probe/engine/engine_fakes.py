"""Stand-ins for the probe's other rooms, so that the engine is tested alone: attacks, judges, targets, and a counting HTTP stub."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

from hauberk.assets.chat import Role
from hauberk.probe.attacks.attack import Attack, Cost, Family, Talk, Text
from hauberk.probe.case import Case
from hauberk.probe.engine.folder import Manifest, RunFolder, create, new_id, read_manifest
from hauberk.probe.engine.plan import Plan
from hauberk.probe.engine.runner import Parts, Runner
from hauberk.probe.engine.settings import Choice, Limits, Pacing, Prices, RunSettings, Sampling
from hauberk.probe.engine.sitting import Ending, sit
from hauberk.probe.goal import Harm, Help
from hauberk.probe.judges.judge import Accuracy, Judgement
from hauberk.probe.outcome import Outcome
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Exchange, Fault, Message, Reply, Request, TargetError, Usage


class Turns:
    """Asks the seed's text in so many turns, each with a random word, and goes on from the answers."""

    source = "none"

    def __init__(self, turns: int = 1, name: str = "", family: Family = Family.PLAIN, advice: int = 0) -> None:
        self.turns, self.family = turns, family
        self.name = name or f"turns-{turns}"
        self.title = Text(self.name, self.name)
        self.cost = Cost(requests=turns, usual=turns, advice=advice)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        return not seed.image or abilities.images

    async def run(self, seed: Seed, talk: Talk) -> int:
        said: list[Message] = []
        for turn in range(self.turns):
            said.append(Message(Role.USER, f"{seed.text} {self.name} {turn} {talk.rng.randrange(10**6)}"))
            reply = await talk.ask(said)
            said.append(Message(Role.ASSISTANT, reply.text))
        return -1


class Words:
    """Judges by the first word of the answer."""

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement:
        del case, prompt
        reply = transcript[at].reply
        assert reply is not None
        word = reply.text.split(" ")[0]
        known = {"yes": Outcome.COMPLIED, "no": Outcome.REFUSED, "hm": Outcome.INVALID}
        return Judgement(known.get(word, Outcome.REFUSED), 0.9, "words", score=float(word == "yes"))

    def accuracy(self) -> tuple[Accuracy, ...]:
        return ()


Answer = Callable[[Request], Reply | TargetError]


class Scripted:
    """A target in the same process: `answer` says what comes back."""

    def __init__(self, answer: Answer | None = None, delay: float = 0.0, abilities: Abilities | None = None) -> None:
        self.name = "scripted"
        self.abilities = abilities or Abilities()
        self.asked: list[Request] = []
        self.opened = self.closed = self.flying = self.peak = 0
        self._answer = answer or (lambda _: Reply("no", usage=Usage(10, 5)))
        self._delay = delay

    async def open(self) -> "Scripted":
        self.opened += 1
        return self

    async def send(self, request: Request) -> Reply:
        self.asked.append(request)
        self.flying += 1
        self.peak = max(self.peak, self.flying)
        try:
            await asyncio.sleep(self._delay)
        finally:
            self.flying -= 1
        made = self._answer(request)
        if isinstance(made, TargetError):
            raise made
        return made

    async def close(self) -> None:
        self.closed += 1

    def texts(self) -> list[str]:
        return [request.messages[-1].text for request in self.asked]


class OverHttp:
    """The plainest client of the stub."""

    abilities = Abilities()

    def __init__(self, url: str) -> None:
        self.url, self.name = url, "stub"
        self._client: aiohttp.ClientSession | None = None

    async def open(self) -> "OverHttp":
        if self._client is None:
            self._client = aiohttp.ClientSession()
        return self

    async def send(self, request: Request) -> Reply:
        assert self._client is not None
        body = [{"role": message.role.value, "content": message.text} for message in request.messages]
        try:
            async with self._client.post(self.url, json={"messages": body}) as answer:
                return Reply((await answer.json())["text"], usage=Usage(10, 5))
        except aiohttp.ClientError as error:
            raise TargetError(Fault.CONNECT, str(error)) from error

    async def close(self) -> None:
        return


class Target(OverHttp):
    """As above; the engine closes it."""

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def open(self) -> OverHttp:  # a session of its own, whose close does not end the client
        await super().open()
        session = OverHttp(self.url)
        session._client = self._client
        return session


class CountingStub:
    """An HTTP server on a thread of its own that counts each conversation it is asked to go on with."""

    def __init__(self, latency: float) -> None:
        self.prompts: Counter[str] = Counter()
        self.latency = latency
        self.url = ""

    @property
    def requests(self) -> int:
        return self.prompts.total()

    async def answer(self, request: web.Request) -> web.Response:
        self.prompts[json.dumps((await request.json())["messages"])] += 1
        await asyncio.sleep(self.latency)
        return web.json_response({"text": "no, I would rather not"})

    @contextmanager
    def running(self) -> Iterator["CountingStub"]:
        loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def serve() -> None:
            app = web.Application()
            app.router.add_post("/", self.answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            ready.set()
            try:
                await forever.wait()
            finally:
                await runner.cleanup()

        forever = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        ready.wait(20)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(forever.set)
            thread.join(20)
            loop.close()


def harms(count: int, **fields: object) -> list[Seed]:
    return [Seed(f"s:{n}", f"question {n}", "en", "harmful-content", Harm(), **fields) for n in range(count)]


def pairs(count: int) -> list[Seed]:
    made = [Seed(f"s:{n}", f"bad {n}", "en", "harmful-content", Harm(), twin=f"t:{n}") for n in range(count)]
    return made + [Seed(f"t:{n}", f"good {n}", "en", "harmful-content", Help()) for n in range(count)]


def settings(**given: object) -> RunSettings:
    pacing = Pacing(int(given.get("concurrency", 4)), float(given.get("timeout", 20.0)), int(given.get("tries", 3)))
    limits = given.get("limits", Limits())
    choice = Choice(twins=bool(given.get("twins")), trials=int(given.get("trials", 1)))
    return RunSettings(choice, Sampling(max_tokens=int(given.get("max_tokens", 64))), pacing, limits, given.get("prices", Prices()))


def plan_of(
    seeds: Sequence[Seed], attacks: Sequence[Attack], made: RunSettings, target: str = "scripted", attacker: str = ""
) -> Plan:
    return Plan(lambda: iter(seeds), attacks, made.choice, made.sampling, target, Abilities(), attacker)


def begun(base: Path, plan: Plan, made: RunSettings) -> RunFolder:
    return create(str(base), Manifest(id=new_id(), started="2026-01-01T00:00:00Z", tool="0", target="t", settings=made), plan)


def played(
    base: Path,
    seeds: Sequence[Seed],
    attacks: Sequence[Attack],
    target: Scripted,
    made: RunSettings,
    attacker: Scripted | None = None,
) -> tuple[RunFolder, Ending, list[Runner]]:
    """One sitting from the beginning; the runner comes along for a look at its budget and pace."""
    plan = plan_of(seeds, attacks, made, attacker=attacker.name if attacker else "")
    folder = begun(base, plan, made)
    ending, seen = again(folder, plan, target, made, attacker=attacker)
    return folder, ending, seen


def again(
    folder: RunFolder, plan: Plan, target: Scripted, made: RunSettings, *, resend: bool = False, attacker: Scripted | None = None
) -> tuple[Ending, list[Runner]]:
    seen: list[Runner] = []

    class Silent:
        async def run(self) -> None:
            return

    def show(runner: Runner) -> Silent:
        seen.append(runner)
        return Silent()

    return sit(folder, plan, Parts(target, Words(), attacker), made, resend=resend, show=show), seen


KILLED_ATTACKS = (Turns(1), Turns(3))
KILLED_SEEDS = 100


def killed_plan(made: RunSettings) -> Plan:
    return plan_of(harms(KILLED_SEEDS), KILLED_ATTACKS, made, target="stub")


def sitting(path: str, url: str, *, resend: bool = False, file_limit: int = 0) -> None:
    """One sitting in a process of its own, which tests kill."""
    import resource
    import sys

    manifest = read_manifest(path)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    folder = RunFolder(path, manifest)
    ending = sit(folder, killed_plan(manifest.settings), Parts(Target(url), Words()), manifest.settings, resend=resend)
    (Path(path) / "ending").write_text(f"{ending.fatal} {ending.at_once} {ending.why}")
    folder.close()
    sys.exit(130 if ending.at_once else 0)


def until(test: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
