"""The pages on targets show every key and every kind, and their example is one that works."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hauberk.probe.targets import open_target
from hauberk.probe.targets.http_schema import HttpApi
from hauberk.probe.targets.http_template import KNOWN
from hauberk.probe.targets.open import COMMANDS, MODELS, OTHERS
from hauberk.probe.targets.target import Fault

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [DOCS / "probe-targets.md", DOCS / "probe-targets.zh.md"]


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> str:
    return request.param.read_text("utf-8")


def keys(table: Any) -> set[str]:
    found: set[str] = set()
    for field in msgspec.structs.fields(table):
        found.add(field.encode_name)
        for inner in getattr(field.type, "__args__", ()) or (field.type,):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                found |= keys(inner)
    return found


def test_the_example_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TRACE_TOKEN", "BOT_PASSWORD", "BOT_USER"):
        monkeypatch.setenv(name, "secret")
    [toml] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "bot.toml"
    path.write_text(toml, "utf-8")
    target = open_target(str(path))
    assert target.name == "support-bot"
    assert target.abilities.turns


def test_the_example_has_every_key(page: str) -> None:
    [toml] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    missing = {key for key in keys(HttpApi) if not re.search(rf"\b{re.escape(key)}\b", toml)}
    assert not missing


def test_every_placeholder_kind_and_fault_is_there(page: str) -> None:
    assert not [name for name in KNOWN if f"{{{{{name}}}}}" not in page]
    assert not [kind for kind in (*MODELS, *COMMANDS, *OTHERS) if f"{kind}:" not in page and kind != "https"]
    assert not [fault for fault in Fault if f"`{fault.value}`" not in page]
