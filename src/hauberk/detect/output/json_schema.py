"""Whether a value fits a JSON Schema, for schemas nobody vouches for: bounded steps and depth, RE2 patterns, no remote `$ref`.

A subset of draft 2020-12: what tools are described with. What is not judged is said, so that it does not pass for valid.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from hauberk.detect.output.patterns import compiled, refused

MAX_STEPS = 20_000
MAX_DEPTH = 48
MAX_ERRORS = 10
_IGNORED = frozenset(
    "title description default examples $schema $id $comment $defs definitions format readOnly writeOnly deprecated "  # noqa: SIM905
    "contentEncoding contentMediaType nullable strict $anchor example additionalItems then else minContains maxContains".split()
)


class Unjudged(Exception):
    """The value could not be held against the schema; the message says why."""


def errors_of(schema: dict[str, object], value: object) -> list[str]:
    """What of `value` does not fit `schema`, at most ten lines. Raises Unjudged."""
    found: list[str] = []
    for error in _Judge(schema).errors(schema, value, "", 0):
        found.append(error)
        if len(found) >= MAX_ERRORS:
            break
    return found


class _Judge:
    """One validation: its root and its budget."""

    def __init__(self, root: dict[str, object]) -> None:
        self._root = root
        self._steps = 0

    def errors(self, schema: object, value: object, path: str, depth: int) -> Iterator[str]:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            raise Unjudged("the schema or the arguments are too deep or too large")
        if isinstance(schema, bool):
            if not schema:
                yield f"{path or '/'} is not allowed"
            return
        if not isinstance(schema, dict):
            raise Unjudged("the schema holds something that is no schema")
        rules = cast("dict[str, Any]", schema)
        for keyword, wanted in rules.items():
            check = _CHECKS.get(keyword)
            if check is not None:
                yield from check(self, wanted, value, path, rules, depth)
            elif keyword not in _IGNORED and not keyword.startswith("x-"):
                raise Unjudged(f"the schema uses {keyword[:40]!r}, which is not judged")

    def fits(self, schema: object, value: object, path: str, depth: int) -> bool:
        """Whether `value` fits."""
        return next(self.errors(schema, value, path, depth), None) is None

    def resolve(self, reference: object) -> object:
        """What a local `$ref` names. Raises Unjudged on a remote or dangling one."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise Unjudged("the schema refers to another document")
        at: Any = self._root
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(at, dict) or key not in at:
                raise Unjudged("the schema refers to something it does not hold")
            at = cast("dict[str, Any]", at)[key]
        return at


_Check = Callable[[_Judge, Any, object, str, dict[str, Any], int], Iterator[str]]


def _same(a: object, b: object) -> bool:
    """Equality as JSON has it: true is not 1, and 1.0 is 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        left, right = cast("list[object]", a), cast("list[object]", b)
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(a, dict) and isinstance(b, dict):
        one, two = cast("dict[str, object]", a), cast("dict[str, object]", b)
        return one.keys() == two.keys() and all(_same(one[key], two[key]) for key in one)
    return a == b


def _is_type(name: object, value: object) -> bool:
    match name:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            raise Unjudged("the schema names a type that JSON does not have")


def _type(_judge: _Judge, wanted: Any, value: object, path: str, rules: dict[str, Any], _depth: int) -> Iterator[str]:
    names = cast("list[object]", wanted) if isinstance(wanted, list) else [wanted]
    if value is None and rules.get("nullable") is True:
        return
    if not any(_is_type(name, value) for name in names):
        yield f"{path or '/'} is not of type {' or '.join(map(str, names))[:80]}"


def _enum(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if isinstance(wanted, list) and not any(_same(value, item) for item in cast("list[object]", wanted)):
        yield f"{path or '/'} is none of the values allowed"


def _const(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if not _same(value, wanted):
        yield f"{path or '/'} is not the value required"


def _properties(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, dict):
        held = cast("dict[str, object]", value)
        for name, schema in cast("dict[str, object]", wanted).items():
            if name in held:
                yield from judge.errors(schema, held[name], f"{path}/{name[:60]}", depth + 1)


def _required(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, list):
        for name in cast("list[object]", wanted):
            if name not in value:
                yield f"{path}/{str(name)[:60]} is missing"


def _additional(judge: _Judge, wanted: Any, value: object, path: str, rules: dict[str, Any], depth: int) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    named = cast("dict[str, object]", rules.get("properties") or {})
    patterns = cast("dict[str, object]", rules.get("patternProperties") or {})
    for name, item in cast("dict[str, object]", value).items():
        if name not in named and not any(_search(pattern, name) for pattern in patterns):
            yield from judge.errors(wanted, item, f"{path}/{name[:60]}", depth + 1)


def _pattern_properties(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, dict):
        for pattern, schema in cast("dict[str, object]", wanted).items():
            for name, item in cast("dict[str, object]", value).items():
                if _search(pattern, name):
                    yield from judge.errors(schema, item, f"{path}/{name[:60]}", depth + 1)


def _names(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for name in cast("dict[str, object]", value):
            yield from judge.errors(wanted, name, f"{path}/{name[:60]}", depth + 1)


def _items(judge: _Judge, wanted: Any, value: object, path: str, rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, list):
        prefix = rules.get("prefixItems")
        first = len(cast("list[object]", prefix)) if isinstance(prefix, list) else 0
        for number, item in enumerate(cast("list[object]", value)[first:], first):
            yield from judge.errors(wanted, item, f"{path}/{number}", depth + 1)


def _prefix_items(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, list) and isinstance(wanted, list):
        pairs = zip(cast("list[object]", wanted), cast("list[object]", value), strict=False)
        for number, (schema, item) in enumerate(pairs):
            yield from judge.errors(schema, item, f"{path}/{number}", depth + 1)


def _contains(judge: _Judge, wanted: Any, value: object, path: str, rules: dict[str, Any], depth: int) -> Iterator[str]:
    if isinstance(value, list):
        count = sum(judge.fits(wanted, item, path, depth + 1) for item in cast("list[object]", value))
        if count < rules.get("minContains", 1) or count > rules.get("maxContains", count):
            yield f"{path or '/'} does not hold what it must"


def _unique(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if wanted is True and isinstance(value, list):
        items = cast("list[object]", value)
        if len(items) > 200:
            raise Unjudged("a list is too long to be checked for twins")
        if any(_same(a, b) for at, a in enumerate(items) for b in items[at + 1 :]):
            yield f"{path or '/'} holds something twice"


def _bound(test: Callable[[Any, Any], bool], measure: Callable[[object], Any], words: str) -> _Check:
    def check(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
        size = measure(value)
        if size is not None and isinstance(wanted, int | float) and not isinstance(wanted, bool) and not test(size, wanted):
            yield f"{path or '/'} is {words} {wanted}"

    return check


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _string_length(value: object) -> int | None:
    return len(value) if isinstance(value, str) else None


def _list_length(value: object) -> int | None:
    return len(cast("list[object]", value)) if isinstance(value, list) else None


def _object_length(value: object) -> int | None:
    return len(cast("dict[str, object]", value)) if isinstance(value, dict) else None


def _multiple(value: float, step: float) -> bool:
    if step <= 0:
        return True
    try:
        ratio = value / step
        return value % step == 0 or abs(ratio - round(ratio)) < 1e-9
    except OverflowError as error:
        raise Unjudged("a number is too large") from error


def _pattern(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if isinstance(value, str) and isinstance(wanted, str) and not _search(wanted, value):
        yield f"{path or '/'} does not have the form required"


def _search(pattern: str, text: str) -> bool:
    if len(pattern) > 1000:
        raise Unjudged("a pattern of the schema is too long")
    try:
        return compiled(pattern).search(text.encode("utf-8", "replace")) is not None
    except refused() as error:
        raise Unjudged("a pattern of the schema is not one that RE2 takes") from error


def _reference(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    yield from judge.errors(judge.resolve(wanted), value, path, depth + 1)


def _schemas(wanted: Any) -> list[object]:
    if not isinstance(wanted, list):
        raise Unjudged("the schema holds something that is no list of schemas")
    return cast("list[object]", wanted)


def _all_of(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    for schema in _schemas(wanted):
        yield from judge.errors(schema, value, path, depth + 1)


def _any_of(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if not any(judge.fits(schema, value, path, depth + 1) for schema in _schemas(wanted)):
        yield f"{path or '/'} fits none of the forms allowed"


def _one_of(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if sum(judge.fits(schema, value, path, depth + 1) for schema in _schemas(wanted)) != 1:
        yield f"{path or '/'} does not fit exactly one of the forms allowed"


def _not(judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], depth: int) -> Iterator[str]:
    if judge.fits(wanted, value, path, depth + 1):
        yield f"{path or '/'} has a form that is not allowed"


def _if(judge: _Judge, wanted: Any, value: object, path: str, rules: dict[str, Any], depth: int) -> Iterator[str]:
    branch = "then" if judge.fits(wanted, value, path, depth + 1) else "else"
    if branch in rules:
        yield from judge.errors(rules[branch], value, path, depth + 1)


def _dependent(_judge: _Judge, wanted: Any, value: object, path: str, _rules: dict[str, Any], _depth: int) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, dict):
        for name, others in cast("dict[str, list[str]]", wanted).items():
            for other in others if name in value else ():
                if other not in value:
                    yield f"{path}/{other[:60]} is missing"


_CHECKS: dict[str, _Check] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "patternProperties": _pattern_properties,
    "propertyNames": _names,
    "items": _items,
    "prefixItems": _prefix_items,
    "contains": _contains,
    "uniqueItems": _unique,
    "minimum": _bound(lambda a, b: a >= b, _number, "less than"),
    "maximum": _bound(lambda a, b: a <= b, _number, "more than"),
    "exclusiveMinimum": _bound(lambda a, b: a > b, _number, "not more than"),
    "exclusiveMaximum": _bound(lambda a, b: a < b, _number, "not less than"),
    "multipleOf": _bound(_multiple, _number, "no multiple of"),
    "minLength": _bound(lambda a, b: a >= b, _string_length, "shorter than"),
    "maxLength": _bound(lambda a, b: a <= b, _string_length, "longer than"),
    "minItems": _bound(lambda a, b: a >= b, _list_length, "shorter than"),
    "maxItems": _bound(lambda a, b: a <= b, _list_length, "longer than"),
    "minProperties": _bound(lambda a, b: a >= b, _object_length, "smaller than"),
    "maxProperties": _bound(lambda a, b: a <= b, _object_length, "larger than"),
    "pattern": _pattern,
    "$ref": _reference,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "dependentRequired": _dependent,
}
