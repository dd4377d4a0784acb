"""Arguments shaped to do more than the tool was made for: inner addresses, paths, shell and SQL."""

import re
from urllib.parse import unquote

from hauberk.detect.output.arguments import Leaf
from hauberk.detect.output.hosts import is_inside, is_metadata, literal
from hauberk.detect.output.links import address_of
from hauberk.detect.output.patterns import compiled

_URL = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}:/{0,2}[^\s\"'<>]{1,2000}")
_PROGRAMS = frozenset({"gopher", "dict", "file", "ldap", "ldaps", "tftp", "jar", "netdoc", "phar", "expect"})
_PROSE = frozenset({"body", "text", "content", "message", "description", "summary", "note", "notes", "comment", "markdown", "html"})
_CODE = frozenset({"command", "cmd", "script", "code", "sql", "query", "shell", "statement", "program", "source", "expression"})
_TRAVERSAL = (
    r"(?i)(?:^|[/\\\s\"'=])\.\.(?:[/\\]|%2f|%5c)(?:\.\.(?:[/\\]|%2f|%5c)|etc\b|root\b|proc\b|windows\b)"
    r"|(?:\.\.[/\\]){2}|\.\.(?:%2f|%5c|%c0%af|%252f)|\.{4}//"
)
_SENSITIVE = (
    r"(?i)(?:^|[\s\"'=:@])(?:/etc/(?:passwd|shadow|sudoers|ssh/)|/proc/(?:self|\d+)/(?:environ|mem|maps|cmdline)|/root/|/var/run/docker\.sock"
    r"|(?:~|/home/[\w.-]+|/Users/[\w.-]+)?/?\.(?:ssh/|aws/credentials|kube/config|netrc\b|git-credentials|docker/config\.json|gnupg/)"
    r"|[a-z]:\\windows\\(?:system32\\config|repair))"
)
_SHELL = (
    r"(?i)(?:;|&&|\|\|?|\n|`|\$\()\s*(?:sudo\s+)?(?:/\S*/)?(?:rm|curl|wget|nc|ncat|bash|sh|zsh|cat|chmod|chown|id|whoami|uname|python3?|perl|ruby"
    r"|powershell|cmd(?:\.exe)?|ping|nslookup|dig|env|printenv|tee|mkfifo|kill|shutdown|reboot|sleep)(?:\s+[-/\w.$~>|\"']|\s*\)|`|\s*$)"
    r"|\$\{IFS\}|\$\([^)]{1,200}\)\s*$"
)
_SQL = (
    r"(?i)(?:'|\"|\d)\s*\)?\s*(?:or|and|\|\||&&)\s+(?:'[^']{0,20}'\s*(?:=|like)\s*'[^']{0,20}|\"[^\"]{0,20}\"\s*=\s*\"[^\"]{0,20}|\d+\s*=\s*\d+|true\b)"
    r"|\bunion\s+(?:all\s+)?select\b|(?:'|\"|\d|\))\s*;\s*(?:drop|delete|update|insert|alter|truncate|exec|shutdown|create)\s"
    r"|\b(?:sleep|benchmark|pg_sleep|waitfor\s+delay)\s*\(?\s*['\d]|\binto\s+(?:out|dump)file\b|\bxp_cmdshell\b|'\s*(?:--|#)\s*$"
)


def inner_address(leaf: Leaf, known: str) -> str:
    """What is wrong with an address in `leaf`: cloud credentials, a disguise, a machine of the inside not in `known`."""
    candidates = [found[0] for found in _URL.finditer(leaf.text[:20_000])]
    if leaf.name.lower() in {"host", "hostname", "ip", "server", "address", "domain", "endpoint", "url", "uri"}:
        candidates.append(f"http://{leaf.text.strip()[:300]}")
    for url in candidates[:50]:
        address = address_of(url)
        if address is None:
            continue
        host = address.host
        if address.scheme in _PROGRAMS:
            return f"the address opens {address.scheme}:"
        if is_metadata(host):
            return "the address is that of cloud credentials"
        if literal(host)[1]:
            return "the address is a number in disguise"
        if host and is_inside(host) and host not in known:
            return "the address is of a machine inside"
    return ""


def path_escape(leaf: Leaf, known: str) -> str:
    """Whether `leaf` climbs out of a folder or names a file of secrets that nobody asked for."""
    if _is_prose(leaf):
        return ""
    text = leaf.text[:20_000]
    for reading in (text, unquote(text)):
        if _found(_TRAVERSAL, reading) or ("\0" in reading and len(reading) < 1000):
            return "the path climbs out of its folder"
        if _found(_SENSITIVE, reading) and reading.strip() not in known:
            return "the path is that of a file of secrets"
    return ""


def shell_shape(leaf: Leaf, _known: str) -> str:
    """Whether `leaf` holds a second command where a plain value is meant."""
    if _is_prose(leaf) or leaf.name.lower() in _CODE or len(leaf.text) > 2_000:
        return ""
    return "the value holds a shell command" if _found(_SHELL, leaf.text) else ""


def sql_shape(leaf: Leaf, _known: str) -> str:
    """Whether `leaf` ends a quotation and goes on in SQL."""
    if _is_prose(leaf) or leaf.name.lower() in _CODE or len(leaf.text) > 2_000:
        return ""
    return "the value holds a piece of SQL" if _found(_SQL, leaf.text) else ""


def _is_prose(leaf: Leaf) -> bool:
    return leaf.name.lower() in _PROSE


def _found(pattern: str, text: str) -> bool:
    return compiled(pattern).search(text.encode("utf-8", "replace")) is not None
