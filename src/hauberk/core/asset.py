"""Asset: something looked at."""

from enum import StrEnum
from typing import Protocol

import msgspec


class Kind(StrEnum):
    """What an asset is to the people who admit it. A rule names the kinds it `reads`."""

    MODEL = "model"  # weights with a program or an object graph: pickle, torch, keras, onnx ...
    TENSORS = "tensors"  # weights and metadata only: safetensors, gguf, npy ...
    ARCHIVE = "archive"  # a container of other assets: zip, tar, 7z, gz ...
    CONFIG = "config"  # json, yaml, toml, ini beside a model
    TEMPLATE = "template"  # a chat or prompt template
    CODE = "code"  # source in any language, notebooks' cells, scripts
    TEXT = "text"  # documents and everything else a person reads
    BINARY = "binary"  # bytes nobody recognised, native programs and libraries
    REPOSITORY = "repository"  # a directory read as one thing
    ENVIRONMENT = "environment"  # an installed Python environment
    PACKAGE = "package"
    ROW = "row"  # one row of a dataset
    MESSAGE = "message"  # one message to or from a model
    TURN = "turn"
    ENDPOINT = "endpoint"
    ACTOR = "actor"


class Content(Protocol):
    """The bytes of an asset, read lazily. Implementations live in `hauberk.assets.content`."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        """Up to `length` bytes from `offset` (all that is left when -1, which callers bound by `size`)."""
        ...


Scalar = str | int | float | bool


class Fact(msgspec.Struct, frozen=True):
    """Something a reader saw in an asset, stated without judgement; rules judge it.

    `check` is a stable dotted name (`gguf.tensor-bounds`, `pickle.call`); `attrs` hold what rules test.
    """

    check: str
    note: str = ""  # one English clause that a person reads: what was seen
    offset: int | None = None  # byte offset within the asset
    where: str = ""  # logical place: opcode, key, tensor, member, line
    quote: str = ""  # the piece itself, printable and bounded
    attrs: dict[str, Scalar] = {}


class Asset(msgspec.Struct, frozen=True):
    """Something looked at. `uri` is stable from run to run; a member's is `container!/member`."""

    uri: str
    kind: Kind = Kind.BINARY
    format: str = ""  # name of the recognised format, "" while unknown
    name: str = ""  # last path component as its author wrote it; untrusted
    content: Content | None = None
    digest: str = ""  # "sha256:<hex>" or ""
    parent: str = ""  # uri of what holds it
    facts: tuple[Fact, ...] = ()

    def child(self, name: str, content: Content, *, kind: Kind = Kind.BINARY, format: str = "") -> "Asset":  # noqa: A002
        """An asset found inside this one."""
        return Asset(uri=f"{self.uri}!/{name}", kind=kind, format=format, name=name, content=content, parent=self.uri)
