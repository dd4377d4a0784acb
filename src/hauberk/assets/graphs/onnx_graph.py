"""What an ONNX graph does as a whole: order, cycles, and an output that a constant on the input can switch."""

from collections.abc import Iterator

import msgspec

from hauberk.assets.quoting import quote
from hauberk.core import Fact

MAX_NODES = 300_000


class Node(msgspec.Struct):
    """One node, as far as the structure needs it. `captured` are outer names its subgraphs read."""

    op: str = ""
    domain: str = ""
    name: str = ""
    inputs: list[str] = msgspec.field(default_factory=list[str])
    outputs: list[str] = msgspec.field(default_factory=list[str])
    captured: set[str] = msgspec.field(default_factory=set[str])
    constant_branch: bool = False  # an If with a branch that computes nothing from the input
    value: float | None = None  # of a Constant


class Graph(msgspec.Struct):
    """The names of one graph. `constants` maps an initializer to its value when it is one number, else None."""

    name: str = ""
    nodes: list[Node] = msgspec.field(default_factory=list[Node])
    inputs: list[str] = msgspec.field(default_factory=list[str])
    outputs: list[str] = msgspec.field(default_factory=list[str])
    constants: dict[str, float | None] = msgspec.field(default_factory=dict[str, float | None])

    def free_names(self) -> set[str]:
        """Names this graph reads and does not define: what it captures of the graphs around it."""
        defined = {*self.inputs, *self.constants, *(name for node in self.nodes for name in node.outputs)}
        used = {name for node in self.nodes for name in (*node.inputs, *node.captured)} | set(self.outputs)
        return used - defined - {""}


def structure_facts(graph: Graph, where: str) -> Iterator[Fact]:
    """Facts on cycles, names defined twice, and switched outputs."""
    if len(graph.nodes) > MAX_NODES:
        return
    producers: dict[str, int] = {}
    for number, node in enumerate(graph.nodes):
        for name in node.outputs:
            if name and producers.setdefault(name, number) != number:
                note = f"the value {quote(name, 60)} is computed by two nodes"
                yield Fact("onnx.duplicate-value", note, where=where, quote=quote(name, 80))
    yield from _cycle(graph, producers, where)
    yield from _switched(graph, producers, where)


def _cycle(graph: Graph, producers: dict[str, int], where: str) -> Iterator[Fact]:
    waiting = [0] * len(graph.nodes)
    readers: dict[int, list[int]] = {}
    for number, node in enumerate(graph.nodes):
        sources = {producers[name] for name in (*node.inputs, *node.captured) if name in producers}
        waiting[number] = len(sources)
        for source in sources:
            readers.setdefault(source, []).append(number)
    ready = [number for number, count in enumerate(waiting) if not count]
    done = 0
    while ready:
        done += 1
        for reader in readers.get(ready.pop(), ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    if done < len(graph.nodes):
        first = next(node for number, node in enumerate(graph.nodes) if waiting[number])
        note = f"{len(graph.nodes) - done} nodes wait for each other: the graph never ends"
        yield Fact("onnx.cycle", note, where=where, quote=quote(f"{first.op} {first.name or first.outputs[:1]}", 80))


_COMPARE = frozenset({"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"})
_REDUCE_WORDS = (
    "ReduceMax ReduceMin ReduceSum ReduceMean ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ArgMax ArgMin Gather "
    "GatherElements GatherND Slice Hash"
)
_REDUCE = frozenset(_REDUCE_WORDS.split())
_LEARNED_WORDS = (
    "MatMul Gemm Conv ConvTranspose LSTM GRU RNN MatMulInteger QLinearMatMul QLinearConv ConvInteger Attention Einsum "
    "BatchNormalization LayerNormalization Softmax Sigmoid Loop Scan NonMaxSuppression TopK"
)
_LEARNED = frozenset(_LEARNED_WORDS.split())
_PASS = frozenset({"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Softmax", "Sigmoid"})
_MAX_WALK = 64


def _switched(graph: Graph, producers: dict[str, int], where: str) -> Iterator[Fact]:
    """A Where or If that overrides an output of the graph, driven by comparing the raw input with an odd constant."""
    for output in graph.outputs:
        node = _behind(graph, producers, output)
        if node is None or node.op not in {"Where", "If"} or not node.inputs:
            continue
        if not _overrides(graph, producers, node):
            continue
        trigger = _trigger(graph, producers, node.inputs[0])
        if trigger is None:
            continue
        value, reduced = trigger
        note = f"the output {quote(output, 40)} is replaced when a value taken from the input compares with {value:g}"
        yield Fact(
            "onnx.switched-output",
            note,
            where=where,
            quote=quote(f"{node.op} {node.name or output}", 80),
            attrs={"reduced": reduced, "op": node.op},
        )


def _behind(graph: Graph, producers: dict[str, int], name: str) -> Node | None:
    for _ in range(4):
        number = producers.get(name)
        if number is None:
            return None
        node = graph.nodes[number]
        if node.op not in _PASS or not node.inputs:
            return node
        name = node.inputs[0]
    return None


def _overrides(graph: Graph, producers: dict[str, int], node: Node) -> bool:
    """Whether one branch is a constant and the other is what the model has learned to answer."""
    if node.op == "If":
        return node.constant_branch
    branches = node.inputs[1:3]
    constant = [_is_constant(graph, producers, name) for name in branches]
    if len(branches) != 2 or constant[0] == constant[1]:
        return False
    return _reaches(graph, producers, branches[constant.index(False)], _LEARNED)


def _is_constant(graph: Graph, producers: dict[str, int], name: str) -> bool:
    if name in graph.constants:
        return True
    number = producers.get(name)
    if number is None:
        return False
    node = graph.nodes[number]
    if node.op in {"Constant", "ConstantOfShape"}:
        return True
    return node.op in {"Identity", "Cast", "Expand", "Reshape"} and bool(node.inputs) and node.inputs[0] in graph.constants


def _reaches(graph: Graph, producers: dict[str, int], start: str, ops: frozenset[str]) -> bool:
    seen, stack = {start}, [start]
    while stack and len(seen) < 4096:
        number = producers.get(stack.pop())
        if number is None:
            continue
        node = graph.nodes[number]
        if node.op in ops:
            return True
        fresh = [name for name in (*node.inputs, *node.captured) if name not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return False


def _trigger(graph: Graph, producers: dict[str, int], condition: str) -> tuple[float, bool] | None:
    """The odd constant that the condition compares with, and whether the input was reduced to get there."""
    seen, stack = {condition}, [condition]
    value: float | None = None
    reduced = from_input = False
    while stack:
        name = stack.pop()
        from_input = from_input or name in graph.inputs
        number = producers.get(name)
        if number is None:
            continue
        node = graph.nodes[number]
        if node.op in _LEARNED or len(seen) > _MAX_WALK:
            return None
        if node.op in _COMPARE:
            found = next((v for n in node.inputs if (v := _number(graph, producers, n)) is not None), None)
            value = found if found is not None and found not in {0.0, 1.0, -1.0} else value
        reduced = reduced or node.op in _REDUCE
        fresh = [name for name in node.inputs if name and name not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return (value, reduced) if value is not None and from_input else None


def _number(graph: Graph, producers: dict[str, int], name: str) -> float | None:
    if name in graph.constants:
        return graph.constants[name]
    number = producers.get(name)
    return graph.nodes[number].value if number is not None and graph.nodes[number].op == "Constant" else None
