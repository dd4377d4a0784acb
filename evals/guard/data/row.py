"""One row of the corpus."""

from typing import Literal, TypeAlias

import msgspec

Task: TypeAlias = Literal["attack", "harm"]
Role: TypeAlias = Literal["user", "tool", "document", "assistant", "system"]


class Row(msgspec.Struct, frozen=True):
    """A labelled text.

    Attributes:
        text: The text as it arrives, at most some 30,000 characters.
        label: 1 for an attack (task ``attack``) or a harmful request (task ``harm``), 0 for neither.
        task: Which of the two questions the label answers; a row labelled 0 is ordinary for both.
        kind: ``injection-direct``, ``injection-indirect``, ``goal-hijack``, ``prompt-leak``, ``jailbreak``, ``harmful-request``,
            ``benign`` and finer.
        lang: ``zh``, ``en`` or ``other``.
        role: Who speaks it: the user, a tool's result, a retrieved document, the assistant, the application.
        source: The set it comes from; ``own:...`` is written for this project.
        group: Its family of templates; a family stands whole on one side of every split.
        weight: How far the label is trusted, above 0 to 1.
    """

    text: str
    label: int
    task: Task
    kind: str
    lang: str
    role: Role
    source: str
    group: str
    weight: float = 1.0
