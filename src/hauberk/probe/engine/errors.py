"""Why a run cannot begin, go on or be read."""


class EngineError(Exception):
    """One line: what, where, what to do."""


class JournalError(EngineError):
    """The journal cannot be written: a full disk, a file size limit, a vanished folder."""


class Stop(Exception):
    """Nothing more is sent in this run. The message says why; what was sent is still recorded."""
