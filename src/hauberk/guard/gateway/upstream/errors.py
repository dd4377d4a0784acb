"""What can go wrong with an upstream."""


class UpstreamError(Exception):
    """An upstream that gave no usable answer. `status` is what a gateway says of it."""

    status = 502
    code = "upstream_error"

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent  # certain that no model worked on the request


class ConnectFailed(UpstreamError):
    """No connection could be made."""

    code = "upstream_unreachable"

    def __init__(self, message: str) -> None:
        super().__init__(message, unsent=True)


class Broken(UpstreamError):
    """What came is no HTTP, ended early, or is over a bound."""

    code = "upstream_broken"


class TimedOut(UpstreamError):
    """Nothing came in time."""

    status = 504
    code = "upstream_timeout"


class Busy(UpstreamError):
    """Every connection is in use, or every upstream is being left alone."""

    status = 503
    code = "upstream_unavailable"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message, unsent=True)
        self.retry_after = retry_after
