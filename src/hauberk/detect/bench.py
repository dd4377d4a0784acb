"""The bench: every rule compiled by its engine, held against one asset at a time."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

from hauberk.core import Asset, Detector, Finding, Gap, GapReason, Kind, Rule
from hauberk.detect.errors import RuleError

_ENGINE = re.compile(r"[a-z][a-z_]*")


class Bench:
    """Compiles rules into detectors, one per engine and kind; `inspect` runs those that read the asset's kind."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Raises RuleError when a rule names no engine of ours or has a `match` its engine refuses."""
        self._rules: dict[Kind, dict[str, list[Rule]]] = {}
        for rule in rules:
            if not _ENGINE.fullmatch(rule.engine):
                raise RuleError(f"{rule.id}: engine {rule.engine!r} is not a plain name")
            for kind in rule.reads:
                self._rules.setdefault(kind, {}).setdefault(rule.engine, []).append(rule)
        self._detectors: dict[Kind, tuple[tuple[str, Detector], ...]] = {}

    def compile_all(self) -> None:
        """Compiles what is otherwise compiled when a kind is first met. Raises RuleError."""
        for kind in self._rules:
            self._of(kind)

    def _of(self, kind: Kind) -> tuple[tuple[str, Detector], ...]:
        detectors = self._detectors.get(kind)
        if detectors is None:
            by_engine = self._rules.get(kind, {})
            detectors = tuple((name, _compile(name, rules)) for name, rules in by_engine.items())
            self._detectors[kind] = detectors
        return detectors

    def inspect(self, asset: Asset) -> Iterator[Finding | Gap]:
        """What the rules say of `asset`. A detector that raises leaves a Gap."""
        for name, detector in self._of(asset.kind):
            try:
                yield from detector(asset)
            except Exception as error:  # noqa: BLE001 - the one place: a broken detector must not hide the others
                note = f"the {name} engine failed: {type(error).__name__}: {error}"[:300]
                yield Gap(asset.uri, GapReason.DETECTOR_ERROR, note, rule=name)


def _compile(engine: str, rules: Sequence[Rule]) -> Detector:
    try:
        module = import_module(f"hauberk.detect.engines.{engine}")
    except ModuleNotFoundError as error:
        raise RuleError(f"{rules[0].id}: there is no engine {engine!r}") from error
    detector: Detector = module.compile_rules(rules)
    return detector
