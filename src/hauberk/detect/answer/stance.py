"""Which of its sentences decline: the words to show for a refusal, and whether a single sentence is one."""

import re

from hauberk.detect.answer.phrases import counts_of

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_READ = 6_000  # characters


def declines(sentence: str) -> bool:
    """Whether `sentence` declines, by its words."""
    return counts_of(sentence.replace("\u2019", "'")).declines


def declining_words(answer: str) -> str:
    """The first sentence of `answer` that declines; its first sentence of all when none does so in words."""
    found = [one[0].strip() for one in _SENTENCE.finditer(answer[:_READ]) if not one[0].isspace()]
    return next((one for one in found if declines(one)), found[0] if found else "")
