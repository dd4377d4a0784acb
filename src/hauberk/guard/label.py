"""Labels on generated content after GB 45438-2025 and 《人工智能生成合成内容标识办法》. Off unless switched on.

Explicit: words in the text (clause 5.2: at its start, its end, or a fitting place between) that hold both elements, that it
is by AI and that it was generated. Implicit: the `AIGC` object of annex E in metadata: for an answer that travels as JSON, a
member of the body or a response header. A carrier inside the text, an HTML comment and never zero-width characters, is
written only when asked for.

Members, their order and the values of `Label` were checked against Tencent Cloud's reference of the same object
(cloud.tencent.com/document/api/460/123077), the package cntc260 (github.com/OPN48/cntc260) after TC260's practice guide on
file metadata, and labels that services write; the characters that annex E j) allows, against two independent verifiers. The
text of the standard itself was not at hand.
"""

import json
import re
from enum import StrEnum

import msgspec

HEADER = "X-AIGC-Metadata"
MEMBER = "AIGC"
CHINESE = "本内容由人工智能生成"
ENGLISH = "AI-generated"
_BY_AI = re.compile(r"人工智能|(?<![A-Za-z])AI(?![A-Za-z])|artificial intelligence", re.IGNORECASE)
_MADE = re.compile(r"生成|合成|generated|synthesi[sz]ed", re.IGNORECASE)
_VALUE = re.compile(r"[!-\[\]-~]{1,256}")  # annex E j): 0x21, 0x23 to 0x5B, 0x5D to 0x7E, and an escaped quotation mark
_CARRIER = re.compile(r"<!-- AIGC \{[^<>]{0,4000}\} -->")


class Position(StrEnum):
    """Where the words stand. `MIDDLE` is after the first paragraph, at the end of a text that has but one."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


class Degree(StrEnum):
    """`Label` of the metadata, as the standard numbers it."""

    GENERATED = "1"  # it is generated: 属于
    POSSIBLY = "2"  # it may be, for its user says so: 可能
    SUSPECTED = "3"  # traces of generation were found: 疑似


class Labelling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How answers are labelled.

    `producer` and `propagator`: name or code of the services that made and that pass it on, in ASCII without spaces and
    backslashes: a Chinese name has to be given as its code. Without a propagator the producer passes on what it made.
    """

    enabled: bool = False
    wording: str = CHINESE
    position: Position = Position.END
    producer: str = ""
    propagator: str = ""
    carrier: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError on words that are no label."""
        if not _BY_AI.search(self.wording) or not _MADE.search(self.wording) or "\n" in self.wording:
            raise ValueError(
                "a label says on one line that the content is by AI (人工智能, AI) and generated (生成, 合成, generated)"
            )
        for name in ("producer", "propagator"):
            if getattr(self, name) and not _VALUE.fullmatch(getattr(self, name)):
                raise ValueError(
                    f"{name}: GB 45438-2025 annex E takes ASCII without spaces and backslashes there, 256 characters at most; "
                    "give the provider's code instead of a name in Chinese"
                )


def labelled(text: str, settings: Labelling, metadata: dict[str, str] | None = None) -> str:
    """`text` with its label; unchanged when it has one, is empty, or labelling is off."""
    stream = StreamLabel(settings, metadata)
    return stream.push(text) + stream.end()


def metadata_of(
    settings: Labelling,
    produce_id: str,
    *,
    propagate_id: str = "",
    degree: Degree = Degree.GENERATED,
    reserved: tuple[str, str] = ("", ""),
) -> dict[str, str]:
    """The members of the `AIGC` object, in the standard's order.

    Where nobody else passes the content on, the members of propagation repeat those of production, as services write them
    first. `reserved`: what each service keeps for its own checks of integrity.
    """
    return {
        "Label": degree.value,
        "ContentProducer": settings.producer,
        "ProduceID": produce_id,
        "ReservedCode1": reserved[0],
        "ContentPropagator": settings.propagator or settings.producer,
        "PropagateID": propagate_id or produce_id,
        "ReservedCode2": reserved[1],
    }


def header(metadata: dict[str, str]) -> tuple[str, str]:
    """The metadata as a response header, in ASCII on one line."""
    return HEADER, json.dumps({MEMBER: metadata}, ensure_ascii=True, separators=(",", ":"))


def extend(body: dict[str, object], settings: Labelling, metadata: dict[str, str]) -> None:
    """Puts the metadata into a JSON body, in the place of any that is there. Nothing when labelling is off."""
    if settings.enabled:
        body[MEMBER] = metadata


class StreamLabel:
    """Labels a text that comes in pieces. Holds back no more than a label's length at the start."""

    def __init__(self, settings: Labelling, metadata: dict[str, str] | None = None) -> None:
        self._settings = settings
        self._metadata = metadata if settings.carrier else None
        self._held = ""  # the beginning, until it is known whether it is a label
        self._tail = ""  # the end of what went out, in which a label may be found
        self._begun = self._done = not settings.enabled
        self._empty = True

    def push(self, text: str) -> str:
        """What may go out now."""
        if not self._settings.enabled:
            return text
        if not self._begun:
            self._held += text
            beginning = self._held.lstrip()
            wording = self._settings.wording
            if len(beginning) < len(wording) and wording.startswith(beginning):
                return ""
            text, self._held, self._begun = self._held, "", True
            return self._sent(self._opened(text, labelled_already=beginning.startswith(wording)))
        return self._sent(text)

    def end(self) -> str:
        """What is left, with a label that stands at the end."""
        if not self._settings.enabled:
            return ""
        text = ""
        if not self._begun:
            text, self._held, self._begun = self._held, "", True
            text = self._sent(self._opened(text, labelled_already=False)) if text.strip() else text
        if self._empty:
            return text
        if not self._done:
            self._done = True
            text += f"\n\n{self._settings.wording}"
        if self._metadata is not None and _CARRIER.search(self._tail) is None:
            text += f"\n{carrier(self._metadata)}"
            self._metadata = None
        return text

    def _opened(self, text: str, *, labelled_already: bool) -> str:
        if labelled_already:
            self._done = True
        elif self._settings.position is Position.START:
            self._done = True
            return f"{self._settings.wording}\n\n{text}"
        return text

    def _sent(self, text: str) -> str:
        """Notes what goes out, and puts a label between the first paragraphs if that is its place."""
        self._empty = self._empty and not text.strip()
        near = self._tail + text
        self._done = self._done or self._settings.wording in near
        if not self._done and self._settings.position is Position.MIDDLE and not self._empty:
            at = text.find("\n\n")
            if at >= 0:
                self._done = True
                text = f"{text[:at]}\n\n{self._settings.wording}{text[at:]}"
        self._tail = near[-max(len(self._settings.wording), 4200 if self._metadata is not None else 0) :]
        return text


def carrier(metadata: dict[str, str]) -> str:
    """The metadata as an HTML comment, which Markdown does not show."""
    written = json.dumps(metadata, ensure_ascii=True, separators=(",", ":"))
    for character in "<>-":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return f"<!-- AIGC {written} -->"
