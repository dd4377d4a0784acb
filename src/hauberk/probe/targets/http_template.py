"""Values put into a request's template. A placeholder stands for a whole value, so that no prompt can break out of its place."""

import base64
import re
from typing import Any, cast
from urllib.parse import quote

from hauberk.assets.chat import Role
from hauberk.probe.targets.http_schema import HttpApi, Messages
from hauberk.probe.targets.json_path import as_text
from hauberk.probe.targets.shape import last_text
from hauberk.probe.targets.target import Fault, Message, Request, TargetError

_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
KNOWN = ("prompt", "messages", "history", "system", "session", "model", "max_tokens", "temperature", "seed", "images")


class Template:
    """The request that an API's description asks for."""

    def __init__(self, api: HttpApi, file: str) -> None:
        """Raises TargetError (SETUP) for a placeholder that is unknown, or stands inside a longer string without `join`."""
        self._api = api
        self.used: set[str] = set()
        self._check(api.body, "body", file)
        self._check(api.query, "query", file)
        for name in _PLACE.findall(api.url):
            if name != "session":
                raise TargetError(
                    Fault.SETUP, f"{file}: url: only {{{{session}}}} may stand in it; put {{{{{name}}}}} into [query]"
                )
            self.used.add(name)
        if not self.used & {"prompt", "messages"}:
            raise TargetError(
                Fault.SETUP, f"{file}: body: has no {{{{prompt}}}} and no {{{{messages}}}}, so nothing would be asked"
            )

    def values(self, request: Request, session: object, model: str) -> dict[str, object]:
        """What each placeholder stands for."""
        messages = request.messages
        last = next((place for place in range(len(messages) - 1, -1, -1) if messages[place].role is Role.USER), len(messages))
        shape = self._api.messages
        return {
            "prompt": last_text(request),
            "messages": [_written(message, shape) for message in messages],
            "history": [_written(message, shape) for message in messages[:last] if message.role is not Role.SYSTEM],
            "system": "\n\n".join(message.text for message in messages if message.role is Role.SYSTEM),
            "session": session,
            "model": model,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "images": [base64.b64encode(image).decode("ascii") for message in messages for image in message.images],
        }

    def body(self, values: dict[str, object]) -> Any:
        """The body, None when there is none."""
        return _filled(self._api.body, values)

    def query(self, values: dict[str, object]) -> dict[str, str]:
        """The parameters that go into the address."""
        return {key: as_text(_filled(text, values)) for key, text in self._api.query.items()}

    def url(self, values: dict[str, object]) -> str:
        """The address, with the session's id quoted into it."""
        return _PLACE.sub(lambda _: quote(as_text(values["session"]), safe=""), self._api.url)

    def _check(self, value: object, key: str, file: str) -> None:
        if isinstance(value, dict):
            for name, inner in cast("dict[str, object]", value).items():
                self._check(inner, f"{key}.{name}", file)
        elif isinstance(value, list):
            for place, inner in enumerate(cast("list[object]", value)):
                self._check(inner, f"{key}[{place}]", file)
        elif isinstance(value, str):
            names = _PLACE.findall(value)
            for name in names:
                if name not in KNOWN:
                    raise TargetError(Fault.SETUP, f"{file}: {key}: {{{{{name}}}}} is unknown; known are {', '.join(KNOWN)}")
            if names and _PLACE.fullmatch(value) is None and not self._api.join:
                words = "stands inside a longer string, where a prompt could change its meaning; set join = true if that is meant"
                raise TargetError(Fault.SETUP, f"{file}: {key}: {{{{{names[0]}}}}} {words}")
            self.used.update(names)


def _filled(value: object, values: dict[str, object]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(inner, values) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in cast("list[object]", value)]
    if not isinstance(value, str):
        return value
    whole = _PLACE.fullmatch(value)
    return values[whole[1]] if whole else _PLACE.sub(lambda found: as_text(values[found[1]]), value)


def _written(message: Message, shape: Messages) -> dict[str, object]:
    names = {Role.SYSTEM: shape.system, Role.ASSISTANT: shape.assistant, Role.TOOL: shape.tool}
    return {shape.role: names.get(message.role, shape.user), shape.content: message.text}
