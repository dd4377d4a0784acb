"""Rule: one thing that can be wrong, as data, with the samples that prove it."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from hauberk.core.asset import Asset, Kind
from hauberk.core.finding import Finding
from hauberk.core.gap import Gap
from hauberk.core.scale import Confidence, Severity

Detector = Callable[[Asset], Iterable[Finding | Gap]]


class Stage(StrEnum):
    """Where in a model's life the rule applies."""

    DATA = "data"
    TRAINING = "training"
    ALIGNMENT = "alignment"
    MODEL = "model"
    FRAMEWORK = "framework"
    APPLICATION = "application"
    OPERATION = "operation"


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same words in both languages of the house."""

    en: str
    zh: str

    def __getitem__(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


class SampleMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Makes a sample's text one message of a conversation, and says what is around it."""

    role: str = "user"
    output: bool = False  # from the model
    system: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()  # tool results and documents of the conversation
    user: tuple[str, ...] = ()
    tools: tuple[dict[str, object], ...] = ()  # name, description, parameters
    calls: str = ""  # the tool that this message calls; the text is its arguments


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof that travels with its rule: it fires `hits` times (None: at least once; 0: stays quiet).

    Exactly one of `text`, `base64` (zlib-compressed or plain bytes) or `files` (relative name -> text) gives the material;
    `path` is the file name it is scanned under. `links` (name -> target) adds symbolic links to `files`.
    With `message` the text is a message of a conversation.
    """

    name: str
    text: str = ""
    base64: str = ""
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    path: str = "sample"
    hits: int | None = None
    message: SampleMessage | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that can be wrong. `match` belongs to the engine named by `engine`, which validates it."""

    id: str
    title: Text
    stage: Stage
    risk: str  # a key of taxonomy.yaml
    reads: tuple[Kind, ...]
    severity: Severity
    confidence: Confidence
    why: Text
    fix: Text
    engine: str
    match: dict[str, object]
    samples: tuple[Sample, ...]
    references: tuple[str, ...] = ()


__all__ = ["Confidence", "Detector", "Rule", "Sample", "Severity", "Stage", "Text"]
