"""Errors that an API tells: a block by a guard or content filter, or a fault.

Shapes read: OpenAI's and Azure's (`error.code`, `error.innererror`), Anthropic's, Hauberk's own guard, LiteLLM's and FastAPI's
(`detail`), Gemini's (in a list), DashScope's (`code`, `message`), and plain text.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec

from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.retry_after import retry_after
from hauberk.probe.targets.target import Fault, TargetError

BLOCKABLE = frozenset((200, 400, 403, 422, 446, 451))
CODES = frozenset(
    (
        "content_filter",  # OpenAI, Azure, Hauberk, Moonshot
        "content_blocked",  # Hauberk: broken off in the middle of a tool's call
        "content_unchecked",  # Hauberk: could not be judged, so it was not let through
        "content_policy_violation",
        "content_filter_error",
        "moderation_blocked",
        "responsibleaipolicyviolation",  # Azure's innererror
        "invalid_prompt",  # OpenAI, for reasoning models
        "data_inspection_failed",  # Alibaba
        "datainspectionfailed",
        "1301",  # Zhipu
        "guardrail_intervened",  # Bedrock
        "guardrail_violation",
        "prompt_blocked",
        "sensitivecontentdetected",  # Volcengine
        "inputtextsensitivecontentdetected",
        "outputtextsensitivecontentdetected",
    )
)
WORDS = (  # all words of one row in the message, lower case: gateways that give no code of their own
    ("guardrail",),
    ("violat", "polic"),
    ("violat", "moderation"),
    ("content filter",),
    ("content_filter",),
    ("content management policy",),
    ("content policy",),
    ("content safety",),
    ("content exists risk",),  # DeepSeek
    ("considered high risk",),  # Moonshot
    ("inappropriate content",),
    ("sensitive content",),
    ("prompt injection",),
    ("jailbreak",),
    ("blocked", "polic"),
    ("内容安全",),
    ("敏感",),
    ("违规",),
    ("安全审核",),
)
QUOTA = frozenset(
    ("insufficient_quota", "insufficient_balance", "billing_hard_limit_reached", "arrearage", "quota_exceeded", "billing_error")
)
RATES = frozenset(("rate_limit_exceeded", "rate_limit_error"))
OVERLOADED = frozenset(("overloaded_error", "api_error", "server_error", "internal_error", "timeout_error"))


class ApiError(msgspec.Struct, frozen=True):
    """An error as the API told it, flattened. `codes` holds its code, type and status words in lower case."""

    message: str = ""
    codes: frozenset[str] = frozenset()
    param: str = ""
    incident: str = ""

    @property
    def blocked(self) -> str:
        """Why a guard or filter stopped the exchange, on one line; "" when it is another error."""
        code = next(iter(sorted(self.codes & CODES)), "")
        if not code:
            said = self.message.lower()
            if not any(all(word in said for word in row) for row in WORDS):
                return ""
            code = "policy"
        incident = f" (incident {self.incident})" if self.incident and self.incident not in self.message else ""
        return one_line(f"{code}: {self.message}{incident}" if self.message else f"{code}{incident}")


def read_error(body: bytes) -> ApiError:
    """The error in `body`; of what is no JSON, the text."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return ApiError(one_line(body[:4096].decode("utf-8", "replace")))
    return error_in(found)


def error_in(found: Any) -> ApiError:
    """The error that a decoded answer tells."""
    if isinstance(found, list) and found:
        found = cast("list[Any]", found)[0]
    for _ in range(3):  # the error's own object stands under one of these, at most two deep
        inner = _inner(found)
        if inner is None:
            break
        found = inner
    if not isinstance(found, dict):
        return ApiError(one_line(found if isinstance(found, str) else ""))
    known = cast("dict[str, Any]", found)
    codes = {_word(known.get(key)) for key in ("code", "type", "status")} | _inner_codes(known.get("innererror"))
    message = next((known[key] for key in ("message", "msg", "error", "detail") if isinstance(known.get(key), str)), "")
    return ApiError(
        one_line(message), frozenset(codes - {""}), _word(known.get("param")), one_line(str(known.get("incident_id") or ""), 40)
    )


def fault_from(error: ApiError, status: int, headers: Mapping[str, str], where: str) -> TargetError:
    """`error` as a TargetError. The caller has seen to it that it is no block."""
    said = f"{where}: {_title(status)}" + (f": {error.message}" if error.message else "")
    if error.codes & QUOTA or status == 402:
        return TargetError(Fault.SETUP, f"{said}; the account has no quota left")
    if status == 429 or error.codes & RATES:
        return TargetError(Fault.RATE_LIMIT, said, retry_after(headers))
    if status == 401 or (status == 403 and "tool_not_allowed" not in error.codes) or "authentication_error" in error.codes:
        return TargetError(Fault.AUTH, f"{said}; check the API key and what it may do")
    if status in {404, 405} or "model_not_found" in error.codes:
        return TargetError(Fault.SETUP, f"{said}; check the address and the model's name")
    if 300 <= status < 400:
        return TargetError(Fault.SETUP, f"{where}: {_title(status)}: redirects are not followed; give the address it leads to")
    if status == 408:
        return TargetError(Fault.TIMEOUT, said)
    if status >= 500 or status in {409, 425} or (status == 200 and error.codes & OVERLOADED):
        return TargetError(Fault.SERVER, said, retry_after(headers))
    return TargetError(Fault.REJECTED if 400 <= status < 500 or status == 200 else Fault.GARBAGE, said)


def page_fault(status: int, headers: Mapping[str, str], where: str) -> TargetError:
    """The fault of an answer that is an HTML page."""
    said = f"{where}: {_title(status)} with an HTML page instead of JSON"
    if status == 403:
        return TargetError(Fault.REJECTED, f"{said}; a web firewall may stand in front of it")
    if status == 200:
        return TargetError(Fault.GARBAGE, f"{said}; is this the API's address?")
    made = fault_from(ApiError(), status, headers, where)
    return TargetError(made.fault, said, made.retry_after)


def _inner(found: Any) -> Any:
    if not isinstance(found, dict):
        return None
    known = cast("dict[str, Any]", found)
    for key in ("error", "detail"):
        value = known.get(key)
        if isinstance(value, list) and value:
            value = cast("list[Any]", value)[0]
        if isinstance(value, dict):
            return cast("Any", value)
    return None


def _inner_codes(found: Any) -> set[str]:
    return {_word(cast("dict[str, Any]", found).get("code"))} if isinstance(found, dict) else set()


def _word(value: Any) -> str:
    return str(value)[:80].lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _title(status: int) -> str:
    try:
        return f"status {status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return f"status {status}"
