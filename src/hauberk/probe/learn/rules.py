"""Proposed rules: phrases of one attack as a rule of engine `phrase`, with samples that prove it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import msgspec

from hauberk.assets.quoting import quote
from hauberk.core import Confidence, Kind, Rule, Sample, Severity, Stage
from hauberk.core.rule import SampleMessage, Text
from hauberk.detect.engines.regex import pattern_of
from hauberk.probe.learn import sample as samples_of
from hauberk.probe.learn.masked import pieces
from hauberk.probe.learn.phrases import Usual, is_chinese, pattern, shared
from hauberk.probe.learn.sample import Ordinary

MOST = 200
"""Proposed rules."""
_RISKS = {
    "indirect-injection": "prompt-injection",
    "injection": "prompt-injection",
    "goal-hijack": "prompt-injection",
    "agent-hijack": "prompt-injection",
    "prompt-extraction": "system-prompt-leakage",
}
_AROUND = 60  # bytes


def proposed(samples: Sequence[samples_of.Sample], ordinary: Sequence[Ordinary]) -> Iterator[Rule]:
    """A rule for each attack whose texts share phrases that no ordinary text and no seed has."""
    usual = Usual([*(one.text for one in ordinary), *(one.request for one in samples)])
    groups: dict[tuple[str, str], list[samples_of.Sample]] = {}
    for one in samples:
        groups.setdefault((one.attack, one.voice), []).append(one)
    made = 0
    taken: set[str] = set()
    for (attack, voice), group in sorted(groups.items()):
        phrases = [phrase for chinese in (False, True) for phrase in shared(_in(group, chinese=chinese), usual)]
        name = rule_id(attack, voice)
        if phrases and made < MOST and name not in taken:
            taken.add(name)
            made += 1
            yield _rule(name, attack, voice, group, phrases, ordinary)


def _in(group: Sequence[samples_of.Sample], *, chinese: bool) -> list[samples_of.Sample]:
    return [one for one in group if is_chinese(" ".join(pieces(one.text, one.request))) == chinese]


def rule_id(attack: str, voice: str) -> str:
    """The id of the rule that is proposed for an attack in a voice."""
    slug = re.sub(r"[^a-z0-9]+", "-", attack.lower()).strip("-")[:60] or "attack"
    return f"learnt-{slug}" + ("-foreign" if voice == "foreign" else "")


def yaml_of(rule: Rule) -> str:
    """`rule` as the file it is proposed in."""
    import yaml

    return yaml.safe_dump(_bare(msgspec.to_builtins(rule)), allow_unicode=True, sort_keys=False, width=120)


def _rule(
    name: str, attack: str, voice: str, group: Sequence[samples_of.Sample], phrases: Sequence[str], ordinary: Sequence[Ordinary]
) -> Rule:
    role = "tool" if voice == "foreign" else "user"
    roles = ["tool", "document"] if voice == "foreign" else ["user"]
    seeds = len({one.seed for one in group})
    return Rule(
        id=name,
        title=Text(f"The message uses the words of the attack {attack}", f"该消息使用了攻击 {attack} 的措辞"),
        stage=Stage.APPLICATION,
        risk=_RISKS.get(group[0].family, "jailbreak"),
        reads=(Kind.MESSAGE,),
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        why=Text(
            f"With these words {attack} got through to a model with {seeds} different requests.",
            f"{attack} 曾以这些措辞携带 {seeds} 种不同请求突破防护。",
        ),
        fix=Text("Block or review the message.", "拦截或复核该消息。"),
        engine="phrase",
        match={"any": [pattern(phrase) for phrase in phrases], "roles": roles, "directions": ["input"]},
        samples=tuple(_samples(phrases, group, role, ordinary)),
    )


def _samples(
    phrases: Sequence[str], group: Sequence[samples_of.Sample], role: str, ordinary: Sequence[Ordinary]
) -> Iterator[Sample]:
    message = SampleMessage(role=role)
    for number, context in enumerate(dict.fromkeys(_context(phrase, group) for phrase in phrases), 1):
        yield Sample(f"fires {number}", text=context, message=message)
    chinese = any(map(is_chinese, phrases))
    voice = "foreign" if role == "tool" else "user"
    fitting = (one.text for one in ordinary if one.voice == voice and len(one.text) <= 160 and is_chinese(one.text) == chinese)
    quiet = next(fitting, "请问明天的会议几点开始？" if chinese else "What time does the meeting start tomorrow?")
    yield Sample("quiet 1", text=quiet, hits=0, message=message)


def _context(phrase: str, group: Iterable[samples_of.Sample]) -> str:
    """The phrase as an attack has it, with a little around it and nothing of the seed."""
    compiled = pattern_of(pattern(phrase))
    for one in group:
        for piece in pieces(one.text, one.request):
            data = piece.encode("utf-8", "replace")
            if found := compiled.search(data):
                start, end = found.span()
                near = data[max(0, start - _AROUND) : end + _AROUND].decode("utf-8", "ignore")
                return quote(" ".join(near.split()), 400)
    return phrase


def _bare(value: Any) -> Any:
    """Without what stands for nothing."""
    if isinstance(value, dict):
        kept = {key: _bare(item) for key, item in cast("dict[str, Any]", value).items()}
        return {key: item for key, item in kept.items() if item not in ("", None, {}, []) and (key, item) not in _DEFAULTS}
    return [_bare(item) for item in cast("list[Any]", value)] if isinstance(value, list | tuple) else value


_DEFAULTS = [("path", "sample"), ("output", False)]
