"""Whether a guard with what was learnt holds every sample it was taught, and no ordinary text that passed before."""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from hauberk.assets.chat import MessageContent, Role, message_asset
from hauberk.detect.bench import Bench
from hauberk.detect.learnt.model import Learnt
from hauberk.detect.learnt.rule import LEARNT_ATTACK
from hauberk.probe.learn.sample import Ordinary, Sample

Holds = Callable[[str, Role], bool]
"""Whether a guard holds a text back."""


class Checked(msgspec.Struct, frozen=True):
    """Counts over samples and ordinary texts.

    Attributes:
        samples: Taught.
        before: Held by the guard as shipped.
        after: Held with what was learnt.
        missed: Ids of those that are not.
        ordinary: Ordinary texts.
        alarms: Of those, held with what was learnt and not as shipped.
    """

    samples: int
    before: int
    after: int
    missed: tuple[str, ...]
    ordinary: int
    alarms: int


def check(model: Learnt, samples: Sequence[Sample], ordinary: Iterable[Ordinary], shipped: Holds, learnt: Holds) -> Checked:
    """Asks both guards about every sample, and about the ordinary texts of which what was learnt says anything at all."""
    missed = tuple(one.id for one in samples if not learnt(one.text, one.role))
    before = sum(shipped(one.text, one.role) for one in samples)
    bench = Bench((LEARNT_ATTACK, *model.rules))
    texts = alarms = 0
    for one in ordinary:
        texts += 1
        message = MessageContent(one.text, one.role)
        message.once("learnt", lambda: model)
        if any(True for _ in bench.inspect(message_asset(message))):
            alarms += learnt(one.text, one.role) and not shipped(one.text, one.role)
    return Checked(len(samples), before, len(samples) - len(missed), missed, texts, alarms)
