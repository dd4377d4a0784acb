"""The folder's own modules are importable; retries come soon."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hauberk.probe.engine.caller._FIRST_WAIT", 0.02)
