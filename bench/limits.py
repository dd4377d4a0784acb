"""Cost of one decision: the guard's limits beside the PyPI libraries `limits` and `throttled-py`, in memory, in one run.

    python bench/limits.py [--peers VENV] [--rounds 5] [--json OUT]

`--peers` names a virtual environment that holds the peers; without one they are left out and said so. CPU time of the process,
best of the rounds; quote ratios, absolute times belong to this machine and this moment.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hauberk.assets.chat import Role
from hauberk.guard.exchange import Exchange, Operation, Piece
from hauberk.guard.keys import KeyAdmin, KeyRing, SqliteKeyStore, Terms
from hauberk.guard.limits.anomaly.extraction import Extraction
from hauberk.guard.limits.anomaly.texts import seen_of
from hauberk.guard.limits.estimate import prompt_tokens
from hauberk.guard.limits.gcra import Gcra
from hauberk.guard.limits.limiter import Ask, Lease, Limiter
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings
from hauberk.guard.limits.window import TokenWindow

CALLS = 20_000
PEERS = """
import json, sys, time
calls, rounds = int(sys.argv[1]), int(sys.argv[2])
def best(act):
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for n in range(calls): act(n)
        found.append((time.process_time() - began) / calls * 1e6)
    return round(min(found), 2)
out = {}
try:
    from limits import parse, storage, strategies
    item, memory = parse("1000000/minute"), storage.MemoryStorage()
    for name in ("FixedWindowRateLimiter", "MovingWindowRateLimiter", "SlidingWindowCounterRateLimiter"):
        limiter = getattr(strategies, name)(memory)
        out["limits " + name] = best(lambda n: limiter.hit(item, "key"))
except ImportError as error: out["limits"] = str(error)
try:
    from throttled import RateLimiterType, Throttled, rate_limiter, store
    for kind in ("fixed_window", "gcra", "token_bucket"):
        throttle = Throttled(key="key", using=kind, quota=rate_limiter.per_min(1000000), store=store.MemoryStore())
        out["throttled-py " + kind] = best(lambda n: throttle.limit())
except ImportError as error: out["throttled-py"] = str(error)
print(json.dumps(out))
"""


def best(act: Callable[[int], object], rounds: int, calls: int = CALLS) -> float:
    """CPU microseconds of a call, best of the rounds."""
    found: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        for n in range(calls):
            act(n)
        found.append((time.process_time() - began) / calls * 1e6)
    return round(min(found), 2)


def ours(rounds: int, folder: str) -> dict[str, float]:
    rate, window = Gcra(1_000_000_000), TokenWindow(1_000_000_000)

    def request_rate(n: int) -> None:
        now = 1_000 + n * 1e-3
        if rate.wait(1, now) == 0:
            rate.take(1, 0, now)

    def token_window(n: int) -> None:
        now = 1_000 + n * 1e-3
        if window.wait(1_500, now) == 0:
            window.take(1_000, 500, now)
            window.end(500, 300, now)

    limiter = Limiter(LimitSettings())
    ask = Ask("k", "t", Quota(requests=1_000_000_000, tokens=1_000_000_000, concurrency=100), "m", 1_000, 500)

    def all_limits(n: int) -> None:
        now = 1_000 + n * 1e-3
        lease = limiter.try_take(ask, now)
        if isinstance(lease, Lease):
            limiter.settle(lease, 1_000, 300, now)

    ring = KeyRing(SqliteKeyStore(Path(folder) / "keys.db"))
    _, token = KeyAdmin(ring).create(Terms(name="bench"), "bench")
    text = "The harbour master signed the papers before the tide turned. " * 32  # 2 kB
    exchange = Exchange(Operation.CHAT, "m", {}, (Piece(text, Role.USER, ()),))
    extraction = Extraction(2.0)
    return {
        "request rate (GCRA)": best(request_rate, rounds),
        "token window, reserve and settle": best(token_window, rounds),
        "all limits of a key, reserve and settle": best(all_limits, rounds),
        "key look-up": best(lambda _: ring.find(token), rounds),
        "token estimate of 2 kB": best(lambda _: prompt_tokens(exchange), rounds, 4_000),
        "extraction rule, 2 kB prompt": best(lambda _: extraction.prompt("k", seen_of(text, {})), rounds, 2_000),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, float | str] = dict(ours(options.rounds, folder))
    if options.peers is None:
        found["peers"] = "not measured: no --peers"
    else:
        command = [str(options.peers / "bin" / "python"), "-c", PEERS, str(CALLS), str(options.rounds)]
        found |= json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, value in found.items():
        print(f"{name:45s} {value} {'us' if isinstance(value, float) else ''}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
