import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from evals.guard.data import sources
from evals.guard.data.denied import is_denied

SHARED = Path(__file__).parents[3] / "shared" / "data" / "guard"


@pytest.mark.parametrize(
    "name",
    [
        "agentdojo", "injecagent_dh", "tr_bipia_docs", "tr_bipia_bare", "bipia_bare", "notinject", "wildguard_benign", "harmbench",
        "promptshield_alpaca_closed", "promptshield_usenix_benign", "promptshield_train1k", "dolly_benign", "seval_attack_zh",
        "seval_base_en", "jailbreakbench", "xstest", "toxicchat", "tr_deepset", "deepset",
    ],
)  # fmt: skip
def test_what_is_measured_on_is_never_trained_on(name: str) -> None:
    assert is_denied(name)


def test_a_renamed_set_is_denied_by_its_repository() -> None:
    assert is_denied("innocent", "wagner-group+PromptShield")
    assert is_denied("innocent", "IS2Lab+S-Eval")


@pytest.mark.parametrize("name", ["jailbench_zh", "garak_inthewild", "lf_alpaca_zh", "advbench"])
def test_other_sets_are_not(name: str) -> None:
    assert not is_denied(name)


def test_no_set_of_the_table_is_denied() -> None:
    assert len(sources.sources()) > 30


def test_every_set_of_the_table_says_why_and_whence() -> None:
    assert all(source.why and source.url for source in sources.sources())


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not here")
def test_every_set_of_the_shared_data_is_listed_or_denied() -> None:
    entries = json.loads((SHARED / "meta.json").read_text("utf-8"))
    listed = {source.name for source in sources.sources()}
    left = {entry["name"] for entry in entries if entry["name"] not in listed and not is_denied(entry["name"], entry["src"])}
    assert not left
