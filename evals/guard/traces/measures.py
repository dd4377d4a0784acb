"""What is measured of a replay."""

from collections.abc import Sequence

from replay import WINDOW, Request, Served


def worst_window(served: Sequence[Served]) -> int:
    """Most tokens in any 60 s, an answer's tokens spread evenly from its first to its last, prompts where they began."""
    events: list[tuple[float, float]] = []
    for item in served:
        events.append((item.began, float(item.request.prompt)))
        steps = max(int(item.ended - item.began), 1)
        part = item.request.output / steps
        events += [(item.began + (n + 1) * (item.ended - item.began) / steps, part) for n in range(steps)]
    return _most(events)


def worst_admission(served: Sequence[Served]) -> int:
    """Most tokens of requests let in within any 60 s."""
    return _most([(item.began, float(item.request.tokens)) for item in served])


def _most(events: list[tuple[float, float]]) -> int:
    events.sort()
    most = total = 0.0
    tail = 0
    for at, tokens in events:
        total += tokens
        while events[tail][0] <= at - WINDOW:
            total -= events[tail][1]
            tail += 1
        most = max(most, total)
    return round(most)


def shares(requests: Sequence[Request], served: Sequence[Served], limit: int) -> dict[str, float]:
    """Admitted shares, of all and by size, and how full the limit was."""
    sizes = sorted(request.tokens for request in requests)
    large = sizes[int(len(sizes) * 0.9)]
    small = sizes[len(sizes) // 2]
    got = [item.request.tokens for item in served]

    def share(low: int, high: float) -> float:
        asked = sum(low <= tokens < high for tokens in sizes)
        return round(sum(low <= tokens < high for tokens in got) / max(asked, 1), 3)

    span = max(max(r.at for r in requests) - min(r.at for r in requests), WINDOW)
    return {
        "requests": len(requests),
        "admitted": round(len(served) / len(requests), 3),
        "admitted_smaller_half": share(0, small),
        "admitted_largest_tenth": share(large, float("inf")),
        "use_of_limit": round(sum(got) / (limit * span / WINDOW), 3),
        "worst_window_over_limit": round(worst_window(served) / limit, 3),
        "worst_admission_over_limit": round(worst_admission(served) / limit, 3),
    }
