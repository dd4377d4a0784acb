"""What goes wrong with a rule before it is ever held against anything."""


class RuleError(ValueError):
    """A rule is not usable. The message names the rule and says what to do."""
