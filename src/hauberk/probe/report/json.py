"""The report for programs: everything that the others show, and all figures."""

import msgspec

from hauberk.core.wellformed import well_formed
from hauberk.probe.report.view import View

SCHEMA = "hauberk.probe/1"


def render(view: View, language: str) -> bytes:
    """`view` as JSON, the same in every language."""
    del language
    return (
        msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, **msgspec.structs.asdict(well_formed(view))}), indent=1) + b"\n"
    )
