"""Errors as clients of Anthropic's API expect them."""

from typing import Any

from hauberk.guard.dialects.bodies import encode
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.dialects.openai_errors import said

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(refusal: Refusal) -> bytes:
    """The body of an error, and the data of an `error` event."""
    made: dict[str, Any] = {"type": _type_of(refusal.status), "message": said(refusal), "code": refusal.code}
    if refusal.incident:
        made["incident_id"] = refusal.incident
    return encode({"type": "error", "error": made})


def _type_of(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
