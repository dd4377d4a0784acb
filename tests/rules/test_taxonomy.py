"""The crosswalk names only ids that exist in the pinned edition of each framework."""

import json
from pathlib import Path

import pytest

from hauberk.rules import load_pack

PINNED = Path(__file__).parent / "pinned"
TAXONOMY = load_pack().taxonomy
CASES = [(risk, framework) for risk in TAXONOMY["risks"] for framework in TAXONOMY["editions"]]


@pytest.mark.parametrize(("risk", "framework"), CASES)
def test_ids_exist(risk: str, framework: str) -> None:
    known = json.loads((PINNED / f"{framework}.json").read_text("utf-8"))
    assert [item for item in TAXONOMY["risks"][risk][framework] if item not in known] == []


@pytest.mark.parametrize("risk", TAXONOMY["risks"])
def test_risk_is_named_in_both_languages_and_mapped(risk: str) -> None:
    entry = TAXONOMY["risks"][risk]
    assert entry["title"]["en"]
    assert any("\u4e00" <= character <= "\u9fff" for character in entry["title"]["zh"])
    assert any(entry[framework] for framework in TAXONOMY["editions"])


def test_owasp_2025_and_2026_agree() -> None:
    """The 2026 edition renumbers eight of ten entries; the crosswalk follows that renumbering."""
    renumbered = {
        "LLM01": "LLM01", "LLM02": "LLM02", "LLM03": "LLM04", "LLM04": "LLM05", "LLM05": "LLM10",
        "LLM06": "LLM03", "LLM07": "LLM08", "LLM08": "LLM09", "LLM09": "LLM07", "LLM10": "LLM06",
    }  # fmt: skip
    for entry in TAXONOMY["risks"].values():
        assert [renumbered[item] for item in entry["owasp-llm-2025"]] == entry["owasp-llm-2026"]
