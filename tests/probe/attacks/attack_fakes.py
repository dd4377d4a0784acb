"""A target, an attacker model and a score that say what a test scripts: real models give no answer on demand."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from hauberk.assets.chat import Role, ToolSpec
from hauberk.probe.attacks.attack import Attack, NoHelp
from hauberk.probe.goal import Choice, Fact, Flood, Goal, Harm, Help, Marker, Memorised, Pair, Secret, Unsafe
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Message, Reply

EN = "Explain how to brew a good pot of green tea, and how long the leaves should steep."
ZH = "请问怎样制作一壶好喝的绿茶，茶叶应该泡多长时间？请给出详细步骤。"


class FakeTalk:
    """Records what is asked; `answer` makes the reply, `advice` the attacker model's word (None: there is none)."""

    def __init__(
        self,
        *,
        rng: int = 7,
        answer: Callable[[Sequence[Message]], Reply] = lambda _: Reply("An answer."),
        advice: str | None = "1. First question\n2. Second question\n3. Third question",
        score: Callable[[Reply], float] = lambda _: 0.2,
    ) -> None:
        self.rng = Random(rng)
        self.abilities = Abilities(tools=True, images=True, prefill=True)
        self.sent: list[tuple[Message, ...]] = []
        self.rooms: list[int | None] = []
        self.orders: list[str] = []
        self._answer, self._advice, self._score = answer, advice, score

    async def ask(  # the Protocol's names
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),  # noqa: ARG002
        max_tokens: int | None = None,
    ) -> Reply:
        self.sent.append(tuple(messages))
        self.rooms.append(max_tokens)
        return self._answer(messages)

    async def advise(self, messages: Sequence[Message], max_tokens: int = 512) -> str:  # noqa: ARG002
        self.orders.append(messages[-1].text)
        if self._advice is None:
            raise NoHelp("no attacker model")
        return self._advice

    async def score(self, reply: Reply) -> float:
        return self._score(reply)

    async def restart(self) -> None:
        return None

    def play(self, attack: Attack, seed: Seed) -> int:
        return asyncio.run(attack.run(seed, self))

    @property
    def words(self) -> str:
        """All that we said in the last request; what the target said itself is left out."""
        return "\n".join(message.text for message in self.sent[-1] if message.text != "An answer.")

    @property
    def last(self) -> str:
        """The last user message."""
        return next(message.text for message in reversed(self.sent[-1]) if message.role is Role.USER)


def seed_for(goal: Goal, lang: str = "en", **more: str) -> Seed:
    text = more.pop("text", ZH if lang == "zh" else EN)
    risk = more.pop("risk", "harmful-content")
    return Seed(f"test:{lang}", text, lang, risk, goal, **more)


GOALS: dict[str, Goal] = {
    "harm": Harm(),
    "help": Help(),
    "marker": Marker("KESTREL"),
    "secret": Secret(("kestrel-44",)),
    "fact": Fact(("1912",)),
    "choice": Choice("B", ("A", "B", "C")),
    "pair": Pair("p1", "a"),
    "flood": Flood(3000),
    "unsafe:xss": Unsafe("xss"),
    "unsafe:markdown-exfiltration": Unsafe("markdown-exfiltration"),
    "unsafe:insecure-code": Unsafe("insecure-code"),
    "unsafe:dangerous-command": Unsafe("dangerous-command"),
    "unsafe:package-hallucination": Unsafe("package-hallucination"),
    "unsafe:personal-data": Unsafe("personal-data"),
    "memorised": Memorised("the rest of it"),
}


def seeds_of_every_kind(lang: str) -> list[Seed]:
    """A seed for each goal; one for each risk or place that an attack asks for besides."""
    made = [seed_for(goal, lang) for goal in GOALS.values()]
    made += [seed_for(GOALS["secret"], lang, system="The code is kestrel-44."), seed_for(Harm(), lang, risk="model-extraction")]
    made.append(seed_for(GOALS["marker"], lang, task="Summarise it.", context="A page.\n{payload}\nIts end."))
    return made
