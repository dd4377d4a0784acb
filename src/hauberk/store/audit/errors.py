"""What goes wrong with an audit log."""


class AuditError(Exception):
    """The log cannot be opened or used; the message says what, where and what to do."""


class AuditRefused(AuditError):
    """An entry was not written: the disk is full or failing. Nothing of it is in the log."""


class AuditInUse(AuditError):
    """Another process writes this log."""
