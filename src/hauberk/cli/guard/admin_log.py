"""The audit log of what operators do on the command line, beside that of the gateway."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hauberk.guard.tables import Tables
    from hauberk.store.audit.log import AuditLog


def admin_log(tables: "Tables") -> "AuditLog | None":
    """The log in the folder `admin` of `guard.audit.folder`; None when nothing is logged. Raises AuditError."""
    import os

    from hauberk.store.audit.log import AuditLog, LogOptions

    if not tables.audit.folder:
        return None
    return AuditLog(os.path.join(tables.audit.folder, "admin"), LogOptions(tables.audit.origin))
