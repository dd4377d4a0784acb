"""A proposal: what might be learnt, in a folder that a person can read before anything is."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from hauberk import __version__
from hauberk.core import Rule
from hauberk.probe.learn.errors import LearnError
from hauberk.probe.learn.gather import Gathered
from hauberk.probe.learn.rules import proposed, yaml_of
from hauberk.probe.learn.sample import Ordinary, Sample
from hauberk.rules.load import RuleFileError, build_pack

FOLDER = os.path.join(".hauberk", "learn")
SAMPLES, TWINS, RULES, ABOUT, DECISIONS = "samples.jsonl", "twins.jsonl", "rules", "proposal.json", "approved.json"
LONGEST_LINE = 4 << 20
LARGEST_RULE = 64 << 10
_VERSION = 1
T = TypeVar("T")


class About(msgspec.Struct, frozen=True):
    """`proposal.json`: where it is from and what is in it. `digest` covers samples, twins and rules as they were proposed."""

    version: int
    tool: str
    runs: tuple[dict[str, str], ...]
    digest: str
    files: dict[str, str]  # name -> SHA-256
    samples: int
    rules: int
    twins: int
    attacks: dict[str, int]
    families: dict[str, int]
    left_out: dict[str, int]


class Proposal(msgspec.Struct, frozen=True):
    """A proposal as it stands on disk now; rules by their id as an item (`rule:` and a digest of the file)."""

    folder: str
    about: About
    samples: tuple[Sample, ...]
    twins: tuple[Ordinary, ...]
    rules: dict[str, Rule]

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of everything that can be approved."""
        return (*(sample.id for sample in self.samples), *self.rules)


def is_proposal(folder: str) -> bool:
    """Whether a proposal lies there."""
    return os.path.isfile(os.path.join(folder, ABOUT))


def propose(gathered: Gathered, ordinary: Sequence[Ordinary], folder: str = "") -> Proposal:
    """Writes a proposal; approvals that lie in the folder stay. Raises LearnError.

    Args:
        gathered: Samples and where they are from.
        ordinary: Texts that proposed phrases must not stand in.
        folder: Where to; "" is one under `.hauberk/learn` named after what is in it, so that the same runs give the same.
    """
    files = {SAMPLES: _lines(gathered.samples), TWINS: _lines(gathered.twins)}
    for rule in proposed(gathered.samples, (*ordinary, *gathered.twins)):
        files[f"{RULES}/{rule.id}.yaml"] = yaml_of(rule).encode()
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    digest = hashlib.sha256(msgspec.json.encode(digests)).hexdigest()
    about = About(
        _VERSION,
        __version__,
        gathered.runs,
        digest,
        digests,
        samples=len(gathered.samples),
        rules=len(files) - 2,
        twins=len(gathered.twins),
        attacks=_counted(sample.attack for sample in gathered.samples),
        families=_counted(sample.family for sample in gathered.samples),
        left_out=gathered.left_out,
    )
    folder = folder or os.path.join(FOLDER, digest[:12])
    try:
        _made(folder, files)
        write_whole(os.path.join(folder, ABOUT), msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    except OSError as error:
        raise LearnError(f"{folder}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    return read(folder)


def read(folder: str) -> Proposal:
    """The proposal in `folder`. Raises LearnError."""
    name = os.path.join(folder, ABOUT)
    try:
        about = msgspec.json.decode(Path(name).read_bytes(), type=About)
        samples = tuple(_read_lines(os.path.join(folder, SAMPLES), Sample))
        twins = tuple(_read_lines(os.path.join(folder, TWINS), Ordinary))
        return Proposal(folder, about, samples, twins, dict(_rules(os.path.join(folder, RULES))))
    except OSError as error:
        raise LearnError(f"{folder}: no proposal: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LearnError(f"{folder}: damaged, or of another version: {error}") from error


def read_samples(path: str) -> tuple[Sample, ...]:
    """The samples in a file such as `regression.jsonl`. Raises LearnError."""
    try:
        return tuple(_read_lines(path, Sample))
    except OSError as error:
        raise LearnError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LearnError(f"{path}: damaged: {error}") from error


def write_whole(path: str, data: bytes) -> None:
    """Writes `data` whole or not at all, for its owner only. Raises OSError."""
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def lines_of(samples: Sequence[Sample]) -> bytes:
    """`samples` as lines of JSON."""
    return _lines(samples)


def _lines(rows: Sequence[Sample] | Sequence[Ordinary]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _made(folder: str, files: dict[str, bytes]) -> None:
    """The folder with its files, without rules of an earlier proposal. Its texts may be harmful: for their owner only."""
    for made in (folder, os.path.join(folder, RULES)):  # the mode is the last part's only
        os.makedirs(made, mode=0o700, exist_ok=True)
    if not os.path.exists(ignored := os.path.join(folder, ".gitignore")):
        write_whole(ignored, b"*\n")
    for name in os.listdir(os.path.join(folder, RULES)):
        if name.endswith(".yaml") and f"{RULES}/{name}" not in files:
            os.unlink(os.path.join(folder, RULES, name))
    for name, data in files.items():
        write_whole(os.path.join(folder, name), data)


def _read_lines(path: str, form: type[T]) -> Iterator[T]:
    decode = msgspec.json.Decoder(form).decode
    with open(path, "rb") as file:
        while line := file.readline(LONGEST_LINE):
            yield decode(line)


def _rules(folder: str) -> Iterator[tuple[str, Rule]]:
    """Rules by their item id. Raises LearnError, and OSError when there is no such folder."""
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".yaml"):
            continue
        path = os.path.join(folder, name)
        data = Path(path).read_bytes()
        if len(data) > LARGEST_RULE:
            raise LearnError(f"{path}: larger than a rule can be ({LARGEST_RULE} bytes)")
        try:
            found = build_pack(Path(folder), [(name, len(data), 0)]).rules
        except RuleFileError as error:
            raise LearnError(" ".join(str(error).split())) from error
        yield f"rule:{hashlib.sha256(data).hexdigest()[:16]}", found[0]
