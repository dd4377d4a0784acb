"""What is concluded of one message."""

import msgspec

from hauberk.core import Gap


class Span(msgspec.Struct, frozen=True):
    """A window that decided: its bytes in the message as it came, the head, and the score there.

    `view` names the decoding under which it was read, empty for the text as it came.
    """

    offset: int
    length: int
    head: str
    score: float
    view: str = ""


class Judgement(msgspec.Struct, frozen=True):
    """Calibrated probabilities by head, and where they come from.

    Attributes:
        score: That somebody steers the model (`attack` or `indirect`; of an answer, `harm`), comparable over inputs and stages.
        heads: `attack` or, for foreign text, `indirect`; `harm`; each 0 to 1.
        stage: 1 if the n-gram model settled it, 2 if the encoder was asked too.
        spans: One for each head: the window with its highest score.
        gaps: What could not be decided or was too large to read; `asset` is left empty.
        risk: The likeliest risk of the taxonomy, whatever the score.
        kind: The likeliest kind of attack (`labels.KINDS`).
        category: The likeliest of TC260-003's 31 risks (`labels.CATEGORIES`), if harmful.
    """

    score: float
    heads: dict[str, float]
    stage: int
    spans: tuple[Span, ...] = ()
    gaps: tuple[Gap, ...] = ()
    risk: str = ""
    kind: str = ""
    category: str = ""
