"""One replica that takes all it gets of one key: prints `<monotonic> <prompt> <output> <end>` for each request it admits.

Arguments: url, seconds, limit, window, lease, on-loss, replicas. CLOCK_MONOTONIC is the same in all processes of a machine.
"""

import random
import sys
import time

from hauberk.guard.limits.limiter import Cause
from hauberk.guard.limits.settings import OnLoss, SharedSettings
from hauberk.guard.limits.shared import Replica


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    url, seconds, limit, window, lease, on_loss, replicas = sys.argv[1:]
    settings = SharedSettings(url=url, lease=float(lease), on_loss=OnLoss(on_loss), replicas=int(replicas), interval=0.02)
    replica = Replica(settings, float(window))
    replica.start()
    meter = replica.make("k", Cause.TOKENS, int(limit))
    end = time.monotonic() + float(seconds)
    under_way: list[tuple[float, float, int, int, int]] = []
    tell("ready")
    while (now := time.monotonic()) < end:
        for item in [item for item in under_way if item[0] <= now]:
            under_way.remove(item)
            _, began, prompt, held, output = item
            meter.end(held, output, now)
            tell(f"{began} {prompt} {output} {now}")
        prompt, held = random.randint(1, 40), random.randint(0, 20)
        if len(under_way) < 50 and meter.wait(prompt + held, now) == 0:
            meter.take(prompt, held, now)
            under_way.append((now + random.random() * 0.05, now, prompt, held, random.randint(0, held)))
            # Written before anything may kill us: what was taken and never ended counts with all it held.
            tell(f"took {now} {prompt} {held}")
        time.sleep(0.001)
    for _, began, prompt, held, output in under_way:
        now = time.monotonic()
        meter.end(held, output, now)
        tell(f"{began} {prompt} {output} {now}")
    replica.stop()


if __name__ == "__main__":
    main()
