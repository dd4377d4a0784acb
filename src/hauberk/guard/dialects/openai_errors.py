"""Errors as clients of OpenAI's APIs expect them."""

from typing import Any

from hauberk.guard.dialects.bodies import encode
from hauberk.guard.dialects.dialect import Refusal


def error_object(refusal: Refusal) -> dict[str, Any]:
    """What stands under `error`. The incident is in the message too, since SDKs show that and little else."""
    made: dict[str, Any] = {
        "message": said(refusal),
        "type": refusal.type,
        "param": refusal.param or None,
        "code": refusal.code,
    }
    if refusal.incident:
        made["incident_id"] = refusal.incident
    return made


def error_body(refusal: Refusal) -> bytes:
    """The body of an error."""
    return encode({"error": error_object(refusal)})


def said(refusal: Refusal) -> str:
    """The message, with the incident's id if there is one."""
    return f"{refusal.message} (incident {refusal.incident})" if refusal.incident else refusal.message
