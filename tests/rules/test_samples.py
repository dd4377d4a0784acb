"""Every rule proves itself: it fires on its own samples and stays quiet on its own benign ones."""

import pytest

from hauberk.core import Rule, Sample
from hauberk.detect import Bench
from hauberk.rules import load_pack
from hauberk.scan.sample import check_sample

PACK = load_pack()
CASES = [pytest.param(rule, sample, id=f"{rule.id}/{sample.name}") for rule in PACK.rules for sample in rule.samples]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(PACK.rules)


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_sample(rule: Rule, sample: Sample, bench: Bench) -> None:
    assert check_sample(rule, sample, bench) == ""


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: rule.id)
def test_proves_both_ways(rule: Rule) -> None:
    hits = [sample.hits for sample in rule.samples]
    assert any(h is None or h > 0 for h in hits), "needs a sample that fires"
    assert 0 in hits, "needs a sample that stays quiet (hits: 0)"


def test_every_engine_accepts_its_rules(bench: Bench) -> None:
    bench.compile_all()


def test_every_risk_is_in_the_taxonomy() -> None:
    assert {rule.risk for rule in PACK.rules} <= set(PACK.taxonomy["risks"])
