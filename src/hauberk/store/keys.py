"""The key under which what was said of a content is remembered."""

import hashlib

import msgspec


def cache_key(digest: str, name: str, *, tool: str, rules: str, limits: msgspec.Struct) -> str:
    """Changes with the content, the file name (formats are also told by it), the tool, the rules and the limits.

    "" when there is no digest: nothing is remembered of a content that was not hashed.
    """
    if not digest:
        return ""
    material = msgspec.json.encode((digest, name.encode("utf-8", "backslashreplace").decode(), tool, rules, limits))
    return hashlib.sha256(material).hexdigest()[:40]
