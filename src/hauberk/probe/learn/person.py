"""Asks a person, item by item."""

from collections.abc import Callable, Iterator
from typing import cast

from hauberk.assets.quoting import quote
from hauberk.core import Rule
from hauberk.probe.learn.decisions import Decision, How, now
from hauberk.probe.learn.proposal import Proposal
from hauberk.probe.learn.sample import Sample

SHOWN = 1_200
"""Characters of a text that are shown; the whole of it is in the proposal's folder."""
CHOICES = "y yes, n no, a yes to all of this attack, d no to all of this attack, q stop"
_LINE = 110


def asked(
    proposal: Proposal, known: dict[str, Decision], who: str, ask: Callable[[str], str], show: Callable[[str], None]
) -> Iterator[Decision]:
    """A decision on each item without one, as the person makes them; ends early at `q`.

    Args:
        proposal: What there is to decide on.
        known: Decisions made before.
        who: The person's name, for the record.
        ask: Puts a question, and gives the answer.
        show: Shows a line.
    """
    whole: dict[str, bool] = {}
    items: list[tuple[str, Sample | Rule]] = [*((one.id, one) for one in proposal.samples), *proposal.rules.items()]
    open_items = [(key, item) for key, item in items if key not in known]
    for number, (key, item) in enumerate(open_items, 1):
        attack = item.attack if isinstance(item, Sample) else item.id
        if attack not in whole:
            show(f"\n{number} of {len(open_items)}")
            for line in lines(item):
                show(line)
            word = _answer(ask)
            if word == "q":
                return
            if word in {"a", "d"}:
                whole[attack] = word == "a"
            yes = word in {"y", "a"}
        else:
            yes = whole[attack]
        yield Decision(key, yes, who, How.PERSON, now(), f"all of {attack}" if attack in whole else "")


def lines(item: Sample | Rule) -> Iterator[str]:
    """An item as it may be shown on a terminal: nothing in it can move the cursor, hide, or turn the text round."""
    if isinstance(item, Rule):
        yield f"rule {item.id} ({item.risk}): {item.why.en}"
        for pattern in cast("list[str]", item.match.get("any", [])):
            yield f"  | {quote(pattern, 400)}"
        return
    judged = f"{item.outcome} by {quote(item.judge)}, {item.confidence:.2f}"
    yield f"sample {item.attack} ({item.family}), seed {quote(item.seed)}, {item.role.value}: {judged}"
    shown = quote(item.text, SHOWN)
    for at in range(0, len(shown), _LINE):
        yield f"  | {shown[at : at + _LINE]}"
    if len(item.text) > SHOWN:
        yield f"  | ({len(item.text):,} characters in all: samples.jsonl, case {item.case})"


def _answer(ask: Callable[[str], str]) -> str:
    while True:
        word = ask(f"Learn this? ({CHOICES}) ").strip().lower()[:1]
        if word in {"y", "n", "a", "d", "q"}:
            return word
