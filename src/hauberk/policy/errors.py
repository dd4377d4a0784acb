"""What can be wrong with a policy, a configuration or a baseline."""


class PolicyError(ValueError):
    """One line: the file, the key, and what to do."""
