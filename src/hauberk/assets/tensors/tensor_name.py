"""What is wrong with the name of a tensor, whatever the format."""

import re

# A leading slash alone is how ONNX names its nodes; followed by a directory of the system it is a path.
_PATH = re.compile(
    r"(?:^|[/\\])\.\.(?:[/\\]|$)|^/(?:etc|root|home|usr|var|tmp|s?bin|proc|dev|opt|lib(?:64)?|boot|sys|mnt|srv|Users)(?:/|$)"
    r"|^[A-Za-z]:[/\\]|^~/|^file:|^\\\\"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_PROTOTYPE = frozenset({"__proto__", "constructor", "prototype"})


def name_problem(name: str) -> str:
    """One of "path", "absolute", "control", "prototype", or "" for a name that does no harm."""
    if _PATH.search(name):
        return "path"
    if name.startswith(("/", "\\")):
        return "absolute"
    if _CONTROL.search(name):
        return "control"
    if name in _PROTOTYPE or "__proto__" in re.split(r"[.\[\]/]", name):
        return "prototype"
    return ""
