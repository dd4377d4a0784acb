"""Audit entries as events of the Open Cybersecurity Schema Framework (OCSF 1.4): API Activity and Entity Management."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, cast

from hauberk import __version__
from hauberk.store.audit.entry import Entry

VERSION = "1.4.0"
_API_ACTIVITY = 6003
_ENTITY_MANAGEMENT = 3004
_SEVERITIES = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_DISPOSITIONS = {
    "allow": (1, "Allowed"),
    "flag": (17, "Logged"),
    "redact": (11, "Corrected"),
    "ask": (15, "Detected"),
    "block": (2, "Blocked"),
}


def event_of(entry: Entry) -> dict[str, Any]:
    """`entry` as one OCSF event. What has no place in the schema is under `unmapped`."""
    return _request(entry) if entry.type == "request" else _change(entry)


def _request(entry: Entry) -> dict[str, Any]:
    data = entry.data
    findings = [cast("Mapping[str, Any]", f) for f in cast("list[Any]", data.get("findings") or [])]
    severity = max((_SEVERITIES.get(str(f.get("severity")), 0) for f in findings), default=1)
    disposition = _DISPOSITIONS.get(str(data.get("action", "allow")), (0, "Unknown"))
    status = int(cast("int", data.get("status") or 0))
    return {
        **_head(entry, _API_ACTIVITY, 99, severity),
        "activity_name": "Inference",
        "disposition_id": disposition[0],
        "disposition": disposition[1],
        "status_id": 1 if 200 <= status < 400 else 2,
        "status_code": str(status),
        "actor": {
            "user": {"uid": data.get("key_id", ""), "name": data.get("key_name", ""), "org": {"name": data.get("tenant", "")}}
        },
        "src_endpoint": {"ip": data.get("address", "")},
        "api": {"operation": data.get("route", ""), "request": {"uid": data.get("request_id", "")}, "response": {"code": status}},
        "duration": int(float(cast("float", data.get("seconds") or 0)) * 1000),
        "observables": [{"name": str(f.get("where", "")), "type_id": 99, "value": str(f.get("rule", ""))} for f in findings],
        "unmapped": {k: data[k] for k in ("model", "upstream", "usage", "incident", "gaps", "texts") if k in data},
    }


def _change(entry: Entry) -> dict[str, Any]:
    return {
        **_head(entry, _ENTITY_MANAGEMENT, 99, 1),
        "activity_name": str(entry.data.get("event", entry.type)),
        "entity": {"type": entry.type, "uid": str(entry.data.get("key_id", entry.data.get("id", "")))},
        "actor": {"user": {"name": str(entry.data.get("by", ""))}},
        "unmapped": dict(entry.data),
    }


def _head(entry: Entry, kind: int, activity: int, severity: int) -> dict[str, Any]:
    return {
        "class_uid": kind,
        "category_uid": kind // 1000,
        "activity_id": activity,
        "type_uid": kind * 100 + activity,
        "severity_id": severity,
        "time": int(dt.datetime.fromisoformat(entry.time).timestamp() * 1000),
        "metadata": {
            "version": VERSION,
            "product": {"name": "Hauberk", "vendor_name": "Hauberk", "version": __version__},
            "sequence": entry.seq,
            "uid": f"{entry.seq}:{entry.prev[:16]}",
        },
    }
