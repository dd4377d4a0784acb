"""Core ML models: classes the application is asked to load, models and weights linked by path, and the nested models.

Model: 1 specificationVersion, 2 description, 200-202 pipelines (1 models), 303/403/500 neural networks (1 layers),
502 mlProgram (2 functions), 555 customModel (10 className), 556 linkedModel, 3000 serializedModel.
NeuralNetworkLayer: 1 name, 500 custom (10 className). Program: functions -> 3 block specialisations -> 3 operations.
"""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.graph_text import text_facts
from hauberk.assets.graphs.onnx_tensor import location_problem
from hauberk.assets.graphs.protobuf import LEN, Field, Wire
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap

_NETWORKS = frozenset({303, 403, 500})
_PIPELINES = frozenset({200, 201, 202})
_MAX_TEXT = 1 << 16
# What each message of an ML program holds by field number, as far as files and texts go.
_PROGRAM: dict[str, dict[int, str]] = {
    "program": {2: "function_entry", 3: "text", 4: "attribute"},
    "function_entry": {2: "function"},
    "function": {3: "block_entry", 4: "attribute"},
    "block_entry": {2: "block"},
    "block": {3: "operation", 4: "attribute"},
    "operation": {2: "argument_entry", 4: "block", 5: "attribute"},
    "attribute": {2: "value"},
    "argument_entry": {2: "argument"},
    "argument": {1: "binding"},
    "binding": {2: "value"},
    "value": {1: "text", 3: "immediate", 5: "blob"},
    "immediate": {2: "values", 3: "values"},
    "values": {1: "value"},
    "blob": {1: "file"},
}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a Core ML model specification."""
    assert asset.content is not None
    reader = _Reader(Wire(asset.content, budget))
    seen = False
    for field in reader.wire.fields():
        seen = seen or (field.number == 1 and field.wire != LEN)
        yield from reader.part(field, 0, "model")
    if not seen:
        raise Malformed("no specification version: not a Core ML model", check="protobuf.malformed")


class _Reader:
    """Walks one specification."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def part(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        number = field.number
        if field.wire != LEN:
            return
        if number == 2:
            yield from self.strings(field, depth + 1, f"{where} description")
        elif number in _PIPELINES:
            yield from self.pipeline(field, depth + 1, where, inner=number == 202)
        elif number in _NETWORKS:
            yield from self.network(field, depth + 1, where)
        elif number == 502:
            yield from self.program(field, depth + 1, where)
        elif number == 555:
            yield from self.custom(field, depth + 1, f"{where} customModel")
        elif number == 556:
            yield from self.linked(field, depth + 1, f"{where} linkedModel")

    def model(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        for part in self.wire.inside(field, depth):
            yield from self.part(part, depth + 1, where)

    def pipeline(self, field: Field, depth: int, where: str, *, inner: bool) -> Iterator[Fact]:
        for part in self.wire.inside(field, depth):
            if part.number == 1 and inner:
                yield from self.model(part, depth + 1, f"{where}/pipeline")
            elif part.number == 1 and part.wire == LEN:
                yield from self.pipeline(part, depth + 1, where, inner=True)

    def network(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        for layer in self.wire.inside(field, depth):
            if layer.number != 1 or layer.wire != LEN:
                continue
            name = where
            for part in self.wire.inside(layer, depth + 1):
                if part.number == 1:
                    name = f"{where} layer {self.wire.text(part, 256)}"
                elif part.number == 500 and part.wire == LEN:
                    yield from self.custom(part, depth + 2, name)
                elif part.number == 556 and part.wire == LEN:
                    yield from self.linked(part, depth + 2, name)

    def custom(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        """Custom models and custom layers: the application looks the class up by name and runs it."""
        name = ""
        for part in self.wire.inside(field, depth):
            if part.number == 10:
                name = self.wire.text(part, 1024)
            elif part.wire == LEN and part.size >= 8 and part.number in {30, 40}:
                yield from self.strings(part, depth + 1, where)
        note = f"Core ML asks the application for the class {quote(name, 80)}"
        yield Fact(
            "coreml.custom-class", note, offset=field.start, where=quote(where, 100), quote=quote(name, 100), attrs={"name": name}
        )

    def linked(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        """A model in another file: LinkedModel.1 file, LinkedModelFile.1 name and .2 search path, each with a default value."""
        for file in self.wire.inside(field, depth):
            if file.number != 1 or file.wire != LEN:
                continue
            for part in self.wire.inside(file, depth + 1):
                if part.number not in {1, 2} or part.wire != LEN:
                    continue
                value = next((self.wire.text(i, 4096) for i in self.wire.inside(part, depth + 2) if i.number == 1), "")
                for path in value.split(":") if part.number == 2 else (value,):
                    yield from self.path(path, where, part.start)

    def path(self, path: str, where: str, offset: int) -> Iterator[Fact]:
        if path.startswith("@model_path/"):
            path = path.removeprefix("@model_path/")
        problem = location_problem(path)
        if problem and problem != "empty":
            note = f"a file at {quote(path, 80)} is read with the model"
            yield Fact("coreml.path", note, offset=offset, where=quote(where, 100), quote=quote(path), attrs={"problem": problem})

    def strings(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        """Code in the texts of a message whose fields are all texts, numbers or messages of the same kind."""
        if depth > 8:
            return
        data = self.wire.bytes_of(field, _MAX_TEXT)
        yield from text_facts(data.decode("utf-8", "replace"), where, field.start)

    def program(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        """An ML program: the files its constants name, in nested blocks by the paths of the schema."""
        stack = [(self.wire.inside(field, depth), "program")]
        while stack:
            message, kind = stack[-1]
            part = next(message, None)
            if part is None:
                stack.pop()
                continue
            name = _PROGRAM[kind].get(part.number, "") if part.wire == LEN else ""
            if name == "file":
                yield from self.path(self.wire.text(part, 4096), f"{where} mlProgram", part.start)
            elif name == "text":
                yield from text_facts(self.wire.text(part), f"{where} mlProgram", part.start)
            elif name:
                stack.append((self.wire.inside(part, depth + len(stack)), name))
