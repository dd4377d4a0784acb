"""A run's folder: manifest, plan, journal, lock."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator

import msgspec

from hauberk.probe.case import Case
from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.plan import Misfit, Planned
from hauberk.probe.engine.record import Stopped, decoded
from hauberk.probe.engine.settings import RunSettings
from hauberk.probe.engine.spool import Spool
from hauberk.probe.judges.judge import Accuracy

RUNS = os.path.join(".hauberk", "probe")
MANIFEST, SEEDS, PLAN, JOURNAL, LOCK = "manifest.json", "seeds.jsonl", "plan.jsonl", "journal.jsonl", "lock"
SHORTEST = 4  # characters of an id's beginning


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a target was named on the command line; "" for a `spec` that may hold a secret. Options hold no credentials."""

    spec: str = ""
    options: dict[str, object] = {}


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that a run is resumed with. Times are ISO 8601 UTC.

    `digest` covers the ids of all planned cases, which in turn cover seeds, attacks and settings.
    """

    id: str
    started: str
    tool: str
    target: str
    settings: RunSettings
    asked: Asked = Asked()
    attacker: str = ""
    asked_attacker: Asked = Asked()
    judge: str = ""
    asked_judge: Asked = Asked()
    attack_files: str = ""  # folder of the user's own attacks
    cases: int = 0
    digest: str = ""
    misfits: tuple[Misfit, ...] = ()
    accuracy: tuple[Accuracy, ...] = ()


class _Line(msgspec.Struct, frozen=True):
    case: Case
    prompt: str


def new_id() -> str:
    """An id for a run."""
    return secrets.token_hex(6)


class RunFolder:
    """An existing run, held by this process alone."""

    def __init__(self, path: str, manifest: Manifest) -> None:
        """Takes the lock. Raises EngineError when another process has it."""
        self.path, self.manifest = path, manifest
        self._lock = _locked(path)

    def close(self) -> None:
        """Lets others in."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def journal(self) -> str:
        return os.path.join(self.path, JOURNAL)


def create(base: str, manifest: Manifest, plan: Iterable[Planned], seeds: Spool | None = None) -> RunFolder:
    """Makes the folder of a run, with its plan (and seeds) written out. Raises EngineError."""
    path = os.path.join(base, manifest.id)
    try:
        _private(base)
        os.mkdir(path, 0o700)
        count, digest = _write_plan(os.path.join(path, PLAN), plan)
        if seeds is not None:
            seeds.save(os.path.join(path, SEEDS))
        manifest = msgspec.structs.replace(manifest, cases=count, digest=digest)
        _write(os.path.join(path, MANIFEST), msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        _sync(path)
    except OSError as error:
        raise EngineError(f"{path}: no run can be kept here: {(error.strerror or str(error)).lower()}") from error
    return RunFolder(path, manifest)


def read_manifest(path: str) -> Manifest:
    """The manifest of the run in `path`. Raises EngineError."""
    name = os.path.join(path, MANIFEST)
    try:
        with open(name, "rb") as file:
            return msgspec.json.decode(file.read(16 << 20), type=Manifest)
    except OSError as error:
        raise EngineError(f"{path}: no probe run: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"{name}: damaged, or of another version: {error}") from error


def find(base: str, name: str = "", *, unfinished: bool = False) -> str:
    """The folder of the run `name`: a path, an id or its beginning, "" or "last" for the newest. Raises EngineError."""
    if name and name != "last":
        if os.path.isfile(os.path.join(name, MANIFEST)):
            return name
        found = [entry for entry in _runs(base) if entry.startswith(name)] if len(name) >= SHORTEST else []
        if len(found) != 1:
            many = f"several runs begin with {name!r}; write more of the id" if found else f"no run {name!r}"
            raise EngineError(f"{base}: {many}")
        return os.path.join(base, found[0])
    paths = [os.path.join(base, entry) for entry in _runs(base)]
    newest = sorted(paths, key=lambda path: read_manifest(path).started, reverse=True)
    for path in newest:
        if not unfinished or not is_finished(path):
            return path
    raise EngineError(f"{base}: no {'unfinished ' if unfinished else ''}probe run is there")


def is_finished(path: str) -> bool:
    """Whether the last line of the journal says that every case has ended."""
    try:
        with open(os.path.join(path, JOURNAL), "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            last = file.read().splitlines()[-1:]
        record = decoded(last[0]) if last else None
    except (OSError, ValueError):
        return False
    return isinstance(record, Stopped) and not record.why


def planned_cases(path: str) -> Iterator[tuple[Case, str]]:
    """The planned cases in order, each with its seed's text. Raises EngineError."""
    name = os.path.join(path, PLAN)
    decode = msgspec.json.Decoder(_Line).decode
    try:
        with open(name, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    made = decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise EngineError(f"{name}: line {number} is damaged: {error}") from error
                yield made.case, made.prompt
    except OSError as error:
        raise EngineError(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def prompts(path: str, seeds: Iterable[str]) -> dict[str, str]:
    """The texts of the seeds named, as they were when the run was planned."""
    wanted = set(seeds)
    return {case.seed: prompt for case, prompt in planned_cases(path) if case.seed in wanted}


def digest_of(plan: Iterable[Planned]) -> str:
    """Over the ids of all cases."""
    digest = hashlib.sha256()
    for planned in plan:
        digest.update(planned.case.id.encode())
    return digest.hexdigest()


def _write_plan(path: str, plan: Iterable[Planned]) -> tuple[int, str]:
    encode = msgspec.json.encode
    digest, count = hashlib.sha256(), 0
    with open(path, "wb") as file:
        for planned in plan:
            text = planned.seed.text.encode("utf-8", "backslashreplace").decode()
            file.write(encode(_Line(planned.case, text)) + b"\n")
            digest.update(planned.case.id.encode())
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count, digest.hexdigest()


def _runs(base: str) -> list[str]:
    try:
        return sorted(entry for entry in os.listdir(base) if os.path.isfile(os.path.join(base, entry, MANIFEST)))
    except OSError:
        return []


def _private(base: str) -> None:
    """Transcripts may hold harmful texts and what a model let slip: for their owner only, and not for version control."""
    if not os.path.isdir(base):
        os.makedirs(base, mode=0o700, exist_ok=True)
        _write(os.path.join(base, ".gitignore"), b"*\n")


def _write(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked(path: str) -> int:
    name = os.path.join(path, LOCK)
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineError(f"{path}: cannot be locked: {(error.strerror or str(error)).lower()}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise EngineError(f"{path}: another process works on this run; wait for it, or begin another") from error
    return descriptor
