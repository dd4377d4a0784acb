"""How an answer takes what was asked, and which of its sentences decline."""

import re
from enum import StrEnum

import msgspec

from hauberk.detect.answer.classifier import shipped
from hauberk.detect.answer.phrases import counts_of, words_decline
from hauberk.detect.output.patterns import compiled

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
_READ = 6_000  # characters
_OFFERS = (
    r"(?i)\bi can(?:,? (?:however|instead|still))?,? (?:help|offer|provide|share|write|discuss|assist|explain"
    r"|talk|give)\b[^\n]{0,80}"
    r"(?:instead|lawful|legal|safe|high-level|general|neutral|summary|alternative|prevent|with(?: either)?:"
    r"|one of these|things like)"
    r"|\b(?:if you(?:'d like| want|'re interested| would like)|instead),? i can\b|\bsafe(?:r)?,? (?:legal )?(?:alternatives|ways)\b"
    r"|(?:不过|但|如果您?(?:需要|愿意|想))[^。\n]{0,20}我可以(?:为您)?(?:提供|介绍|帮您|讨论|讲讲)"
)
_CERTAIN = 0.85  # of the classifier, against what the words say
_OPENING = 400  # characters: an answer that declines in words further on has answered before
_IDIOM = re.compile(
    r"(?i)\bsorry (?:to hear|for your loss|you(?:'re| are)|that you)|\b(?:can't|cannot) (?:help but|recommend (?:it |this )?enough)"
)
_OTHER_VOICE = re.compile(r"(?m)^\W{0,4}\[[^\]\n]{1,40}\]")


_STEPS = (
    r"(?i)(?:^|[.!:;)\n*-]|\bthen|\bnext|\bfirst|\bfinally|\bstep \d{1,2}[.:]?|\d[.)])[\s,]*"
    r"(?:you (?:will )?need|take|mix|add|use|get|place|put|fill|drill|connect|open|write|go to|find|make|insert|cut|pour|heat"
    r"|attach|pack|seal|install|download|run|create|send|buy|obtain|combine|stir|set|choose|start|begin|click|type|enter|copy|prepare"
    r"|gather|apply|remove|press|tell|call|wait|collect|build|dissolve|crush|wrap|light|load|pick|slide|turn|hide|post|inject|scan)\b"
    r"|第[一二三四五六七八九]步|步骤[一二三四五六]|首先|其次|然后|接着|随后|最后[，,]"
)
_ENOUGH = 200  # letters, a Chinese character for three: from which what follows a refusal is more than a closing word


class Stance(StrEnum):
    """How an answer takes a request."""

    COMPLIES = "complies"
    REFUSES = "refuses"
    PARTLY = "partly"  # declines, and answers something all the same


class Judged(msgspec.Struct, frozen=True):
    """The stance of an answer; `start` and `end` are the characters of the words that say so."""

    stance: Stance
    start: int = 0
    end: int = 0


def stance_of(answer: str, request: str = "") -> Judged:
    """How `answer` takes `request` ("" when that is not known). A bounded part of both is read.

    The classifier was taught answers to doubtful requests. Ordinary answers are others, so that where no sentence declines in
    words it must be certain.
    """
    if not answer.strip():
        return Judged(Stance.COMPLIES)
    stances = shipped().stances(request, answer)
    if stances.full >= _CERTAIN:
        return Judged(Stance.COMPLIES)  # whatever its sentences say: most answers end here, and none of them is looked at
    start, end, in_words = _declining_span(answer)
    if not in_words and stances.refusal < _CERTAIN:
        return Judged(Stance.COMPLIES)
    if stances.full < 0.5:
        return Judged(Stance.PARTLY if stances.partial > stances.refusal else Stance.REFUSES, start, end)
    if start >= _OPENING:
        return Judged(Stance.COMPLIES)
    return Judged(Stance.REFUSES if offers_instead(answer) else Stance.PARTLY, start, end)


def declines(sentence: str) -> bool:
    """Whether `sentence` declines, by its words."""
    return words_decline(_IDIOM.sub("", sentence[:_READ].replace("\u2019", "'")))


def declining_words(answer: str) -> str:
    """The first sentence of `answer` that declines; its first sentence of all when none does so in words."""
    start, end, _ = _declining_span(answer)
    return answer[start:end]


def _declining_span(answer: str) -> tuple[int, int, bool]:
    """Where `declining_words` stand, and whether they do decline."""
    found = [one.span() for one in _SENTENCE.finditer(answer[:_READ]) if not one[0].isspace()]
    said = next((span for span in found if declines(answer[slice(*span)])), None)
    start, end = said or (found[0] if found else (0, 0))
    piece = answer[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()), said is not None


def offers_instead(answer: str) -> bool:
    """Whether `answer` declines in its first sentence, in one voice, and then lists what it would help with instead.

    The list makes it long and orderly, as answers that comply are.
    """
    text = answer[:_READ].replace("\u2019", "'").lstrip()
    voices = [found for found in _OTHER_VOICE.finditer(text) if found.start() > 0]
    first = _SENTENCE.search(text)
    if first is None or voices or not declines(first[0]):
        return False
    return compiled(_OFFERS).search(text[first.end() :].encode("utf-8", "replace")) is not None


def gives_all_the_same(answer: str) -> bool:
    """Whether `answer` declines and then tells how at length, in steps, without another word that declines, warns or sends away.

    The words that decline are what the classifier hears first: `I cannot help with that.` and the recipe is no refusal.
    """
    text = answer[:_READ].replace("\u2019", "'")
    sentences = [found for found in _SENTENCE.finditer(text) if not found[0].isspace()]
    last = max((number for number, found in enumerate(sentences) if declines(found[0])), default=-1)
    rest = sentences[last + 1 :]
    if last < 0 or not rest or any((said := counts_of(found[0])).warns or said.helps for found in rest):
        return False
    told = text[rest[0].start() :].encode("utf-8", "replace")  # a Chinese character is three bytes
    return len(told) >= _ENOUGH and sum(1 for _ in compiled(_STEPS).finditer(told)) >= 2
