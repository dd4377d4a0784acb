"""Engine `weights`: rules over the numbers in a tensor file.

    match:
      checks: [weights.hidden-payload]        # any of: hidden-payload, low-bytes, non-finite, giant, rows, lora-spectrum
      where: {kind: [text, elf]}              # optional: every attribute equals (one of) the values

Large files are sampled; every note says which part was looked at. NumPy is imported when the first float tensor is met.
"""

from collections.abc import Iterator, Sequence

from hauberk.assets.quoting import quote
from hauberk.assets.tensors.tensor_map import spans
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Asset, Content, Detector, Fact, Finding, Gap, Rule
from hauberk.detect.engines import fact as fact_engine
from hauberk.detect.weight_sampling import Plan, plan

_FORMATS = frozenset({"safetensors", "gguf", "npy"})
_MOST_OF_A_KIND = 20  # facts of one check; more say nothing new


def compile_rules(rules: Sequence[Rule]) -> Detector:
    """A detector of `rules`. Raises RuleError on an unknown key or type in `match`."""
    judge = fact_engine.compile_rules(rules)

    def detect(asset: Asset) -> Iterator[Finding | Gap]:
        if asset.format not in _FORMATS or asset.content is None:
            return
        facts = tuple(weight_facts(asset.content, spans(asset.content, asset.format)))
        if asset.format == "npy":  # an array may be data, in which gaps and giants are at home
            facts = tuple(fact for fact in facts if fact.check == "weights.hidden-payload")
        if facts:
            yield from judge(Asset(asset.uri, asset.kind, asset.format, asset.name, parent=asset.parent, facts=facts))

    return detect


def weight_facts(content: Content, tensors: Sequence[TensorSpan]) -> Iterator[Fact]:
    """Everything the statistics say of the float tensors of a file."""
    looked = plan(tensors)
    if looked.places:
        counts: dict[str, int] = {}
        for fact in _all_facts(content, tensors, looked):
            counts[fact.check] = counts.get(fact.check, 0) + 1
            if counts[fact.check] <= _MOST_OF_A_KIND:
                yield fact


def _all_facts(content: Content, tensors: Sequence[TensorSpan], looked: Plan) -> Iterator[Fact]:
    from hauberk.detect.lora_spectrum import lora_facts
    from hauberk.detect.weight_planes import hidden_in, uneven_share
    from hauberk.detect.weight_values import value_facts

    uneven: dict[str, list[float]] = {}
    for window in looked.windows(content):
        where = quote(window.span.name, 80)
        for hidden in hidden_in(window):
            note = f"{where}: {hidden.kind} is readable in the {hidden.plane} of the weights ({looked.share})"
            yield Fact(
                "weights.hidden-payload", note, offset=window.span.start + window.offset, where=where,
                quote=quote(hidden.piece, 120), attrs={"kind": hidden.kind, "plane": hidden.plane},
            )  # fmt: skip
        share = uneven_share(window)
        if share is not None:
            uneven.setdefault(where, []).append(share)
        yield from value_facts(window)
    for where, shares in uneven.items():
        # A tensor uneven throughout was computed that way; a payload makes a part of one uneven.
        mean = sum(shares) / len(shares)
        if 0 < mean <= 0.5:
            note = f"{where}: {mean:.0%} of the low mantissa bytes are not evenly spread ({looked.share})"
            yield Fact("weights.low-bytes", note, where=where, quote=f"{mean:.0%}")
    yield from lora_facts(content, tensors)
