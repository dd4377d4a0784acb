"""`--format json`: the schema `hauberk.run/1`, described in docs/report-json.md."""

from typing import Any

import msgspec

from hauberk.core import AssetRecord, Finding, Gap, Run, Versions
from hauberk.core.wellformed import well_formed
from hauberk.report.view import risk_ids, risk_title
from hauberk.report.words import worst
from hauberk.rules import RulePack

SCHEMA = "hauberk.run/1"


class ReportFormatError(ValueError):
    """The bytes are no report of this schema. One line."""


class _Head(msgspec.Struct):
    """Key `run`."""

    id: str
    command: str
    targets: tuple[str, ...]
    versions: Versions
    started: str
    ended: str = ""
    complete: bool = True
    suppressed: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    exit_code: int = 0


class _Document(msgspec.Struct):
    """The part of the document that makes a Run again."""

    schema: str
    run: _Head
    assets: tuple[AssetRecord, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


def render(run: Run, pack: RulePack, language: str) -> bytes:
    """`run` as JSON. Both languages are in it, so `language` changes nothing."""
    del language
    return msgspec.json.format(msgspec.json.encode(document_of(run, pack)), indent=2) + b"\n"


def document_of(run: Run, pack: RulePack) -> dict[str, Any]:
    """The document before it is encoded."""
    run = well_formed(run)
    accepted = set(run.suppressed)
    rules = sorted({finding.rule for finding in run.findings})
    risks = sorted({finding.risk for finding in run.findings})
    return {
        "schema": SCHEMA,
        "run": _head(run),
        "assets": run.assets,
        "findings": [_item(finding, accepted) for finding in run.findings],
        "gaps": [_item(gap, accepted) for gap in run.gaps],
        "rules": {name: _rule(pack, name) for name in rules if name in pack.by_id},
        "risks": {risk: {"title": risk_title(pack, risk), **risk_ids(pack, risk)} for risk in risks},
    }


def read(data: bytes) -> Run:
    """The Run that a report was made of. Raises ReportFormatError."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReportFormatError(f"not a Hauberk report: {error}") from error
    if document.schema != SCHEMA:
        raise ReportFormatError(f"the report has schema {document.schema!r}, not {SCHEMA!r}")
    head = {name: getattr(document.run, name) for name in document.run.__struct_fields__}
    return Run(**head, assets=document.assets, findings=document.findings, gaps=document.gaps)


def _head(run: Run) -> dict[str, Any]:
    verdicts = [record.verdict for record in run.assets]
    counts = {name: sum(verdict == name for verdict in verdicts) for name in ("block", "hold", "admit")}
    return {
        **{name: getattr(run, name) for name in _Head.__struct_fields__},
        "verdict": worst(verdicts),
        "counts": {**counts, "findings": len(run.findings), "gaps": len(run.gaps), "suppressed": len(run.suppressed)},
    }


def _item(item: Finding | Gap, accepted: set[str]) -> dict[str, Any]:
    fingerprint = item.fingerprint
    fields = {name: getattr(item, name) for name in item.__struct_fields__}
    return {"fingerprint": fingerprint, **fields, "suppressed": fingerprint in accepted}


def _rule(pack: RulePack, name: str) -> dict[str, Any]:
    rule = pack.by_id[name]
    return {
        field: getattr(rule, field) for field in ("title", "why", "fix", "stage", "risk", "severity", "confidence", "references")
    }
