"""Sample: one message of an attack that got through."""

import hashlib
import unicodedata

import msgspec

from hauberk.assets.chat import Role


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message with where it is from.

    Attributes:
        text: As it was sent.
        role: Who spoke it: the user, a tool or a document.
        lang: Of the seed.
        family, attack: How it was asked.
        case, seed: Ids.
        request: The seed's own words, undisguised: what is learnt is the attack round them, never they.
        risk: The seed's.
        judge, confidence, outcome: Who said that it got through, and how surely.
        run: Id of the run.
        label: 1; ordinary texts have a file of their own.
    """

    text: str
    role: Role
    lang: str
    family: str
    attack: str
    case: str
    seed: str
    request: str = ""
    risk: str = ""
    judge: str = ""
    confidence: float = 0.0
    outcome: str = ""
    run: str = ""
    label: int = 1

    @property
    def id(self) -> str:
        """16 hex digits over all of it: whatever is changed in a sample, its approval no longer fits."""
        return "sample:" + hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]

    @property
    def voice(self) -> str:
        """`foreign` for a tool's or a document's words, else `user`."""
        return "foreign" if self.role.foreign else "user"


class Ordinary(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text that must pass.

    Attributes:
        text: As it comes.
        role: Who speaks.
        group: Texts of one pattern share it, and stand on one side of every split.
        source: Where it is from, for the figures.
        held: Whether it may stand in for traffic not seen; one that shares its carrier with attacks learnt from may not.
    """

    text: str
    role: Role = Role.USER
    group: str = ""
    source: str = ""
    held: bool = True

    @property
    def voice(self) -> str:
        """As a sample's."""
        return "foreign" if self.role.foreign else "user"


def plain(text: str) -> str:
    """`text` for comparisons: compatibility forms, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())
