"""What goes wrong with seeds."""


class SeedError(Exception):
    """A bank that cannot be read; one line: what, where, what to do."""
