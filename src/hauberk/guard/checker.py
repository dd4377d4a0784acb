"""Holds every rule and the policy against one message. Synchronous and thread-safe; the gateway and the API share it."""

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, cast

import msgspec

from hauberk.assets.chat import Context, Direction, MessageContent, Role, ToolCall, message_asset
from hauberk.core import Action, Confidence, Finding, Gap, GapReason, Kind, Rule, Severity, Verdict
from hauberk.detect import Bench
from hauberk.guard.redact import Masker, redacted
from hauberk.policy.default_messages import DEFAULT_MESSAGE_POLICY
from hauberk.policy.messages import MessagePolicy, Ruling, rulings, verdict_of

if TYPE_CHECKING:
    from hauberk.detect.learnt import Learnt
    from hauberk.detect.prompt import PromptJudge

MOST_REMEMBERED = 20_000  # verdicts; conversations are sent again whole with every turn
LONGEST_REMEMBERED = 64 << 10  # characters: the text's hash is kept, never the text
_STAGES = ("none", "linear", "encoder", "judge")
_LIKELY = 0.5  # score from which a message is called what it most looks like, whatever the policy's threshold
_CERTAIN = 0.99  # score of a message that a precise rule names
_ATTACKS = frozenset(
    ("prompt-injection", "jailbreak", "system-prompt-leakage", "tool-poisoning", "context-poisoning", "harmful-content")
)


class _Judgement(msgspec.Struct, frozen=True):
    """What the models say of a message, before any of them has."""

    score: float = 0.0
    stage: int = 0
    risk: str = ""
    category: str = ""


class Checked(msgspec.Struct, frozen=True):
    """What was found in one message and what the policy makes of it.

    `score`: calibrated probability (0..1) that somebody steers the model or asks for harm; `stage`: what settled it
    (`rule`, `linear`, `encoder`, `judge`, `none`).
    """

    rulings: tuple[Ruling, ...]
    verdict: Verdict
    score: float
    stage: str
    risk: str = ""  # of the strictest finding, or of the highest score; "" when there is neither
    category: str = ""  # of harm, a key of the taxonomy's TC260 list; "" as `risk`

    @property
    def action(self) -> Action:
        """What is to be done."""
        return self.verdict.action


class Checker:
    """Rules, models and policy, compiled once."""

    def __init__(
        self,
        rules: Iterable[Rule] | None = None,
        policy: MessagePolicy = DEFAULT_MESSAGE_POLICY,
        judge: "PromptJudge | None" = None,
        learnt: "Learnt | None" = None,
    ) -> None:
        """Compiles the rules.

        Args:
            rules: Those of this installation when None; only those that read messages are kept.
            policy: What is done with what they find.
            judge: Asked in place of the shipped models alone: with a third stage, for instance.
            learnt: What was learnt of attacks that got through; its detector and its rules are held against messages too.
        """
        self.judge = judge
        self.learnt = learnt
        given = (*(_own() if rules is None else rules), *(_learnt_rules(learnt) if learnt is not None else ()))
        kept = [rule for rule in given if Kind.MESSAGE in rule.reads]
        self.policy = policy
        self.bench = Bench(kept)
        self.bench.compile_all()
        self._heads = {rule.id: str(rule.match["head"]) for rule in kept if rule.engine == "classifier"}
        self._rules = kept
        self._benches: dict[frozenset[str], Bench] = {}
        self._leak_rules = [rule for rule in kept if rule.engine == "leak"]
        self._known: OrderedDict[bytes, Checked] = OrderedDict()
        self._lock = Lock()

    @property
    def rule_ids(self) -> frozenset[str]:
        """Of the rules that it holds against messages."""
        return frozenset(rule.id for rule in self._rules)

    def check(self, message: MessageContent, uri: str = "message:") -> Checked:
        """What the rules and the policy say of `message`."""
        key = self._key(message)
        if key:
            with self._lock:
                known = self._known.get(key)
                if known is not None:
                    self._known.move_to_end(key)
                    return known
        made = self._judged(message, uri)
        if key and not _passing(made.verdict.gaps):
            with self._lock:
                self._known[key] = made
                if len(self._known) > MOST_REMEMBERED:
                    self._known.popitem(last=False)
        return made

    def check_text(
        self,
        text: str,
        role: Role = Role.USER,
        *,
        direction: Direction = Direction.INPUT,
        context: Context | None = None,
        call: ToolCall | None = None,
    ) -> Checked:
        """As `check`, of a plain text."""
        return self.check(MessageContent(text, role, direction, context or Context(), call))

    def ruled(self, message: MessageContent, items: Iterable[Finding | Gap]) -> tuple[Ruling, ...]:
        """What the policy says of findings and gaps that did not come from the rules."""
        return rulings(self.policy, message, items, self.threshold)

    def passed_on(self, message: MessageContent, checked: Checked) -> str | None:
        """The text as the policy would pass it on; None when it would not."""
        if checked.action >= Action.ASK:
            return None
        return redacted(message, checked.rulings, Masker()) if checked.action is Action.REDACT else message.text

    def bench_of(self, risks: Iterable[str]) -> Bench:
        """A bench of the rules of these risks only, for what looks at a text again and again."""
        key = frozenset(risks)
        bench = self._benches.get(key)
        if bench is None:
            bench = self._benches[key] = Bench(rule for rule in self._rules if rule.risk in key)
            bench.compile_all()
        return bench

    def leak_rules(self, kind: str) -> tuple[Rule, ...]:
        """The rules on leaks of the operator's prompt of this kind (`canary`, `overlap`, `quote`)."""
        return tuple(rule for rule in self._leak_rules if kind in cast("list[str]", rule.match["kinds"]))

    def threshold(self, rule: str, rate: float) -> float:
        """The score from which `rule` counts at a false-alarm rate; 0 for rules that give no score."""
        if self.learnt is not None and rule == "learnt-attack":
            return self.learnt.threshold(rate)
        head = self._heads.get(rule)
        if head is None:
            return 0.0
        from hauberk.detect.prompt.rates import threshold

        return threshold(head, rate)

    def _judged(self, message: MessageContent, uri: str) -> Checked:
        if self.judge is not None:
            message.once("judge", lambda: self.judge)
        if self.learnt is not None:
            message.once("learnt", lambda: self.learnt)
        items = tuple(self.bench.inspect(message_asset(message, uri)))
        made = rulings(self.policy, message, items, self.threshold)
        return _checked(message, made)

    def _key(self, message: MessageContent) -> bytes:
        """Only input is remembered: what an answer is judged by lies around it."""
        if message.direction is not Direction.INPUT or message.call or len(message.text) > LONGEST_REMEMBERED:
            return b""
        return blake2b(message.data, digest_size=16, person=message.role.value.encode()[:16]).digest()


def _own() -> tuple[Rule, ...]:
    from hauberk.rules.load import load_pack

    return load_pack().rules


def _learnt_rules(learnt: "Learnt") -> tuple[Rule, ...]:
    """The learnt detector's own rule, and the proposed ones that were approved."""
    from hauberk.detect.learnt.rule import LEARNT_ATTACK

    return (LEARNT_ATTACK, *learnt.rules)


def _passing(gaps: Iterable[Gap]) -> bool:
    """Whether a gap may be gone the next time."""
    return any(gap.reason in {GapReason.DETECTOR_ERROR, GapReason.TIMEOUT, GapReason.UNDECIDED} for gap in gaps)


def _checked(message: MessageContent, made: tuple[Ruling, ...]) -> Checked:
    judged = _judgement(message)
    score, stage, risk, category = judged.score, _STAGES[judged.stage], judged.risk, judged.category
    findings = [ruling for ruling in made if isinstance(ruling.item, Finding)]
    named = [r.item for r in findings if isinstance(r.item, Finding) and _precise(r.item)]
    if named and score < _CERTAIN:
        score, stage, risk = _CERTAIN, "rule", named[0].risk
    strictest = max(findings, key=lambda r: r.act.action, default=None)
    if strictest and (strictest.act.action >= Action.REDACT or score < _LIKELY) and isinstance(strictest.item, Finding):
        risk = strictest.item.risk
    elif score < _LIKELY:
        risk = ""  # the likeliest of all names even what is nothing
    if not risk:
        category = ""
    return Checked(made, verdict_of(made), score, stage, risk, category)


def _judgement(message: MessageContent) -> _Judgement:
    """What the models said, if a rule asked them."""
    return message.once("judgement", _Judgement)


def _precise(finding: Finding) -> bool:
    """Whether a rule without a score names an attack for certain."""
    return (
        finding.risk in _ATTACKS
        and finding.severity.rank >= Severity.HIGH.rank
        and finding.confidence is Confidence.HIGH
        and all(piece.score is None for piece in finding.evidence)
    )
