"""Credentials, from environment variables only; they never stand in names, errors or journals."""

import os
import re
from collections.abc import Mapping

from hauberk.probe.targets.target import Fault, TargetError

SHORTEST = 4  # characters; a shorter value would hide ordinary words
MARK = "***"
_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Credentials:
    """Takes values from the environment and remembers them, so that they can be hidden wherever a text is shown."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._values: list[str] = []

    def variable(self, name: str) -> str:
        """The value of the variable `name`. Raises TargetError (SETUP) when it is not set, or holds what no header may."""
        value = self._environment.get(name, "").strip()
        if not value:
            raise TargetError(Fault.SETUP, f"environment variable {name} is not set: export it with the target's credential")
        if not value.isprintable() or not value.isascii():
            raise TargetError(Fault.SETUP, f"environment variable {name} holds characters that no header may: check its value")
        self._remember(value)
        return value

    def optional(self, name: str) -> str:
        """As `variable`, but "" when it is not set."""
        return self.variable(name) if self._environment.get(name, "").strip() else ""

    def expanded(self, text: str) -> str:
        """`text` with each `${NAME}` replaced by the variable's value. Raises TargetError (SETUP)."""
        return _PLACE.sub(lambda found: self.variable(found[1]), text)

    def hidden(self, text: str) -> str:
        """`text` with every known credential replaced by `***`."""
        for value in self._values:
            text = text.replace(value, MARK)
        return text

    def remember(self, value: str) -> None:
        """Hides `value`, too: one that was derived from others."""
        self._remember(value)

    def _remember(self, value: str) -> None:
        if len(value) >= SHORTEST and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)  # a value that holds another goes first
