"""Every format against its golden file. After a wanted change: UPDATE_GOLDENS=1 pytest tests/report/test_golden.py, then review."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import report_material as material

from hauberk.policy.compare import compare
from hauberk.report import cyclonedx, diff, html, json, md, plain, sarif, summary

GOLDEN = Path(__file__).parent / "golden"
RUN = material.small_run()


def _diff(name: str, language: str) -> bytes:
    from msgspec.structs import replace

    assets = tuple(replace(a, verdict="admit") if a.uri.startswith("other") else a for a in RUN.assets[1:])
    before = replace(RUN, id="000000000000", findings=RUN.findings[1:], gaps=RUN.gaps[1:], assets=assets)
    after = replace(RUN, findings=RUN.findings[:-2], suppressed=(RUN.findings[1].fingerprint,))
    return diff.render(compare(before, after), material.PACK, language, name=name)


CASES: dict[str, Callable[[], bytes]] = {
    "plain.en.txt": lambda: plain.render(RUN, material.PACK, "en"),
    "plain.zh.txt": lambda: plain.render(RUN, material.PACK, "zh"),
    "plain.colour.txt": lambda: plain.render(RUN, material.PACK, "en", colour=True),
    "summary.en.txt": lambda: summary.render(RUN, material.PACK, "en"),
    "run.json": lambda: json.render(RUN, material.PACK, "en"),
    "run.en.sarif": lambda: sarif.render(RUN, material.PACK, "en"),
    "run.zh.sarif": lambda: sarif.render(RUN, material.PACK, "zh"),
    "run.en.html": lambda: html.render(RUN, material.PACK, "en"),
    "run.zh.html": lambda: html.render(RUN, material.PACK, "zh"),
    "run.en.md": lambda: md.render(RUN, material.PACK, "en"),
    "run.zh.md": lambda: md.render(RUN, material.PACK, "zh"),
    "bom.cdx.json": lambda: cyclonedx.render(RUN, material.PACK, "en", cards=material.CARDS),
    "diff.en.txt": lambda: _diff("plain", "en"),
    "diff.zh.md": lambda: _diff("md", "zh"),
    "diff.json": lambda: _diff("json", "en"),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    made = CASES[name]()
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDENS"):
        path.write_bytes(made)
    assert made.decode("utf-8") == path.read_bytes().decode("utf-8")


def test_every_golden_is_made_by_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)
