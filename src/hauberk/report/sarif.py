"""`--format sarif`: SARIF 2.1.0, for code hosts and dashboards."""

import re
import uuid
from typing import Any
from urllib.parse import quote

import msgspec

from hauberk.core import Evidence, Finding, Gap, Rule, Run, Severity
from hauberk.core.wellformed import well_formed
from hauberk.report.plain import gap_text
from hauberk.report.printable import flowing, printable
from hauberk.report.view import risk_ids
from hauberk.rules import RulePack

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INFORMATION = "https://github.com/hauberk/hauberk"
FINGERPRINT = "hauberk/v1"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# What GitHub sorts alerts by; the middle of the CVSS range that each word stands for.
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0", Severity.INFO: "0.0"}
_TAXONOMY_URIS = {"cwe": "https://cwe.mitre.org/", "atlas": "https://atlas.mitre.org/", "owasp": "https://genai.owasp.org/"}
_LINE = re.compile(r"\bline (\d{1,9})\b")


def render(run: Run, pack: RulePack, language: str) -> bytes:
    """`run` as SARIF. Rules carry both languages; messages are in `language` where there is one."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_Log(well_formed(run), pack, language).run()]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


class _Log:
    """One SARIF run being written."""

    def __init__(self, run: Run, pack: RulePack, language: str) -> None:
        self.source, self.pack, self.language = run, pack, language
        self.accepted = set(run.suppressed)
        self.rules = sorted({finding.rule for finding in run.findings})
        self.rule_index = {name: index for index, name in enumerate(self.rules)}
        roots = [record.uri for record in run.assets] + [item.root or item.asset for item in (*run.findings, *run.gaps)]
        self.artifacts = {uri: index for index, uri in enumerate(dict.fromkeys(roots))}
        self.taxonomies = self._taxonomies()

    def run(self) -> dict[str, Any]:
        """The `run` object."""
        return {
            "tool": {"driver": self._driver()},
            "automationDetails": {"id": f"hauberk/{self.source.command}/"},
            "invocations": [self._invocation()],
            "taxonomies": self._taxonomy_components(),
            "artifacts": self._artifacts(),
            "results": [self._result(finding) for finding in self.source.findings],
            "columnKind": "unicodeCodePoints",
            "properties": {
                "runId": self.source.id,
                "complete": self.source.complete,
                "notices": list(self.source.notices),
                "verdicts": {record.uri: record.verdict for record in self.source.assets},
            },
        }

    def _driver(self) -> dict[str, Any]:
        return {
            "name": "Hauberk",
            "version": self.source.versions.tool,
            "informationUri": INFORMATION,
            "language": "zh-CN" if self.language == "zh" else "en-US",
            "rules": [self._rule(name) for name in self.rules],
            "supportedTaxonomies": [{"name": name, "index": index} for index, name in enumerate(self.taxonomies)],
            "properties": {"rulesDigest": self.source.versions.rules},
        }

    def _rule(self, name: str) -> dict[str, Any]:
        rule = self.pack.by_id.get(name)
        if rule is None:
            return {"id": name}
        return {
            "id": rule.id,
            "shortDescription": {"text": rule.title[self.language]},
            "fullDescription": {"text": flowing(rule.why[self.language])},
            "help": {"text": _help(rule, bold=""), "markdown": _help(rule, bold="**")},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            "relationships": self._relationships(rule.risk),
            "properties": {
                "tags": list(dict.fromkeys(("security", rule.risk, rule.stage.value))),
                "precision": rule.confidence,
                "security-severity": _SCORES[rule.severity],
            },
        }

    def _relationships(self, risk: str) -> list[dict[str, Any]]:
        related: list[dict[str, Any]] = []
        for framework, ids in risk_ids(self.pack, risk).items():
            component = {"name": framework, "index": list(self.taxonomies).index(framework)}
            related.extend({"target": {"id": taxon, "toolComponent": component}, "kinds": ["relevant"]} for taxon in ids)
        return related

    def _taxonomies(self) -> dict[str, list[str]]:
        """Framework -> the ids that the run's rules refer to."""
        found: dict[str, set[str]] = {}
        rules = self.pack.by_id
        for risk in {rules[name].risk for name in self.rules if name in rules}:
            for framework, ids in risk_ids(self.pack, risk).items():
                found.setdefault(framework, set()).update(ids)
        return {framework: sorted(found[framework]) for framework in sorted(found)}

    def _taxonomy_components(self) -> list[dict[str, Any]]:
        editions = self.pack.taxonomy.get("editions", {})
        return [
            {
                "name": framework,
                "fullName": str(editions.get(framework, framework)),
                "guid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{INFORMATION}/taxonomy/{framework}")),
                "isComprehensive": False,
                "taxa": [{"id": taxon} for taxon in ids],
                **_information(framework),
            }
            for framework, ids in self.taxonomies.items()
        ]

    def _invocation(self) -> dict[str, Any]:
        notes = [self._gap(gap) for gap in self.source.gaps]
        notes += [{"level": "note", "message": {"text": printable(notice)}} for notice in self.source.notices]
        return {
            "executionSuccessful": self.source.complete,
            "exitCode": self.source.exit_code,
            "startTimeUtc": _utc(self.source.started),
            **({"endTimeUtc": _utc(self.source.ended)} if self.source.ended else {}),
            "toolExecutionNotifications": notes,
        }

    def _gap(self, gap: Gap) -> dict[str, Any]:
        return {
            "descriptor": {"id": f"gap:{gap.reason.value}"},
            "level": "warning",
            "message": {"text": printable(f"{gap.asset}: {gap_text(gap, self.language)}")},
            "locations": [self._location(gap.asset, gap.root, Evidence(offset=gap.offset))],
            "properties": {"fingerprint": gap.fingerprint, "suppressed": gap.fingerprint in self.accepted},
        }

    def _artifacts(self) -> list[dict[str, Any]]:
        records = {record.uri: record for record in self.source.assets}
        artifacts: list[dict[str, Any]] = []
        for uri in self.artifacts:
            artifact: dict[str, Any] = {"location": {"uri": _uri(uri)}}
            if record := records.get(uri):
                artifact["length"] = record.size
                artifact["properties"] = {"verdict": record.verdict, "kind": record.kind, "format": record.format}
                if record.digest.startswith("sha256:"):
                    artifact["hashes"] = {"sha-256": record.digest.removeprefix("sha256:")}
            artifacts.append(artifact)
        return artifacts

    def _result(self, finding: Finding) -> dict[str, Any]:
        fingerprint = finding.fingerprint
        pieces = finding.evidence or (Evidence(),)
        places = [self._location(finding.asset, finding.root, piece) for piece in pieces]
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "ruleIndex": self.rule_index[finding.rule],
            "level": _LEVELS[finding.severity],
            "message": {"text": printable(finding.message) or finding.rule},
            "locations": places[:1],
            "relatedLocations": _distinct(places[1:]),
            "partialFingerprints": {FINGERPRINT: fingerprint},
            "properties": {
                "severity": finding.severity,
                "confidence": finding.confidence,
                "risk": finding.risk,
                "stage": finding.stage,
                "evidence": [{"where": e.where, "quote": e.quote, "note": e.note} for e in finding.evidence],
            },
        }
        if fingerprint in self.accepted:
            result["suppressions"] = [{"kind": "external", "status": "accepted"}]
        return result

    def _location(self, asset: str, root: str, piece: Evidence) -> dict[str, Any]:
        root = root or asset
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(root), "index": self.artifacts[root]}}
        if asset == root and (region := _region(piece)):
            place["region"] = region
        location: dict[str, Any] = {"physicalLocation": place}
        if asset != root or piece.where:
            full = f"{asset}#{piece.where}" if piece.where else asset
            name = piece.where if asset == root else asset.rpartition("!/")[2] or asset
            location["logicalLocations"] = [{"name": name, "fullyQualifiedName": full, "kind": "member"}]
        if asset != root and piece.offset is not None:
            location["properties"] = {"memberByteOffset": piece.offset}
        return location


def _region(piece: Evidence) -> dict[str, Any]:
    region: dict[str, Any] = {}
    if (line := _LINE.search(piece.where)) and int(line.group(1)):
        region["startLine"] = int(line.group(1))
    elif piece.offset is not None and piece.offset >= 0:
        region["byteOffset"] = piece.offset
        if piece.length:
            region["byteLength"] = piece.length
    if region and piece.quote:
        region["snippet"] = {"text": printable(piece.quote)}
    return region


def _distinct(places: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [place for number, place in enumerate(places) if place not in places[:number]]


def _information(framework: str) -> dict[str, str]:
    uri = next((uri for prefix, uri in _TAXONOMY_URIS.items() if framework.startswith(prefix)), "")
    return {"informationUri": uri} if uri else {}


def _help(rule: Rule, *, bold: str) -> str:
    parts = [
        f"{bold}Why{bold}: {flowing(rule.why.en)}",
        f"{bold}Fix{bold}: {flowing(rule.fix.en)}",
        f"{bold}原因{bold}：{flowing(rule.why.zh)}",
        f"{bold}处理{bold}：{flowing(rule.fix.zh)}",
    ]
    return "\n\n".join((*parts, *rule.references))


def _uri(uri: str) -> str:
    """A URI reference: a path keeps its slashes; a scheme stays only where it is one that names a place."""
    if uri.startswith(("http://", "https://")):
        return quote(uri, safe="/:?#@!$&'()*+,;=-._~")
    quoted = quote(uri, safe="/!$&'()*+,;=@-._~")
    # A leading // would name a host.
    return "/" + quoted.lstrip("/") if quoted.startswith("//") else quoted


def _utc(moment: str) -> str:
    return moment[:-6] + "Z" if moment.endswith("+00:00") else moment
