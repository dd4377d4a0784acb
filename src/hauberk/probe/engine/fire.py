"""Fires one recorded case again, apart from its run."""

import tempfile

import msgspec

from hauberk.probe.engine.folder import Manifest, create
from hauberk.probe.engine.plan import Planned
from hauberk.probe.engine.reading import results, transcript
from hauberk.probe.engine.runner import Parts
from hauberk.probe.engine.sitting import sit
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange


def fire(planned: Planned, parts: Parts, manifest: Manifest) -> tuple[Result, tuple[Exchange, ...]]:
    """Plays one case with a journal of its own, which is thrown away. Raises EngineError."""
    alone = [msgspec.structs.replace(planned, index=0)]
    with tempfile.TemporaryDirectory(prefix="hauberk-probe-") as base:
        folder = create(base, manifest, alone)
        try:
            sit(folder, alone, parts, manifest.settings)
            return next(results(folder.path)), transcript(folder.path, planned.case.id)
        finally:
            folder.close()
