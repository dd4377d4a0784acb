"""What the user writes, and what is imported for it."""

import subprocess
import sys

import pytest

from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, TargetError


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("http://h:1", "http://h:1/v1 m"),
        ("https://H.example/api/v2/?x=1", "https://H.example/api/v2 m"),
        ("openai:http://h", "http://h/v1 m"),
        ("openai-completions:http://h", "http://h/v1 m"),
        ("openai-responses:http://h", "http://h/v1 m"),
        ("anthropic:http://h/v1", "http://h m"),
        ("python:json:dumps", "python:json:dumps"),
        ("command:cat -u", "command cat -u"),
        ("mcp:http://h/mcp", "mcp http://h/mcp"),
        ("mcp:cat", "mcp cat"),
    ],
)
def test_names_are_stable(spec: str, name: str) -> None:
    assert open_target(spec, TargetOptions(model="m")).name == name


def test_a_model_with_a_servers_tools() -> None:
    target = open_target("http://h", TargetOptions(model="m", tools_from="mcp:http://tools/mcp"))
    assert target.name == "http://h/v1 m with mcp http://tools/mcp"
    with pytest.raises(TargetError, match="takes no tools"):
        open_target("command:cat", TargetOptions(tools_from="mcp:http://tools/mcp"))


@pytest.mark.parametrize("spec", ["", ":", "x:y", "http", "http:", "gpt-4", "a\nb"])
def test_what_is_of_no_known_kind(spec: str) -> None:
    with pytest.raises(TargetError, match="known kind") as caught:
        open_target(spec)
    assert caught.value.fault is Fault.SETUP
    assert "\n" not in str(caught.value)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, hauberk.probe.targets; print([m for m in ('aiohttp', 'mcp', 'xllamacpp', 'ssl') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_missing_extra_is_named() -> None:
    code = """
import sys
sys.modules["aiohttp"] = None
from hauberk.probe.targets import open_target
try:
    open_target("http://h")
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "TargetError targets over HTTP need the extra `probe`; install it with: pip install 'hauberk[probe]'\n"
