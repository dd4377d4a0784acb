"""The time as records hold it."""

import datetime as dt


def utc() -> str:
    """Now, ISO 8601 UTC to the millisecond."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
