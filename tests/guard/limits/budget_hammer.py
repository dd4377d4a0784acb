"""One replica that spends all it gets of one key's daily budget: `took <id> <most>`, `ended <id> <tokens>` for each request.

Arguments: url, seconds, amount, lease. It ends when the budget is spent, or when the time is over.
"""

import random
import sys
import time

from hauberk.guard.limits.ledger import Ledger
from hauberk.guard.limits.limiter import Ask, Blocked, Lease, Limiter
from hauberk.guard.limits.quota import Budget, Quota
from hauberk.guard.limits.settings import LimitSettings, OnLoss, SharedSettings
from hauberk.guard.limits.shared import Replica

GONE = 100.0  # seconds; only the end of the day brings more
NOON = 1_800_014_400.0  # no midnight while the test runs


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    url, seconds, amount, lease = sys.argv[1:5]
    replica = Replica(SharedSettings(url=url, lease=float(lease), on_loss=OnLoss.CLOSED, replicas=3, interval=0.02))
    replica.sync()  # what takes seconds on a busy machine (imports, the connection) is done before the race begins
    replica.start()
    limiter = Limiter(LimitSettings(), Ledger(wall=lambda: NOON), sharer=replica)
    quota = Quota(budgets=(Budget(int(amount)),))
    end = time.monotonic() + float(seconds)
    under_way: list[tuple[float, int, Lease]] = []
    number = 0
    tell("ready")
    while (now := time.monotonic()) < end or under_way:
        for item in [item for item in under_way if item[0] <= now]:
            under_way.remove(item)
            _, name, taken = item
            prompt, output = random.randint(0, taken.ask.prompt), random.randint(0, taken.ask.output)
            limiter.settle(taken, prompt, output, now)
            tell(f"ended {name} {prompt + output}")
        asked = Ask("k", "", quota, "m", random.randint(1, 40), random.randint(0, 20))
        result = limiter.try_take(asked, now) if now < end and len(under_way) < 20 else None
        if isinstance(result, Lease):
            number += 1
            under_way.append((now + random.random() * 0.05, number, result))
            # Written before anything may kill us: what was taken and never ended may have used all it held.
            tell(f"took {number} {asked.tokens}")
        elif isinstance(result, Blocked) and result.wait > GONE:
            end = now
        time.sleep(0.001)
    replica.stop()


if __name__ == "__main__":
    main()
