"""What is written into `[guard]` and cannot be meant is refused at the start, in one line that names the key."""

import asyncio
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hauberk.guard.assembly import Assembly, checker_of
from hauberk.guard.settings import GuardSettings, guard_settings
from hauberk.guard.tables import tables_of
from hauberk.policy.errors import PolicyError

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "window": ({"limits": {"window": 0}}, "guard.limits.window"),
    "negative": ({"limits": {"tokens": -5}}, "guard.limits.tokens"),
    "no-source": ({"limits": {"source-requests": 0}}, "guard.limits.source-requests"),
    "nan": ({"limits": {"queue": {"wait": float("nan")}}}, "guard.limits.queue.wait"),
    "inf": ({"limits": {"queue": {"wait": float("inf")}}}, "guard.limits.queue.wait"),
    "price": ({"limits": {"prices": [{"model": "*", "input": -3, "output": 1}]}}, "guard.limits.prices.input"),
    "redis": ({"limits": {"shared": {"url": "http://x"}}}, "guard.limits.shared.url"),
    "redis-port": ({"limits": {"shared": {"url": "redis://x:99999"}}}, "guard.limits.shared.url"),
    "lease": ({"limits": {"shared": {"lease": 0}}}, "guard.limits.shared.lease"),
    "registrations": ({"limits": {"anomaly": {"registrations": -2}}}, "guard.limits.anomaly.registrations"),
    "anonymous": ({"keys": {"anonymous": {"requests": -4}}}, "guard.keys.anonymous"),
    "priority": ({"keys": {"anonymous": {"priority": 9}}}, "guard.keys.anonymous"),
    "seconds": ({"detect": {"seconds": 0}}, "guard.detect.seconds"),
    "judge": ({"detect": {"judge": {"seconds": -1.0}}}, "guard.detect.judge.seconds"),
    "threads": ({"detect": {"threads": 0}}, "guard.detect.threads"),
    "checkpoint": ({"audit": {"checkpoint-seconds": 0}}, "guard.audit.checkpoint-seconds"),
    "origin": ({"audit": {"origin": "our log"}}, "guard.audit.origin"),
    "origin-plus": ({"audit": {"origin": "a+b"}}, "guard.audit.origin"),
    "syslog": ({"telemetry": {"syslog": "foo"}, "audit": {"folder": "log"}}, "guard.telemetry.syslog"),
    "webhook": ({"telemetry": {"webhook": "https://"}, "audit": {"folder": "log"}}, "guard.telemetry.webhook"),
    "otlp": ({"telemetry": {"otlp": "localhost:4318"}}, "guard.telemetry.otlp"),
    "stride": ({"stream": {"stride": 0}}, "guard.stream.stride"),
    "most": ({"approvals": {"most": 0}}, "guard.approvals.most"),
    "label": ({"label": {"enabled": True}, "detect": {"enabled": False}}, "guard.label.enabled"),
    "unheard": ({"telemetry": {"webhook": "http://127.0.0.1:9/"}}, "guard.telemetry.webhook"),
}
WRONG_POLICIES = {
    "rate": ("[[entry]]\naction = 'block'\nrate = 7", "guard.policy.entry[0].rate"),
    "no-rate": ("[[entry]]\naction = 'block'\nrate = 0", "guard.policy.entry[0].rate"),
    "rates": ("block-rate = 0.05\nflag-rate = 0.001", "guard.policy.flag-rate"),
    "remedy": ("[[entry]]\naction = 'allow'\n[[entry]]\naction = 'block'\nremedy = 'strip'", "guard.policy.entry[1].remedy"),
    "gaps": ("[[entry]]\naction = 'block'\ngaps = ['undecided']\nrules = ['personal-email']", "guard.policy.entry[0].gaps"),
    "rule": ("[[entry]]\naction = 'block'\nrules = ['personal-emial']", "'personal-emial'"),
    "risk": ("[[entry]]\naction = 'block'\nrisks = ['prompt-injecton']", "'prompt-injecton'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_cannot_be_meant_is_refused_by_its_key(name: str) -> None:
    table, key = WRONG[name]
    with pytest.raises(PolicyError) as error:
        tables_of(guard_settings(table))
    assert str(error.value).startswith(key)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", WRONG_POLICIES)
def test_a_row_that_would_do_nothing_is_refused(name: str) -> None:
    text, said = WRONG_POLICIES[name]
    with pytest.raises(PolicyError) as error:
        checker_of(GuardSettings(policy=tomllib.loads(text)))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_defaults_and_the_shipped_example_are_in_order() -> None:
    tables_of(GuardSettings())
    example = tomllib.loads((Path(__file__).parents[2] / "examples/guard/hauberk.toml").read_text("utf-8"))["guard"]
    settings = guard_settings(example)
    tables_of(settings)
    checker_of(settings)


SECRETS = {
    "keys.pepper-env": {"keys": {"pepper-env": "HAUBERK_NO_SUCH_VARIABLE"}},
    "telemetry.webhook-secret-env": {
        "telemetry": {"webhook": "http://127.0.0.1:9/", "webhook-secret-env": "HAUBERK_NO_SUCH_VARIABLE"}
    },
    "detect.canary-key-env": {"detect": {"canary": True, "canary-key-env": "HAUBERK_NO_SUCH_VARIABLE"}},
}


@pytest.mark.parametrize("key", SECRETS)
def test_regression_a_secret_that_is_not_set_was_an_empty_one(tmp_path: Path, key: str) -> None:
    """Keys were then hashed without the pepper, and webhooks sent without a signature, and nobody was told."""
    keys = {"store": str(tmp_path / "keys.db")}
    table: dict[str, Any] = {"detect": {"enabled": False}, "audit": {"folder": str(tmp_path / "log")}, **SECRETS[key]}
    table["keys"] = {**keys, **table.get("keys", {})}

    async def go() -> None:
        with pytest.raises(PolicyError, match=rf"guard\.{key}: .HAUBERK_NO_SUCH_VARIABLE is not set"):
            Assembly().make(guard_settings(table))

    asyncio.run(go())
