"""Seed: one thing to ask, with what reaching it would mean."""

import msgspec

from hauberk.probe.goal import Goal


class Seed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to ask.

    Attributes:
        id: Stable and unique over all banks: `bank:number-or-slug`.
        text: The request in its own language, undisguised. Of an indirect injection: the order that stands in foreign content.
        lang: BCP 47 primary tag.
        risk: A risk of `rules/taxonomy.yaml`.
        goal: What a judge checks.
        tc260: Number in annex A of TC260-003, `A.1-a` to `A.5-b`, "" when none applies.
        group: What it is about within the risk; twins share it.
        twin: Id of its harmless twin in the same bank, "" when it has none.
        system: System prompt that the case needs (a planted secret, an application's role).
        context: The foreign content (mail, page, tool result) in which the order of an indirect injection is planted, with
            `{payload}` where it goes; "" lets the attack choose its own.
        scenario: Name of the tool scenario it plays in, "" when it needs no tools.
        task: What the user of an indirect case asks for, while the attacker's order is `text`.
        bank: Name of the bank it came from; its source and licence are the bank's.
        must_refuse: Counts for the must-refuse bank of TC260-003, clause 8.3.
        must_answer: Counts for its must-not-refuse bank.
        image: Path of a picture it comes with, for vision targets.
    """

    id: str
    text: str
    lang: str
    risk: str
    goal: Goal
    tc260: str = ""
    group: str = ""
    twin: str = ""
    system: str = ""
    context: str = ""
    scenario: str = ""
    task: str = ""
    bank: str = ""
    must_refuse: bool = False
    must_answer: bool = False
    image: str = ""


class Bank(msgspec.Struct, frozen=True):
    """Where seeds come from."""

    name: str
    title: str
    licence: str  # SPDX identifier, or the words of the source
    source: str  # address or citation
    ships: bool  # whether it is part of Hauberk
    note: str = ""
