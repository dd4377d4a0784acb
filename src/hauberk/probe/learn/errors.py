"""What goes wrong while learning."""


class LearnError(Exception):
    """One line: what, where, what to do."""


class Refused(LearnError):
    """Nothing was written, because what would have been written is worse than nothing."""
