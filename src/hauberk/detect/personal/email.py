"""Addresses of mail, plain and with their @ and dots spelled out."""

import re
from collections.abc import Iterator

from hauberk.core import Confidence
from hauberk.detect.personal.recogniser import Recogniser
from hauberk.detect.personal.span import Span

_AT = r"(?:@| ?[\[({<] ?(?:at|艾特|@) ?[\])}>] ?)"
_DOT = r"(?:\.| ?[\[({<] ?(?:dot|点|\.) ?[\])}>] ?)"
_EMAIL = re.compile(
    rf"(?i)(?<![a-z0-9._%+/-])[a-z0-9](?:[a-z0-9._%+-]|{_DOT}){{0,63}}?{_AT}"
    rf"(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?{_DOT}){{1,5}}([a-z]{{2,24}})(?![a-z0-9_@-])"
)
_ATS = re.compile(r"(?i)[@\[({<] ?(?:at|艾特|@)?")
_LONGEST = 130  # characters on either side of the @
# Not top-level domains: image@2x.png, package@main.js.
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "ts", "css", "py", "json", "html"})
_LOCAL = frozenset({"yaml", "yml", "md", "txt", "local"})
# No person's: a role or a stand-in at a domain reserved for examples (RFC 2606), or nobody's own.
_NOBODY = re.compile(
    r"(?i)^(?:(?:user|you|your|test|name|foo|bar|someone|somebody|example|e?mail|admin|info|hello|contact|support)[a-z]{0,4}"
    r"[._-]?(?:name|mail|email)?[0-9]{0,3}|me)@(?:[a-z0-9-]+\.)*(?:example\.(?:com|org|net|cn)|[a-z0-9-]+\.(?:test|invalid|example))$"
    r"|^(?:no-?reply|git)@"
)


def email(text: str) -> Iterator[Span]:
    """Addresses of mail in `text`."""
    for found in _candidates(text):
        if found[1].lower() in _FILES | _LOCAL:
            continue
        nobody = _NOBODY.search(found[0]) is not None
        plain = "@" in found[0] and " " not in found[0]
        confidence = Confidence.LOW if nobody else Confidence.HIGH if plain else Confidence.MEDIUM
        yield Span("email", found.start(), found.end(), confidence)


def _candidates(text: str) -> Iterator[re.Match[str]]:
    """Matches around each @; elsewhere there is nothing to look for."""
    place = 0
    for at in _ATS.finditer(text):
        if at.start() < place:
            continue
        found = _EMAIL.search(text, max(place, at.start() - _LONGEST), at.end() + _LONGEST)
        if found:
            place = found.end()
            yield found


RECOGNISERS = (Recogniser(("email",), r"(?i)[a-z0-9._%+-](?:@| ?[\[({<] ?(?:at|艾特|@) ?[\])}>]) ?[a-z0-9]", email),)
