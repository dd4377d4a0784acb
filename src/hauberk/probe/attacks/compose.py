"""Attacks put together by name: `base64+refusal-suppression`.

    composition = step ("+" step)*        at most 6 steps, read from left to right
    step        = name [":bare"]

The seed's text goes through the steps in their order. Every step but the last makes a text of a text: a transform (with a word on
how to read it; `:bare` leaves that away), or an attack that is one message. The last may be any attack: a dialogue, an indirect
injection, a search.
"""

from collections.abc import Mapping

from hauberk.probe.attacks.attack import Attack
from hauberk.probe.attacks.disguised import Composed, Disguised
from hauberk.probe.attacks.registry import all_attacks
from hauberk.probe.attacks.scripted import Scripted

MAX_STEPS = 6
_BARE = ":bare"


class CompositionError(ValueError):
    """A name is no composition. The message is one line that names the step and what is possible."""


def compose(name: str, attacks: Mapping[str, Attack] | None = None) -> Attack:
    """The attack called `name`: one of `attacks` (what ships, if not given) or several joined by `+`.

    Raises CompositionError.
    """
    known = all_attacks() if attacks is None else attacks
    words = name.split("+")
    if len(words) > MAX_STEPS:
        raise CompositionError(f"{name[:100]!r} has {len(words)} steps; at most {MAX_STEPS} are composed")
    *before, last = [_step(word.strip(), known) for word in words]
    return Composed([_text_step(step) for step in before], last) if before else last


def _step(word: str, known: Mapping[str, Attack]) -> Attack:
    bare = word.endswith(_BARE)
    name = word.removesuffix(_BARE)
    attack = known.get(name)
    if attack is None:
        raise CompositionError(f"no attack is named {name[:60]!r}{_near(name, known)}")
    if not bare:
        return attack
    if not isinstance(attack, Disguised):
        raise CompositionError(f"{name} is no transform: {_BARE} is for transforms only")
    return Disguised(attack.disguise, bare=True)


def _text_step(attack: Attack) -> Disguised | Scripted:
    if isinstance(attack, Disguised):
        return attack
    if isinstance(attack, Scripted) and attack.one_text:
        return attack
    raise CompositionError(f"{attack.name} is more than one message: it can only stand at the end")


def _near(name: str, known: Mapping[str, Attack]) -> str:
    import difflib

    near = difflib.get_close_matches(name[:60], known, n=3)
    return f"; near: {', '.join(near)}" if near else ""
