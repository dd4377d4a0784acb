"""Holds a rule's own samples against the whole pipeline: the proof that it fires, and that it stays quiet."""

import base64
import zlib
from collections.abc import Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.chat import Context, Direction, MessageContent, Role, ToolCall, ToolSpec, message_asset
from hauberk.assets.content import BytesContent
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Finding, Gap, Kind, Rule, Sample
from hauberk.core.rule import SampleMessage
from hauberk.detect import Bench
from hauberk.scan.inspect import Inspection


def sample_bytes(sample: Sample) -> bytes:
    """The material of a `text` or `base64` sample. Base64 of a zlib stream is inflated."""
    if not sample.base64:
        return sample.text.encode("utf-8")
    data = base64.b64decode("".join(sample.base64.split()), validate=True)
    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


def inspect_sample(sample: Sample, bench: Bench) -> Iterator[Finding | Gap]:
    """Everything the pipeline says of a sample."""
    if sample.files:
        files = {name: BytesContent(text.encode("utf-8")) for name, text in sample.files.items()}
        tree = Tree(files, sample.links)
        asset = Asset(uri=sample.path, kind=Kind.REPOSITORY, format="repository", name=sample.path, content=tree)
        yield from Inspection(bench, Budget()).run(asset)
        for name, content in files.items():
            member = Asset(uri=f"{sample.path}/{name}", name=name, content=content)
            yield from Inspection(bench, Budget()).run(member)
        return
    if sample.message is not None:
        yield from bench.inspect(message_asset(_message(sample.text, sample.message)))
        return
    asset = Asset(uri=sample.path, name=sample.path, content=BytesContent(sample_bytes(sample)))
    yield from Inspection(bench, Budget()).run(asset)


def _message(text: str, around: SampleMessage) -> MessageContent:
    context = Context(
        system=around.system,
        canaries=around.canaries,
        tools=tuple(msgspec.convert(tool, ToolSpec) for tool in around.tools),
        foreign=around.foreign,
        user=around.user,
    )
    direction = Direction.OUTPUT if around.output else Direction.INPUT
    return MessageContent(text, Role(around.role), direction, context, ToolCall(around.calls, text) if around.calls else None)


def check_sample(rule: Rule, sample: Sample, bench: Bench) -> str:
    """Empty when the sample proves what it says, else one line saying what happened instead."""
    items = list(inspect_sample(sample, bench))
    hits = sum(isinstance(item, Finding) and item.rule == rule.id for item in items)
    wanted = "at least 1" if sample.hits is None else str(sample.hits)
    if hits == sample.hits or (sample.hits is None and hits):
        return ""
    others = sorted({item.rule if isinstance(item, Finding) else f"gap:{item.reason}:{item.note}" for item in items})
    return f"{rule.id}: sample {sample.name!r} fired {hits} times, wanted {wanted}; seen: {', '.join(others) or 'nothing'}"
