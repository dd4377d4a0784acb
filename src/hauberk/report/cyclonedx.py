"""`--format cyclonedx`: the ML bill of materials, CycloneDX 1.6."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from hauberk.assets.configs.model_card import ModelCard
from hauberk.core import AssetRecord, Kind, Run
from hauberk.core.wellformed import well_formed
from hauberk.report.licences import licence_choices
from hauberk.report.printable import printable
from hauberk.report.view import View, view_of
from hauberk.rules import RulePack

SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_WEIGHTS = frozenset({Kind.MODEL, Kind.TENSORS})
_ALGORITHMS = {"sha256": "SHA-256", "blake3": "BLAKE3"}


def render(run: Run, pack: RulePack, language: str, *, cards: Sequence[ModelCard] = ()) -> bytes:
    """`run` as a bill of materials. `cards` hold what the scanned repositories claim of themselves.

    The same run gives the same bytes: serial number and time are those of the run.
    """
    del pack, language
    bill = _Bill(view_of(run), {card.asset: card for card in well_formed(tuple(cards))}).document()
    return msgspec.json.format(msgspec.json.encode(bill), indent=2) + b"\n"


class _Bill:
    """One bill being written. `bom-ref`s are unique in it."""

    def __init__(self, view: View, cards: Mapping[str, ModelCard]) -> None:
        self.view, self.run, self.cards = view, view.run, cards
        self.refs: set[str] = set()
        self.data: dict[str, dict[str, Any]] = {}
        self.packages: dict[tuple[str, str], dict[str, Any]] = {}
        self.depends: dict[str, list[str]] = {}
        self.findings: dict[str, int] = {}
        self.gaps: dict[str, int] = {}
        for asset in view.assets:
            self.findings[asset.record.uri] = len(asset.findings)
            self.gaps[asset.record.uri] = len(asset.gaps)

    def document(self) -> dict[str, Any]:
        """The whole bill."""
        records = sorted(self.run.assets, key=lambda record: record.uri)
        units = {record.uri for record in records if record.kind == Kind.REPOSITORY}
        inside: dict[str, list[AssetRecord]] = {}
        for record in records:
            if record.parent in units and record.uri not in units:
                inside.setdefault(record.parent, []).append(record)
        components: list[dict[str, Any]] = []
        for record in records:
            if record.uri in units:
                components.append(self._repository(record, inside.get(record.uri, [])))
            elif record.parent not in units:
                components.append(self._file(record))
        root = self._ref("scan", self.run.id)
        tops = [component["bom-ref"] for component in components]
        return {
            "$schema": SCHEMA,
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'hauberk:{self.run.id}:{self.run.started}')}",
            "version": 1,
            "metadata": self._metadata(root),
            "components": [*components, *self.data.values(), *self.packages.values()],
            "dependencies": [{"ref": root, "dependsOn": tops}, *self._dependencies(tops)],
            "compositions": [
                {"aggregate": "incomplete" if self.view.gaps or not self.run.complete else "unknown", "assemblies": [root]}
            ],
        }

    def _metadata(self, root: str) -> dict[str, Any]:
        name = ", ".join(printable(target) for target in self.run.targets[:10]) or "scan"
        tool = {"type": "application", "name": "hauberk", "version": self.run.versions.tool}
        moment = self.run.ended or self.run.started
        return {
            **({"timestamp": moment} if moment else {}),
            "tools": {"components": [tool]},
            "component": {"type": "application", "bom-ref": root, "name": name},
            "properties": _properties(
                {
                    "run": self.run.id,
                    "rules": self.run.versions.rules,
                    "verdict": self.view.verdict.value,
                    "gaps": str(len(self.view.gaps)),
                    "complete": str(self.run.complete).lower(),
                }
            ),
        }

    def _dependencies(self, tops: list[str]) -> Iterator[dict[str, Any]]:
        for ref in tops:
            yield {"ref": ref, "dependsOn": list(dict.fromkeys(self.depends.get(ref, [])))}

    def _repository(self, record: AssetRecord, files: list[AssetRecord]) -> dict[str, Any]:
        card = self.cards.get(record.uri)
        holds_model = any(file.kind in _WEIGHTS for file in files) or bool(card and (card.architecture or card.base_models))
        component = self._component(record, "machine-learning-model" if holds_model else "application")
        ref = component["bom-ref"]
        if card:
            component["name"] = printable(card.name) or component["name"]
            if card.licences:
                component["licenses"] = licence_choices(card.licences)
            if holds_model:
                component["modelCard"] = self._model_card(card, ref)
            if card.base_models:
                ancestors = [{"type": "machine-learning-model", "name": printable(name)} for name in card.base_models]
                component["pedigree"] = {"ancestors": ancestors}
            self.depends.setdefault(ref, []).extend(self._packages(card))
        if files:
            component["components"] = [self._file(file) for file in files]
        return component

    def _model_card(self, card: ModelCard, ref: str) -> dict[str, Any]:
        parameters: dict[str, Any] = {}
        for key, value in (("task", card.task), ("architectureFamily", card.family), ("modelArchitecture", card.architecture)):
            if value:
                parameters[key] = printable(value)
        if card.datasets:
            refs = [self._dataset(name) for name in card.datasets]
            parameters["datasets"] = [{"ref": name} for name in refs]
            self.depends.setdefault(ref, []).extend(refs)
        return {"modelParameters": parameters}

    def _dataset(self, name: str) -> str:
        if name not in self.data:
            named = printable(name)
            contents = [{"type": "dataset", "name": named}]
            self.data[name] = {"type": "data", "bom-ref": self._ref("dataset", name), "name": named, "data": contents}
        return self.data[name]["bom-ref"]

    def _packages(self, card: ModelCard) -> Iterator[str]:
        for dependency in card.dependencies:
            key = (dependency.name, dependency.version)
            if key not in self.packages:
                version = dependency.version
                purl = f"pkg:pypi/{quote(dependency.name.lower().replace('_', '-'), safe='')}"
                self.packages[key] = {
                    "type": "library",
                    "bom-ref": self._ref("package", f"{dependency.name}@{version}"),
                    "name": printable(dependency.name),
                    **({"version": printable(version)} if version else {}),
                    "purl": f"{purl}@{quote(version, safe='')}" if version else purl,
                    "properties": _properties({"declared-in": dependency.source}),
                }
            yield self.packages[key]["bom-ref"]

    def _file(self, record: AssetRecord) -> dict[str, Any]:
        return self._component(record, "machine-learning-model" if record.kind in _WEIGHTS else "file")

    def _component(self, record: AssetRecord, kind: str) -> dict[str, Any]:
        said = {
            "verdict": record.verdict.value,
            "kind": record.kind,
            "format": record.format,
            "uri": record.uri,
            "size": str(record.size) if record.size else "",
            "members": str(record.members) if record.members else "",
            "tensor-root": record.merkle,
            "findings": str(self.findings.get(record.uri, 0)),
            "gaps": str(self.gaps.get(record.uri, 0)),
        }
        name = record.uri.rstrip("/").rpartition("/")[2] or record.uri or "."
        hashes = [h for h in (_hash(record.digest),) if h]
        return {
            "type": kind,
            "bom-ref": self._ref("asset", record.uri),
            "name": printable(name),
            **({"hashes": hashes} if hashes else {}),
            "properties": _properties(said),
        }

    def _ref(self, kind: str, name: str) -> str:
        base = ref = f"{kind}:{printable(name)}"
        number = 1
        while ref in self.refs:
            number += 1
            ref = f"{base}#{number}"
        self.refs.add(ref)
        return ref


def _hash(digest: str) -> dict[str, str] | None:
    algorithm, _, content = digest.partition(":")
    known = _ALGORITHMS.get(algorithm)
    is_hex = len(content) == 64 and all(c in "0123456789abcdef" for c in content)
    return {"alg": known, "content": content} if known and is_hex else None


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"hauberk:{name}", "value": printable(value)} for name, value in values.items() if value]
