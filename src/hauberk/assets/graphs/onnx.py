"""ONNX models: every node, tensor and string in graphs, subgraphs, functions and training information.

ModelProto: 1 ir_version, 6 doc_string, 7 graph, 8 opset_import, 14 metadata_props, 20 training_info, 25 functions.
GraphProto: 1 node, 2 name, 5 initializer, 10 doc_string, 11 input, 12 output, 13 value_info, 15 sparse_initializer, 16 metadata.
NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 6 doc_string, 7 domain, 9 metadata_props.
AttributeProto: 1 name, 4 s, 5 t, 6 g, 9 strings, 10 tensors, 11 graphs, 13 doc_string, 22 sparse_tensor, 23 sparse_tensors.
FunctionProto: 1 name, 7 node, 8 doc_string, 10 domain, 11 attribute_proto, 14 metadata_props.
"""

import hashlib
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.graph_text import text_facts
from hauberk.assets.graphs.onnx_graph import MAX_NODES, Graph, Node, structure_facts
from hauberk.assets.graphs.onnx_tensor import Tensor, external_facts, pair_of, read_tensor
from hauberk.assets.graphs.protobuf import LEN, Field, Wire
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_MODEL_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_STANDARD = re.compile(
    r"(?:ai\.onnx(?:\.(?:ml|training|preview|preview\.training))?|com\.microsoft(?:\.(?!ext)\w+)*|com\.ms\.internal\.nhwc"
    r"|org\.pytorch\.\w+|pkg\.\w+(?:\.\w+)*|onnxscript(?:\.\w+)*|ai\.onnx\.contrib|com\.nvidia(?:\.\w+)*|trt(?:\.plugins)?"
    r"|com\.intel(?:\.\w+)*|com\.qti\.aisw|org\.openvinotoolkit)?"
)
_MAX_OPS = 2000
_MAX_NAMES = 1_500_000  # of values, over all graphs
_MAX_LOCATIONS = 200_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on an ONNX model."""
    assert asset.content is not None
    reader = _Reader(Wire(asset.content, budget))
    yield from reader.model()
    yield from reader.operators()
    if reader.cut:
        yield Gap(asset.uri, GapReason.TOO_LARGE, "a graph of too many nodes or names: its structure was not judged")


def external_locations(content: Content, budget: Budget) -> Iterator[tuple[str, dict[str, str]]]:
    """Every `location` that a tensor of the model names, with the other pairs beside it. Raises ReadError."""
    reader = _Reader(Wire(content, budget))
    for _ in reader.model():
        pass
    yield from reader.locations


def _key(name: str) -> str:
    """A value's name, cut where converters chain dozens of names into one, and still different from every other."""
    return name if len(name) <= 200 else f"{name[:160]}#{hashlib.blake2b(name.encode(), digest_size=12).hexdigest()}"


class _Reader:
    """Walks one model. What belongs to the whole model is gathered on the way."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.ops: dict[tuple[str, str], tuple[str, int]] = {}
        self.functions: set[tuple[str, str]] = set()
        self.locations: list[tuple[str, dict[str, str]]] = []
        self.names = 0
        self.cut = False

    def model(self) -> Iterator[Fact]:
        graphs = 0
        for field in self.wire.fields():
            if field.number == 7:
                graphs += 1
                yield from self.graph(field, 0, "graph", Graph())
            elif field.number == 6:
                yield from self.text(field, "doc_string")
            elif field.number == 14:
                yield from self.metadata(field, 0, "metadata_props")
            elif field.number == 20:
                for part in self.wire.inside(field, 0):
                    if part.number in {1, 2}:
                        yield from self.graph(part, 1, "training_info", Graph())
            elif field.number == 25:
                yield from self.function(field, 0)
            elif field.number not in _MODEL_FIELDS:
                note = f"the model has a field {field.number} that ONNX does not have"
                yield Fact("onnx.unknown-field", note, offset=field.start, where=f"field {field.number}", quote=str(field.number))
                if field.wire == LEN and field.size >= 16:
                    yield from text_facts(self.wire.text(field), f"field {field.number}", field.start)
        if graphs > 1:
            yield Fact("onnx.several-graphs", f"the model holds {graphs} graphs; readers merge or overwrite them", where="graph")

    def text(self, field: Field, where: str) -> Iterator[Fact]:
        if field.size >= 8:
            yield from text_facts(self.wire.text(field, 1 << 20), where, field.start)

    def metadata(self, field: Field, depth: int, where: str) -> Iterator[Fact]:
        key, value = pair_of(self.wire, field, depth)
        yield from text_facts(value, f"{where}.{quote(key, 60)}", field.start)
        yield from text_facts(key, f"{where} key", field.start)

    def graph(self, field: Field, depth: int, where: str, graph: Graph) -> Iterator[Fact]:
        if depth > 60:
            raise Malformed("graphs nested more than 60 deep", offset=field.start, check="protobuf.too-deep")
        for part in self.wire.inside(field, depth):
            number = part.number
            if number == 1:
                yield from self.node(part, depth + 1, where, graph)
            elif number == 5:
                yield from self.tensor(part, depth + 1, "initializer", graph)
            elif number == 15:
                yield from self.sparse(part, depth + 1, "sparse_initializer", graph)
            elif number in {11, 12}:
                self.keep(graph.inputs if number == 11 else graph.outputs, self.first(part, depth + 1, 1))
            elif number == 2:
                graph.name = self.wire.text(part, 1024)
                yield from self.text(part, "graph name")
            elif number == 10:
                yield from self.text(part, f"{where} doc_string")
            elif number == 16:
                yield from self.metadata(part, depth + 1, f"{where} metadata_props")
        if not self.cut:
            yield from structure_facts(graph, where)

    def first(self, field: Field, depth: int, number: int) -> Field:
        """The first field `number` of a message; an empty one when there is none."""
        missing = Field(number, LEN, 0, field.start, field.start)
        return next((part for part in self.wire.inside(field, depth) if part.number == number), missing)

    def node(self, field: Field, depth: int, where: str, graph: Graph) -> Iterator[Fact]:
        node = Node()
        attributes: list[Field] = []
        for part in self.wire.inside(field, depth):
            number = part.number
            if number in {1, 2}:
                self.keep(node.inputs if number == 1 else node.outputs, part)
            elif number == 3:
                node.name = self.wire.text(part, 1024)
            elif number == 4:
                node.op = self.wire.text(part, 1024)
            elif number == 7:
                node.domain = self.wire.text(part, 1024)
            elif number == 5:
                attributes.append(part)
            elif number == 6:
                yield from self.text(part, "node doc_string")
            elif number == 9:
                yield from self.metadata(part, depth, "node metadata_props")
        if len(self.ops) < _MAX_OPS:
            self.ops.setdefault((node.domain, node.op), (node.name or (node.outputs or [""])[0], field.start))
        inner = f"{where}/{node.name or node.op}"[:200]
        for attribute in attributes:
            yield from self.attribute(attribute, depth, inner, node)
        if len(graph.nodes) <= MAX_NODES:
            graph.nodes.append(node)
        else:
            self.cut = True

    def keep(self, names: list[str], field: Field) -> None:
        """Remembers a name for the structure, as long as there is room."""
        self.names += 1
        if self.names <= _MAX_NAMES:
            names.append(_key(self.wire.text(field, 1 << 14)))
        else:
            self.cut = True

    def attribute(self, field: Field, depth: int, where: str, node: Node) -> Iterator[Fact]:
        name = ""
        for part in self.wire.inside(field, depth):
            number = part.number
            if number == 1:
                name = self.wire.text(part, 256)
            elif number in {4, 9}:
                yield from self.string_attribute(part, f"{where} {name}", node)
            elif number in {5, 10}:
                holder = Graph()
                yield from self.tensor(part, depth + 1, f"{where} {name}", holder)
                node.value = next(iter(holder.constants.values()), None)
            elif number in {6, 11}:
                below = Graph()
                yield from self.graph(part, depth + 1, where, below)
                node.captured |= below.free_names()
                node.constant_branch |= not any(n.inputs or n.captured for n in below.nodes)
            elif number in {22, 23}:
                yield from self.sparse(part, depth + 1, f"{where} {name}", Graph())
            elif number == 13:
                yield from self.text(part, f"{where} doc_string")

    def string_attribute(self, field: Field, where: str, node: Node) -> Iterator[Fact]:
        if field.size < 3 or field.wire != LEN:
            return
        value = self.wire.text(field, 1 << 16)
        yield from text_facts(value, where, field.start)
        if re.search(r"(?i)[\w./\\-]\.(?:so(?:\.\d+)*|dll|dylib|pyd)$", value):
            note = f"an attribute of {quote(node.op, 40)} names the native library {quote(value, 80)}"
            yield Fact(
                "onnx.library",
                note,
                offset=field.start,
                where=quote(where, 100),
                quote=quote(value),
                attrs={"op": node.op, "domain": node.domain},
            )

    def tensor(self, field: Field, depth: int, where: str, graph: Graph) -> Iterator[Fact]:
        for item in read_tensor(self.wire, field, depth, where):
            if not isinstance(item, Tensor):
                yield item
                continue
            self.names += 1
            if self.names <= _MAX_NAMES:
                graph.constants[_key(item.name)] = item.scalar if item.elements == 1 else None
            if (item.pairs or item.external) and len(self.locations) < _MAX_LOCATIONS:
                pairs = dict(item.pairs)
                self.locations.append((pairs.get("location", ""), pairs))
            yield from external_facts(item, where)

    def sparse(self, field: Field, depth: int, where: str, graph: Graph) -> Iterator[Fact]:
        for part in self.wire.inside(field, depth):
            if part.number in {1, 2}:
                yield from self.tensor(part, depth + 1, where, graph)

    def function(self, field: Field, depth: int) -> Iterator[Fact]:
        name = domain = ""
        graph = Graph()
        for part in self.wire.inside(field, depth):
            if part.number == 1:
                name = self.wire.text(part, 1024)
            elif part.number == 10:
                domain = self.wire.text(part, 1024)
            elif part.number == 7:
                yield from self.node(part, depth + 1, f"function {name}", graph)
            elif part.number == 11:
                yield from self.attribute(part, depth + 1, f"function {name}", Node())
            elif part.number == 8:
                yield from self.text(part, f"function {name} doc_string")
            elif part.number == 14:
                yield from self.metadata(part, depth + 1, f"function {name} metadata_props")
        self.functions.add((domain, name))
        yield from structure_facts(graph, f"function {quote(name, 60)}")

    def operators(self) -> Iterator[Fact]:
        """One fact for each distinct operator. `plain` is its name in lower-case letters and digits only."""
        for (domain, op), (node, offset) in self.ops.items():
            known = "function" if (domain, op) in self.functions else ""
            place = known or ("standard" if _STANDARD.fullmatch(domain) else "custom")
            shown = f"{domain}::{op}" if domain else op
            attrs: dict[str, str | int | float | bool] = {
                "op": op, "domain": domain, "place": place, "plain": re.sub(r"[^a-z0-9]", "", op.lower()),
            }  # fmt: skip
            note = f"node {quote(node, 40)} runs {quote(shown, 80)}"
            yield Fact("onnx.op", note, offset=offset, where=quote(node, 80), quote=quote(shown, 100), attrs=attrs)
