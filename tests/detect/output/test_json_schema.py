import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect.output.json_schema import Unjudged, errors_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5, allow_nan=False) | st.text("ab1", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])


def _composed(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    lists = st.lists(inner, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=1),
            "additionalProperties": inner,
            "propertyNames": inner,
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "dependentRequired": st.dictionaries(st.sampled_from("ab"), st.lists(st.sampled_from("bc"), unique=True), max_size=1),
            "items": inner,
            "prefixItems": lists,
            "contains": inner,
            "uniqueItems": st.booleans(),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.integers(-3, 3),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "minProperties": st.integers(0, 2),
            "pattern": st.sampled_from(["^a", "1", "b+$"]),
            "allOf": lists,
            "anyOf": lists,
            "oneOf": lists,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.builds(lambda name: {"type": name}, TYPES), _composed, max_leaves=6)


@settings(max_examples=400, deadline=None)
@given(SCHEMAS, VALUES)
def test_judges_as_the_reference_does(schema: object, value: object) -> None:
    if not isinstance(schema, dict):
        schema = {"allOf": [schema]}
    assert (errors_of(schema, value) == []) == jsonschema.Draft202012Validator(schema).is_valid(value)


def test_local_references() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    assert errors_of(schema, {"a": 1}) == []
    assert errors_of(schema, {"a": "x"}) == ["/a is not of type integer"]


HOSTILE: list[dict[str, object]] = [
    {"$ref": "https://evil.example/schema.json"},
    {"$ref": "#"},
    {"$ref": "#/$defs/absent"},
    {"pattern": "(a+)+$" * 400},
    {"pattern": "(?=a)a"},
    {"type": "thing"},
    {"anyOf": "x"},
    {"properties": {"a": 7}},
    {"unevaluatedProperties": False},
    {"allOf": [{"allOf": [{"allOf": [{"type": "string"}] * 30}] * 30}] * 30},
]


@pytest.mark.parametrize("schema", HOSTILE)
def test_what_cannot_be_judged_does_not_pass_for_valid(schema: dict[str, object]) -> None:
    with pytest.raises(Unjudged):
        errors_of(schema, {"a": 1} if "properties" in schema else "aaaa")


def test_a_catastrophic_pattern_is_linear() -> None:
    assert errors_of({"pattern": "^(a+)+$"}, "a" * 50_000 + "!") == ["/ does not have the form required"]


def test_errors_are_bounded() -> None:
    schema = {"required": [f"k{n}" for n in range(1000)]}
    assert len(errors_of(schema, {})) == 10
