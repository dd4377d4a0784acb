"""Posts events to a URL as a JSON array, signed so that the receiver can tell who sent it."""

import hashlib
import hmac
import time
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any


class Webhook:
    """Call it with a batch of JSON events; raises OSError when the receiver did not answer 2xx.

    With a secret, `x-hauberk-signature` is `t=<seconds>,v1=<hex HMAC-SHA-256 of "seconds.body">`.
    """

    def __init__(self, url: str, secret: bytes = b"", *, timeout: float = 5.0) -> None:
        """Raises ValueError when `url` is not http(s)."""
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{url!r} is no http(s) address")
        self._url = url
        self._secret = secret
        self._timeout = timeout
        # A redirect would carry the events to whoever answers: none is followed.
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __call__(self, events: Sequence[bytes]) -> None:
        body = b"[" + b",".join(events) + b"]"
        request = urllib.request.Request(self._url, body, {"content-type": "application/json"}, method="POST")  # noqa: S310 - checked above
        if self._secret:
            request.add_header("x-hauberk-signature", signature(self._secret, body, int(time.time())))
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                answer.read(1024)
        except (HTTPException, ValueError) as error:
            raise OSError(str(error)) from error


def signature(secret: bytes, body: bytes, moment: int) -> str:
    """The header's value for `body` sent at `moment` (seconds since the epoch)."""
    made = hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        del req, fp, code, msg, headers, newurl
