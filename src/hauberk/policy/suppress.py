"""Suppressions: accepted findings and gaps. Expired ones accept nothing; unused ones are reported."""

import datetime as dt
import fnmatch
import re
from collections.abc import Iterable

from hauberk.core import Finding, Gap, Suppression
from hauberk.policy.errors import PolicyError

GAP_RULE = "gap:"  # `rule = "gap:encrypted"` selects gaps by their reason

Item = Finding | Gap


class Suppressor:
    """Holds suppressions against findings and gaps, and remembers which of them were of use."""

    def __init__(self, suppressions: Iterable[Suppression], today: dt.date) -> None:
        self._live: list[tuple[Suppression, re.Pattern[str] | None]] = []
        self._expired: list[tuple[Suppression, re.Pattern[str] | None]] = []
        self._used: set[int] = set()
        for suppression in suppressions:
            expires = checked(suppression)
            (self._expired if today > expires else self._live).append((suppression, _glob(suppression.asset)))

    def accepts(self, item: Item) -> bool:
        """Whether a suppression in force covers `item`."""
        for suppression, glob in self._live:
            if _covers(suppression, glob, item):
                self._used.add(id(suppression))
                return True
        for suppression, glob in self._expired:
            if _covers(suppression, glob, item):
                self._used.add(id(suppression))
        return False

    def notices(self) -> list[str]:
        """One line for each suppression that is expired or covered nothing."""
        lines: list[str] = []
        for suppression, _ in self._expired:
            seen = "what it accepted counts again" if id(suppression) in self._used else "nothing it covers was seen"
            lines.append(f"suppression {label(suppression)} expired on {suppression.expires}: {seen} (owner: {suppression.owner})")
        lines.extend(
            f"suppression {label(s)} was not needed; remove it (owner: {s.owner})" for s, _ in self._live if id(s) not in self._used
        )
        return lines


def checked(suppression: Suppression) -> dt.date:
    """The last day on which `suppression` holds. Raises PolicyError when it names nothing, nobody or no day."""
    if not (suppression.rule or suppression.asset or suppression.fingerprint):
        raise PolicyError("a suppression selects nothing; give it a rule, an asset or a fingerprint")
    if not (suppression.reason.strip() and suppression.owner.strip()):
        raise PolicyError(f"suppression {label(suppression)} needs a reason and an owner")
    try:
        return dt.date.fromisoformat(suppression.expires)
    except ValueError:
        day = suppression.expires
        raise PolicyError(f"suppression {label(suppression)}: expires = {day!r} is not a date; write 2026-12-31") from None


def label(suppression: Suppression) -> str:
    """What a suppression selects, as a person would name it."""
    parts = (("rule", suppression.rule), ("asset", suppression.asset), ("fingerprint", suppression.fingerprint))
    return "(" + ", ".join(f"{key} {value!r}" for key, value in parts if value) + ")"


def _covers(suppression: Suppression, glob: re.Pattern[str] | None, item: Item) -> bool:
    # Cheapest first: a fingerprint is a hash over the whole item.
    if suppression.rule and not _is_of_rule(suppression.rule, item):
        return False
    if glob and not (glob.match(item.asset) or glob.match(item.root)):
        return False
    return not suppression.fingerprint or suppression.fingerprint == item.fingerprint


def _is_of_rule(rule: str, item: Item) -> bool:
    if isinstance(item, Gap) and rule.startswith(GAP_RULE):
        return rule == GAP_RULE + item.reason
    return rule == item.rule


def _glob(pattern: str) -> re.Pattern[str] | None:
    """A glob over a whole uri, or over its end from any `/` on; `*` crosses `/`."""
    return re.compile(f"(?s:.*/)?(?:{fnmatch.translate(pattern)})") if pattern else None
