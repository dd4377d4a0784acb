"""What a scan is asked to do."""

import msgspec

from hauberk.assets.budget import Limits


class ScanOptions(msgspec.Struct, frozen=True):
    """How to scan. `jobs` 0 means one worker a core; `hashing` False reads headers and programs only."""

    limits: Limits = Limits()
    hashing: bool = True
    jobs: int = 0
    exclude: tuple[str, ...] = ()
    url_limit: int = 8 << 30  # bytes taken from one URL at the most
    rescan: bool = False  # look at everything again, whatever the store remembers
