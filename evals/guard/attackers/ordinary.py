"""Ordinary requests, sent as a plain client sends them: what a guard refuses of them are its false alarms."""

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from evals.guard.attackers.goals import SYSTEM

MAX_TOKENS = 16
PARALLEL = 4
PATIENCE = 300.0  # seconds


class Request(NamedTuple):
    """`system`: whether the operator's prompt stands before it; half of them have one."""

    lang: str
    kind: str
    text: str
    system: bool


class Ending(NamedTuple):
    """How a request ended; `decision` is the guard's own header, empty without one."""

    request: Request
    status: int
    code: str
    decision: str


def requests() -> list[Request]:
    """All of `ordinary.yaml`, in its order."""
    import yaml

    written = yaml.safe_load((Path(__file__).parent / "ordinary.yaml").read_text("utf-8"))
    flat = [(lang, kind, text) for lang, kinds in written.items() for kind, texts in kinds.items() for text in texts]
    return [Request(lang, kind, text, bool(number % 2)) for number, (lang, kind, text) in enumerate(flat)]


def run(base_url: str, model: str) -> dict[str, Any]:
    """Sends them all to `base_url` (with its /v1): refused, failed otherwise and flagged, by language and kind."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        endings = list(pool.map(lambda request: _sent(base_url, model, request), requests()))
    kinds: dict[str, Counter[str]] = {}
    for ending in endings:
        for kind in ("all", ending.request.lang, ending.request.kind):
            count = kinds.setdefault(kind, Counter())
            count["requests"] += 1
            count["blocked"] += blocked(ending)
            count["failed"] += ending.status != 200 and not blocked(ending)
            count["flagged"] += ending.decision == "flag"
            count["redacted"] += ending.decision == "redact"
    return {
        "kinds": {kind: dict(count) for kind, count in kinds.items()},
        "blocked": [e.request.text for e in endings if blocked(e)],
    }


def blocked(ending: Ending) -> bool:
    """Whether the guard refused it."""
    return ending.status == 400 and ending.code == "content_filter"


def _sent(base_url: str, model: str, request: Request) -> Ending:
    system = [{"role": "system", "content": SYSTEM}] if request.system else []
    messages = [*system, {"role": "user", "content": request.text}]
    body = json.dumps({"model": model, "messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0})
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("POST", f"{parts.path}/chat/completions", body, {"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Ending(request, 0, type(error).__name__, "")
    finally:
        connection.close()
    code = "" if response.status == 200 else str((answer.get("error") or {}).get("code"))
    return Ending(request, response.status, code, response.getheader("x-hauberk-decision", ""))
