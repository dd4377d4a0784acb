"""Script: an attack as data. What one YAML file of `data/` says."""

import msgspec

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.carrier import Carrier, Line
from hauberk.probe.attacks.fill import places

MAX_TURNS = 12
MAX_TEXT = 20_000
_ASKING = frozenset({
    Family.PLAIN, Family.JAILBREAK, Family.ENCODING, Family.TRANSLATION, Family.CHINESE, Family.MULTI_TURN,
})  # fmt: skip
"""Families that are there to get an answer to the seed's request."""


class Script(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """An attack as data.

    Attributes:
        name: Lower-case words joined by hyphens.
        source: Paper, standard or public description of the method.
        text: The one message that is sent, `{request}` where the request goes, `{words}` where what it is about is named.
            A text without `{request}` is for goals that need none: to get at a system prompt, say.
        turns: Messages that are sent one after the other, each when the one before has its answer, in place of `text`.
        history: Messages that are sent before the first as if they had been said.
        system: What is added to the seed's system prompt.
        prefill: The beginning of the answer, for targets that go on from one.
        document: Foreign content with `{payload}` where the order is planted (indirect injection).
        order: How the planted order is put, with `{request}`.
        task: What the user asks for about the document.
        transforms: Disguises that the request goes through first, in this order.
        goals: The goals that it is for, where they are other than its family's: `harm`, `unsafe`, `unsafe:xss` ...
        max_tokens: Bound of an answer, where the attack needs a longer one than the run's.
    """

    name: str
    family: Family
    title: Text
    source: str
    text: Carrier | None = None
    turns: tuple[Carrier, ...] = ()
    history: tuple[Line, ...] = ()
    system: Carrier | None = None
    prefill: Carrier | None = None
    document: Carrier | None = None
    order: Carrier | None = None
    task: Carrier | None = None
    transforms: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    max_tokens: int | None = None

    @property
    def planted(self) -> bool:
        """Whether its order stands in foreign content."""
        return self.family is Family.INDIRECT

    @property
    def messages(self) -> tuple[Carrier, ...]:
        """What is sent, turn by turn."""
        return self.turns or ((self.text,) if self.text else ())


def faults(script: Script) -> list[str]:
    """What is wrong with `script`, a line each; empty when it can be played."""
    found: list[str] = []
    words = [*script.messages, script.system, script.prefill, script.document, script.order, script.task, *script.history]
    if any(len(c.en) > MAX_TEXT or len(c.zh) > MAX_TEXT for c in words if c):
        found.append(f"a text is longer than {MAX_TEXT} characters")
    if len(script.turns) > MAX_TURNS:
        found.append(f"more than {MAX_TURNS} turns")
    found += _planted(script) if script.planted else _asked(script)
    return found


def _planted(script: Script) -> list[str]:
    found: list[str] = []
    if script.text or script.turns:
        found.append("an indirect injection has a document, an order or both, and no text or turns")
    if not (script.document or script.order):
        found.append("neither document nor order")
    for carrier, place in ((script.document, "payload"), (script.order, "request")):
        found += [f"{{{place}}} has to stand once in {text[:40]!r}" for text in _texts(carrier) if places(text).count(place) != 1]
    return found


def _asked(script: Script) -> list[str]:
    if bool(script.text) == bool(script.turns):
        return ["either text or turns"]
    if script.document or script.order or script.task:
        return ["document, order and task are for the family indirect-injection"]
    found: list[str] = []
    every = [*script.messages, *script.history, script.system, script.prefill]
    for lang in ("en", "zh"):
        told = [carrier.of(lang) for carrier in every if carrier]
        if any(told) and not all(told):
            found.append(f"some of its texts have no {lang}")
        if sum(places(text).count("request") for text in told) > 1:
            found.append("{request} stands more than once")
    if (
        script.family in _ASKING
        and not script.goals
        and not any({"request", "words"} & {*places(text)} for carrier in every for text in _texts(carrier))
    ):
        found.append("{request} stands nowhere: every seed would be asked the same")
    return found if any(c.en or c.zh for c in script.messages) else [*found, "no text in any language"]


def _texts(carrier: Carrier | Line | None) -> list[str]:
    return [text for text in (carrier.en, carrier.zh) if text] if carrier else []
