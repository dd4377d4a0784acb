"""The packages that an answer tells its reader to install or import, to be held against a list of those that exist."""

import re
import sys
from itertools import islice

from hauberk.detect.output.fences import CodeMap

MAX_NAMES = 200
MAX_TEXT = 128_000
_INSTALL = re.compile(
    r"\b(?:pip3?|uv pip|uv|conda|poetry|npm|yarn|pnpm|gem|cargo)\s+(?:install|add|i)\s+((?:[\w@./\[\]=<>~^!-]{1,100}[ \t]*){1,12})"
)
_IMPORT = re.compile(r"(?m)^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w{0,63})")
_NAME = re.compile(r"@?[A-Za-z][\w.-]{0,80}(?:/[\w.-]{1,80})?")


def packages(text: str) -> tuple[str, ...]:
    """Names of packages in commands and Python imports of the first MAX_TEXT characters, in order, each once."""
    text = text[:MAX_TEXT]
    found: dict[str, None] = {}
    for command in islice(_INSTALL.finditer(text), MAX_NAMES):
        words = (word for word in command[1].split() if not word.startswith("-"))
        found.update(dict.fromkeys(named[0] for word in words if (named := _NAME.match(word)) and "/" not in word[:2]))
    for fence in CodeMap(text).fences:
        if fence.language in {"python", "py", "python3", ""}:
            found.update(dict.fromkeys(_imported(text[fence.start : fence.end])))
    return tuple(islice(found, MAX_NAMES))


def _imported(code: str) -> list[str]:
    names = [found[1] for found in islice(_IMPORT.finditer(code), MAX_NAMES)]
    return [name for name in names if name not in sys.stdlib_module_names]
