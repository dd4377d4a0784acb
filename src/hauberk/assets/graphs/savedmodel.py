"""TensorFlow graphs: SavedModel, MetaGraphDef, GraphDef, and the files that lie beside them.

SavedModel: 1 version, 2 meta_graphs. MetaGraphDef: 1 meta_info, 2 graph_def, 3 saver_def, 4 collection_def, 5 signature_def,
6 asset_file_def, 7 object_graph_def. GraphDef: 1 node, 2 library. FunctionDefLibrary: 1 function.
FunctionDef: 1 signature (OpDef: 1 name, 2 input_arg), 3 node_def, 5 attr. Keras SavedMetadata: 1 nodes (4 identifier, 5 metadata).
"""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.graphs.graph_text import bytes_facts, text_facts
from hauberk.assets.graphs.protobuf import LEN, Field, Wire
from hauberk.assets.graphs.savedmodel_graph import MAX_NODES, Node, Program, Scope, is_outside, reach, read_node
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_TABLE_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_SHARD = re.compile(r"(?:^|[./_-])data-\d{5}-of-\d{5}$")
# Operations whose inputs are worth following to their source. What they can do is for the rules to say.
_FOLLOWED = re.compile(
    r"(?i)file|save|restore|reader|dataset|lookup|initializetable|summary|rpc|proto|immutableconst|snapshot|checkpoint"
    r"|vocab|remap|sql|lmdb|kafka|pubsub|bigquery|bigtable|library|mergev2|sharded"
)
_MAX_FACTS = 3000
_KEPT = 1024  # characters kept of a text, to tell where it points
_MAX_KEPT = 96 << 20
# Attributes that label a node; they are never opened.
_LABELS = frozenset({"container", "shared_name", "device", "debug_name", "equation", "pattern", "rewrite", "message", "summarize"})


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a TensorFlow graph in any wrapping, or on a file of a checkpoint."""
    assert asset.content is not None
    base = asset.name.rsplit("/", 1)[-1]
    tail = asset.content.read(max(0, asset.content.size - 8), 8)
    if tail == _TABLE_MAGIC:
        yield from _checkpoint_table(asset)
    elif _SHARD.search(base):
        yield from bytes_facts(asset.content.read(0, 512), asset.content.size, "the first variable", 0)
    elif base != "fingerprint.pb":
        yield from _Reader(asset, budget).read()
    else:
        for _ in Wire(asset.content, budget).fields():
            pass


def _checkpoint_table(asset: Asset) -> Iterator[Fact]:
    """A LevelDB table: its footer holds the places of two blocks, which must lie before it."""
    assert asset.content is not None
    size = asset.content.size
    if size < 48:
        raise Malformed("a checkpoint table shorter than its footer", check="tf.checkpoint-bounds")
    footer = asset.content.read(size - 48, 40)
    position = 0
    numbers: list[int] = []
    while len(numbers) < 4 and position < len(footer):
        value = shift = 0
        while position < len(footer):
            byte = footer[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        numbers.append(value)
    for offset, length in zip(numbers[0::2], numbers[1::2], strict=False):
        if offset + length > size - 48:
            note = f"a block of {length} bytes at {offset} in a table of {size} bytes"
            yield Fact("tf.checkpoint-bounds", note, offset=size - 48, where="footer", quote=f"{offset}+{length}")


class _Reader:
    """Walks one protocol-buffer file."""

    def __init__(self, asset: Asset, budget: Budget) -> None:
        assert asset.content is not None
        self.asset = asset
        self.content = asset.content
        self.wire = Wire(asset.content, budget)
        self.program = Program()
        self.nodes = 0
        self.kept = 0
        self.late: list[Asset] = []

    def read(self) -> Iterator[Fact | Asset | Gap]:
        broken: ReadError | None = None
        try:
            yield from self.top()
        except ReadError as error:
            broken = error  # what was read before the break is judged too
        yield from self.operations()
        yield from self.late
        if broken is not None:
            raise broken
        if self.nodes > MAX_NODES:
            yield Gap(self.asset.uri, GapReason.TOO_LARGE, f"more than {MAX_NODES} nodes: the rest was not judged")

    def top(self) -> Iterator[Fact]:
        wrapping = ""
        for field in self.wire.fields():
            if not wrapping:
                wrapping = self.wrapping(field)
            if wrapping == "savedmodel" and field.number == 2 and field.wire == LEN:
                yield from self.meta_graph(field, 0)
            elif wrapping == "keras" and field.number == 1:
                yield from self.keras_node(field, 0)
            elif wrapping == "metagraph":
                yield from self.meta_graph_part(field, 0)
            elif wrapping == "graph":
                yield from self.graph_part(field, 0, self.scope(""))

    def wrapping(self, field: Field) -> str:
        """What the first field says the file is: SavedModel begins with its version, the others with a message."""
        if field.number == 1 and field.wire != LEN:
            return "savedmodel"
        if field.wire != LEN:
            return ""
        inner = {part.number: part for _, part in zip(range(8), self.wire.inside(field, 0), strict=False)}
        if field.number == 1:
            if 4 in inner and inner[4].wire == LEN and self.wire.text(inner[4], 16).startswith("_tf_keras_"):
                return "keras"
            return "graph" if {1, 2} <= set(inner) and self.is_operation(inner[2]) else "metagraph"
        if field.number == 2:
            return "savedmodel" if self.looks_like_meta_graph(inner) else "metagraph"
        return ""

    def is_operation(self, field: Field) -> bool:
        return field.wire == LEN and re.fullmatch(r"[A-Za-z_][\w.>-]*", self.wire.text(field, 200)) is not None

    def looks_like_meta_graph(self, inner: dict[int, Field]) -> bool:
        graph = inner.get(2)
        if graph is None or graph.wire != LEN:
            return False
        parts = {part.number: part for _, part in zip(range(4), self.wire.inside(graph, 1), strict=False)}
        return 1 in parts and parts[1].wire == LEN and 2 not in inner.keys() - {2}

    def scope(self, name: str) -> Scope:
        return self.program.scopes.setdefault(name, Scope(name))

    def meta_graph(self, field: Field, depth: int) -> Iterator[Fact]:
        for part in self.wire.inside(field, depth):
            yield from self.meta_graph_part(part, depth + 1)

    def meta_graph_part(self, part: Field, depth: int) -> Iterator[Fact]:
        if part.wire != LEN:
            return
        if part.number == 2:
            scope = self.scope("")
            for inner in self.wire.inside(part, depth):
                yield from self.graph_part(inner, depth + 1, scope)
        elif part.number == 3:
            name = next((self.wire.text(i, 1024) for i in self.wire.inside(part, depth) if i.number == 1), "")
            self.program.saver_paths.add(name.split(":", 1)[0])
        elif part.number == 4:
            yield from self.collection(part, depth)
        elif part.number == 6:
            yield from self.asset_file(part, depth)

    def graph_part(self, part: Field, depth: int, scope: Scope) -> Iterator[Fact]:
        if part.number == 1 and part.wire == LEN:
            yield from self.node(part, depth, scope)
        elif part.number == 2 and part.wire == LEN:
            for function in self.wire.inside(part, depth):
                if function.number == 1 and function.wire == LEN:
                    yield from self.function(function, depth + 1)

    def node(self, field: Field, depth: int, scope: Scope) -> Iterator[Fact]:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            return
        node = read_node(self.wire, field, depth)
        name = node.name if node.name not in scope.nodes else f"{node.name}#{self.nodes}"
        yield from self.text(node, scope)
        self.kept += sum(map(len, node.inputs)) + sum(min(len(text), _KEPT) for _, text, _ in node.strings)
        if self.kept > _MAX_KEPT:
            note = "more names and texts in one graph than are kept"
            raise ReadError(GapReason.TOO_LARGE, note, offset=field.start)
        node.strings = [(key, text[:_KEPT], offset) for key, text, offset in node.strings]
        scope.nodes[name] = node

    def function(self, field: Field, depth: int) -> Iterator[Fact]:
        scope = Scope()
        for part in self.wire.inside(field, depth):
            if part.number == 1 and part.wire == LEN:
                for inner in self.wire.inside(part, depth + 1):
                    if inner.number == 1:
                        scope.name = self.wire.text(inner, 1024)
                    elif inner.number == 2 and inner.wire == LEN:
                        names = [self.wire.text(i, 1024) for i in self.wire.inside(inner, depth + 2) if i.number == 1]
                        scope.arguments.extend(names[:1])
            elif part.number == 3 and part.wire == LEN:
                yield from self.node(part, depth + 1, scope)
        self.program.scopes[scope.name or f"#{len(self.program.scopes)}"] = scope

    def collection(self, field: Field, depth: int) -> Iterator[Fact]:
        """A collection holds lists of bytes or strings; what frameworks put there is names and serialised messages."""
        key = ""
        for part in self.wire.inside(field, depth):
            if part.number == 1:
                key = self.wire.text(part, 256)
            elif part.number == 2 and part.wire == LEN and part.size >= 8:
                yield from text_facts(self.wire.text(part, 1 << 18), f"collection {quote(key, 60)}", part.start)

    def asset_file(self, field: Field, depth: int) -> Iterator[Fact]:
        for part in self.wire.inside(field, depth):
            if part.number == 1 and part.wire == LEN:
                name = next((self.wire.text(i, 1024) for i in self.wire.inside(part, depth + 1) if i.number == 1), "")
                self.program.assets.add(name.split(":", 1)[0])
            elif part.number == 2:
                name = self.wire.text(part, 4096)
                if name.startswith(("/", "\\", "~")) or ".." in re.split(r"[\\/]", name) or ":" in name or "\x00" in name:
                    note = f"an asset file is said to be at {quote(name, 80)}"
                    yield Fact("tf.asset-path", note, offset=part.start, where="asset_file_def", quote=quote(name))

    def keras_node(self, field: Field, depth: int) -> Iterator[Fact]:
        """Keras keeps each layer's configuration as JSON; it is read as any other Keras architecture."""
        identifier = ""
        for part in self.wire.inside(field, depth):
            if part.number == 4:
                identifier = self.wire.text(part, 64)
            elif part.number == 5 and part.wire == LEN and part.size > 2:
                content = SliceContent(self.content, part.start, part.size)
                name = f"{identifier}@{part.start}.json"
                if len(self.late) < 20_000:
                    self.late.append(self.asset.child(name, content, format="keras_config"))
        yield from ()

    def operations(self) -> Iterator[Fact]:
        """One fact for each distinct operation, reach and path."""
        seen: set[tuple[str, str, str]] = set()
        for scope in self.program.scopes.values():
            for node in scope.nodes.values():
                self.wire.budget.tick()
                path, how = self.path(node, scope)
                key = (node.op, how, path)
                if key in seen or len(seen) >= _MAX_FACTS:
                    continue
                seen.add(key)
                place = f"{scope.name}/{node.name}" if scope.name else node.name
                note = f"{quote(node.op, 60)} at {quote(place, 80)}" + (f" with {quote(path, 80)}" if path else "")
                attrs: dict[str, str | int | float | bool] = {"op": node.op, "path": how, "argument": quote(path, 200)}
                shown = f"{quote(node.op, 80)} {quote(path, 80)}".strip()
                yield Fact("tf.op", note, offset=node.offset, where=quote(place, 120), quote=shown, attrs=attrs)

    def path(self, node: Node, scope: Scope) -> tuple[str, str]:
        """A text the operation is given, and where it comes from ("" when the operation takes none)."""
        if node.op == "Const":
            return "", ""
        own = [text for key, text, _ in node.strings if key not in _LABELS and not key.startswith("_")]
        outside = next((text for text in own if is_outside(text)), "")
        if outside:
            return outside, "outside"
        if not _FOLLOWED.search(node.op):
            return "", ""
        sources = self.program.sources(scope, node.inputs)
        how = reach(sources)
        if how not in {"outside", "constant"}:
            return "", how
        return next((c for c in sources.constants if is_outside(c)), next(filter(None, sources.constants), "")), how

    def text(self, node: Node, scope: Scope) -> Iterator[Fact]:
        for key, text, offset in node.strings:
            if len(text) >= 12:
                place = f"{scope.name}/{node.name} {key}".strip("/ ")
                yield from text_facts(text, quote(place, 100), offset)
                yield from bytes_facts(text[:512].encode("latin-1", "replace"), len(text), quote(place, 60), offset)
