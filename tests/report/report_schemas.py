"""Validation against the official schemas under schemas/, without any network."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource

HERE = Path(__file__).parent / "schemas"


@cache
def validator(name: str) -> Any:
    registry: Registry[Any] = Registry()
    for path in HERE.glob("*.json"):
        resource = Resource.from_contents(json.loads(path.read_text("utf-8")))
        registry = registry.with_resource(f"http://cyclonedx.org/schema/{path.name}", resource)
    schema = json.loads((HERE / name).read_text("utf-8"))
    checked = jsonschema.validators.validator_for(schema)
    return checked(schema, registry=registry, format_checker=checked.FORMAT_CHECKER)


def errors(name: str, data: bytes) -> list[str]:
    """What is wrong with a document, one line each."""
    return [f"{list(e.absolute_path)}: {e.message[:200]}" for e in validator(name).iter_errors(json.loads(data))]


SARIF = "sarif-2.1.0.schema.json"
CYCLONEDX = "bom-1.6.SNAPSHOT.schema.json"
