"""How long an API asks us to wait. RFC 9110, section 10.2.3."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST = 3600.0  # seconds; whoever asks for more is asked again after an hour


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait, from `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; None when nothing usable is there."""
    exact = _number(headers.get("retry-after-ms", ""))
    if exact is not None:
        return _bounded(exact / 1000)
    said = headers.get("retry-after", "").strip()
    seconds = _number(said)
    if seconds is not None:
        return _bounded(seconds)
    try:
        at = parsedate_to_datetime(said).timestamp() if said else None
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return None if at is None else _bounded(at - (time.time() if now is None else now))


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST)
