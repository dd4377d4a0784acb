"""The one exception a reader may raise."""

from hauberk.core import GapReason


class ReadError(Exception):
    """A reader cannot go on. Becomes a Gap, and a Fact too when `check` names one.

    Readers raise nothing else on hostile input; the property tests hold them to it.
    """

    def __init__(self, reason: GapReason, note: str, *, offset: int | None = None, check: str = "") -> None:
        super().__init__(note)
        self.reason = reason
        self.note = note
        self.offset = offset
        self.check = check


class Truncated(ReadError):
    """The bytes end before their own structure does."""

    def __init__(self, note: str, *, offset: int | None = None, check: str = "") -> None:
        super().__init__(GapReason.TRUNCATED, note, offset=offset, check=check)


class Malformed(ReadError):
    """The bytes contradict their own format."""

    def __init__(self, note: str, *, offset: int | None = None, check: str = "") -> None:
        super().__init__(GapReason.MALFORMED, note, offset=offset, check=check)
