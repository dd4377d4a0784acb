"""A written policy decides: what it does not allow stays pending for a person."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec

from hauberk.core import Rule
from hauberk.detect.engines.regex import pattern_of
from hauberk.probe.learn.decisions import Decision, How, now
from hauberk.probe.learn.errors import LearnError
from hauberk.probe.learn.near import alike, shingles
from hauberk.probe.learn.proposal import Proposal
from hauberk.probe.learn.rules import rule_id
from hauberk.probe.learn.sample import Ordinary, Sample

EXACT = frozenset({"marker", "secret", "call", "flood", "memorised", "unsafe"})
"""Judges that check facts and do not read a stance."""
LARGEST = 64 << 10
_LIKE_ORDINARY = 0.8


class ApprovalPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[approve]` of the policy's file.

    Attributes:
        by: Who stands for it; goes into the record.
        min_confidence: Least that the judge of a sample must have.
        exact_only: Only samples whose judge checks facts (`EXACT`).
        families, attacks: Only these; empty takes all.
        most: Samples at most.
        most_each: Samples of one attack at most.
        rules: Whether proposed rules may be approved; only those whose attack has an approved sample are.
    """

    by: str
    min_confidence: float = 0.9
    exact_only: bool = True
    families: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    most: int = 500
    most_each: int = 50
    rules: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    approve: ApprovalPolicy


def read_policy(path: str) -> tuple[ApprovalPolicy, str]:
    """The policy at `path`, and its digest. Raises LearnError."""
    try:
        data = Path(path).read_bytes()
        if len(data) > LARGEST:
            raise LearnError(f"{path}: larger than {LARGEST >> 10} KiB")
        policy = msgspec.toml.decode(data, type=_File).approve
    except OSError as error:
        raise LearnError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LearnError(f"{path}: {error}; see docs/probe-learn.md") from error
    if not policy.by.strip() or not 0 <= policy.min_confidence <= 1 or policy.most < 0 or policy.most_each < 0:
        raise LearnError(f"{path}: approve: name who stands for it (by), a min-confidence of 0 to 1, and no negative numbers")
    return policy, hashlib.sha256(data).hexdigest()[:12]


def applied(
    proposal: Proposal, known: dict[str, Decision], policy: ApprovalPolicy, digest: str, ordinary: Sequence[Ordinary]
) -> Iterator[Decision]:
    """A yes to each undecided item that `policy` allows, and none to any other.

    A sample that is nearly an ordinary text, and a rule that hits one, is never allowed.
    """
    usual = _Usual(ordinary)
    decided = [sample for sample in proposal.samples if sample.id in known and known[sample.id].yes]
    each = Counter(sample.attack for sample in decided)
    total = len(decided)
    for sample in proposal.samples:
        fits = sample.id not in known and _fits(sample, policy) and total < policy.most and each[sample.attack] < policy.most_each
        if fits and not usual.is_like(sample):
            total += 1
            each[sample.attack] += 1
            yield Decision(sample.id, True, policy.by, How.POLICY, now(), f"policy {digest}")  # noqa: FBT003 - a field
    if policy.rules:
        names = {rule_id(sample.attack, sample.voice) for sample in proposal.samples if each[sample.attack]}
        for item, rule in proposal.rules.items():
            if item not in known and rule.id in names and not usual.is_hit(rule):
                yield Decision(item, True, policy.by, How.POLICY, now(), f"policy {digest}")  # noqa: FBT003 - a field


def _fits(sample: Sample, policy: ApprovalPolicy) -> bool:
    return (
        sample.confidence >= policy.min_confidence
        and (not policy.exact_only or sample.judge.rsplit("-", 1)[0] in EXACT)
        and (not policy.families or sample.family in policy.families)
        and (not policy.attacks or sample.attack in policy.attacks)
    )


class _Usual:
    """Ordinary texts to hold items against."""

    def __init__(self, ordinary: Sequence[Ordinary]) -> None:
        self._texts = [one.text.encode("utf-8", "replace") for one in ordinary]
        self._shingles = [shingles(one.text) for one in ordinary]

    def is_like(self, sample: Sample) -> bool:
        """Whether a sample is nearly one of them."""
        made = shingles(sample.text)
        return any(alike(made, other, _LIKE_ORDINARY) for other in self._shingles)

    def is_hit(self, rule: Rule) -> bool:
        """Whether a phrase of the rule stands in one of them."""
        patterns = [pattern_of(pattern) for pattern in cast("list[str]", rule.match.get("any", []))]
        return any(pattern.search(text) for pattern in patterns for text in self._texts)
