"""`hauberk.toml`, or `[tool.hauberk]` in pyproject.toml."""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from hauberk.assets.budget import Limits
from hauberk.assets.quoting import quote
from hauberk.core import Admission, Entry, GapReason, Kind, Policy, Stage, Suppression
from hauberk.policy.default import DEFAULT_POLICY
from hauberk.policy.errors import PolicyError
from hauberk.policy.suppress import GAP_RULE, checked

FILE = "hauberk.toml"
PROJECT_FILE = "pyproject.toml"
LARGEST = 4 << 20


class ScanSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[scan]`: what is left out, whether files are hashed, where runs are recorded."""

    exclude: tuple[str, ...] = ()
    hash: bool = True
    store: str = ""  # path or URL; "" is the user's own


class PolicyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[policy]` as written."""

    fail_on: Admission = Admission.HOLD
    replace_defaults: bool = False
    entry: tuple[Entry, ...] = ()


class ConfigFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The file as written."""

    policy: PolicyTable = PolicyTable()
    suppress: tuple[Suppression, ...] = ()
    limits: Limits = Limits()
    scan: ScanSettings = ScanSettings()
    guard: dict[str, object] = {}
    probe: dict[str, object] = {}


class Config(msgspec.Struct, frozen=True):
    """What a configuration comes to. `source` is the file it was read from, "" when there is none."""

    policy: Policy = DEFAULT_POLICY
    limits: Limits = Limits()
    scan: ScanSettings = ScanSettings()
    source: str = ""
    guard: dict[str, object] = {}  # `[guard]` as written; the gateway reads it
    probe: dict[str, object] = {}  # `[probe]` as written; its command reads it


def find_config(start: Path) -> Path | None:
    """The configuration for work done in `start`: there, or at the top of the git checkout that holds it.

    A directory outside any checkout is not searched upwards: a stranger may have put a file into /tmp.
    """
    start = start.absolute()
    top = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), start)
    for folder in (start, *start.parents):
        for path in (folder / FILE, folder / PROJECT_FILE):
            if path.is_file() and (path.name == FILE or _has_table(path)):
                return path
        if folder == top:
            return None
    return None


def load_config(path: str | os.PathLike[str] | None) -> Config:
    """The configuration in `path`; the defaults when None. Raises PolicyError: one line with file, key and what to do."""
    if path is None:
        return Config()
    name = os.fspath(path)
    raw = _parsed(name)
    if os.path.basename(name) == PROJECT_FILE:
        raw = raw.get("tool", {}).get("hauberk", {})
    try:
        file = msgspec.convert(_dates_as_text(raw), ConfigFile)
        _check_values(file)
    except msgspec.ValidationError as error:
        raise PolicyError(f"{name}: {quote(_explained(str(error)), 400)}") from error
    except PolicyError as error:
        raise PolicyError(f"{name}: {error}") from error
    return Config(policy=_policy_of(file), limits=file.limits, scan=file.scan, source=name, guard=file.guard, probe=file.probe)


def unknown_names(policy: Policy, rules: Iterable[str], risks: Iterable[str]) -> list[str]:
    """One line for each rule or risk that a policy names and this version does not have."""
    rules, risks = set(rules), set(risks)
    named = [("rule", rule, rules) for entry in policy.entries for rule in entry.rules]
    named += [("rule", s.rule, rules) for s in policy.suppressions if s.rule and not s.rule.startswith(GAP_RULE)]
    named += [("risk", risk, risks) for entry in policy.entries for risk in entry.risks]
    missing = {(what, name) for what, name, known in named if name not in known}
    return [f"the policy names the {what} {name!r}, which does not exist; it fits nothing" for what, name in sorted(missing)]


def config_in_target(config: Config, targets: Iterable[str]) -> str:
    """A notice when the configuration lies inside what is scanned, else "": its author may be the one under suspicion."""
    if not config.source:
        return ""
    source = os.path.realpath(config.source)
    for target in targets:
        if os.path.isdir(target) and source.startswith(os.path.join(os.path.realpath(target), "")):
            doubt = "check who wrote it, or name another with --config"
            return f"the configuration {config.source} lies inside the scanned {target}; {doubt}"
    return ""


def _policy_of(file: ConfigFile) -> Policy:
    entries = file.policy.entry if file.policy.replace_defaults else (*file.policy.entry, *DEFAULT_POLICY.entries)
    return Policy(entries=entries, suppressions=file.suppress, fail_on=file.policy.fail_on)


def _parsed(name: str) -> dict[str, Any]:
    try:
        with open(name, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise PolicyError(f"{name}: larger than {LARGEST >> 20} MiB; that is no configuration")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise PolicyError(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{name}: not UTF-8 text at byte {error.start}; save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{name}: not valid TOML: {error}") from error


def _has_table(path: Path) -> bool:
    try:
        return "hauberk" in _parsed(str(path)).get("tool", {})
    except PolicyError:
        return False  # somebody else's broken file; naming it with --config shows the error


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_dates_as_text(item) for item in cast("list[Any]", value)]
    return value.isoformat() if isinstance(value, dt.date | dt.time) else value


def _check_values(file: ConfigFile) -> None:
    if file.policy.fail_on == Admission.ADMIT:
        raise PolicyError("policy.fail-on: 'admit' would fail every run; write 'hold' or 'block'")
    if file.policy.replace_defaults and not file.policy.entry:
        raise PolicyError("policy.replace-defaults: leaves no entry at all; write [[policy.entry]] rows, or remove it")
    for number, entry in enumerate(file.policy.entry):
        for key, value, known in _closed_names(entry):
            if value not in known:
                raise PolicyError(f"policy.entry[{number}].{key}: {value!r} is none of {', '.join(known)}")
        if entry.gaps and (entry.stages or entry.risks or entry.rules):
            raise PolicyError(f"policy.entry[{number}]: a row with gaps judges gaps only; remove stages, risks and rules from it")
    for number, suppression in enumerate(file.suppress):
        try:
            checked(suppression)
        except PolicyError as error:
            raise PolicyError(f"suppress[{number}]: {error}") from None
    for key in Limits.__struct_fields__:
        if not getattr(file.limits, key) > 0:  # written so that nan is refused too
            raise PolicyError(f"limits.{key}: must be more than 0")


def _closed_names(entry: Entry) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for key, values, known in (
        ("kinds", entry.kinds, tuple(Kind)),
        ("stages", entry.stages, tuple(Stage)),
        ("gaps", entry.gaps, tuple(GapReason)),
    ):
        yield from ((key, value, known) for value in values)


_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_AT = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)


def _explained(message: str) -> str:
    """A validation error as `key: what is wrong; what to do`."""
    if found := _UNKNOWN.fullmatch(message):
        key, place = found.group(1), found.group(2)
        return f"{place + '.' if place else ''}{key}: unknown key; remove it, or see docs/policy.md for those there are"
    if found := _AT.fullmatch(message):
        return f"{found.group(2)}: {_said(found.group(1))}"
    return _said(message)


def _said(message: str) -> str:
    return message[:1].lower() + message[1:] + "; see docs/policy.md"
