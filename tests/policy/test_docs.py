"""What docs/policy.md shows is what the program takes."""

import re
from pathlib import Path

import pytest

from hauberk.assets.budget import Limits
from hauberk.core import GapReason
from hauberk.policy.config import load_config

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["policy.md", "policy.zh.md"])
def test_the_example_loads_and_shows_the_default_limits(tmp_path: Path, name: str) -> None:
    text = re.search(r"```toml\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL).group(1)
    path = tmp_path / "hauberk.toml"
    path.write_text(text, "utf-8")
    config = load_config(path)
    assert config.limits == Limits()
    assert len(config.policy.suppressions) == 1


def test_every_gap_reason_is_documented() -> None:
    text = (DOCS / "report-json.md").read_text("utf-8")
    assert [reason for reason in GapReason if f"`{reason.value}`" not in text] == []


def test_every_key_of_the_json_report_is_documented() -> None:
    from hauberk.core import AssetRecord, Evidence, Finding, Gap, Run

    text = (DOCS / "report-json.md").read_text("utf-8")
    names = {name for struct in (AssetRecord, Evidence, Finding, Gap, Run) for name in struct.__struct_fields__}
    assert [name for name in sorted(names) if f"`{name}`" not in text and f"`{name}[]`" not in text] == []
