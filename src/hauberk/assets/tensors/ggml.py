"""The formats before GGUF: ggml, ggmf, ggjt 1 to 3, ggla, and whisper's ggml. Bounds on every count they trust."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.trailing import trailing_facts
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_types import TENSOR_TYPES
from hauberk.assets.tensors.tensor_name import name_problem
from hauberk.core import Asset, Fact, Gap, GapReason

_MAGIC = {b"lmgg": "ggml", b"fmgg": "ggmf", b"tjgg": "ggjt", b"algg": "ggla"}
_VERSIONS = {"ggml": range(1), "ggmf": range(1, 2), "ggjt": range(1, 4), "ggla": range(1, 2)}
_LLAMA = ("n_vocab", "n_embd", "n_mult", "n_head", "n_layer", "n_rot", "ftype")
_WHISPER = (
    "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
    "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels", "ftype",
)  # fmt: skip
_HIGHEST = {"n_vocab": 1 << 24, "n_layer": 512, "n_audio_layer": 512, "n_text_layer": 512, "n_mels": 4096, "ftype": 4096}
_LONGEST_NAME = 1024


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """What of the header cannot be true; the layouts of other programs that used the same magic are a gap."""
    content = asset.content
    assert content is not None
    cursor = Cursor(content)
    magic = cursor.take(4)
    big = magic in {name[::-1] for name in _MAGIC}
    kind = _MAGIC.get(magic[::-1] if big else magic, "")
    version = 0 if kind == "ggml" else cursor.uint(4, big=big)
    if not kind or version not in _VERSIONS[kind]:
        raise Malformed(f"version {version} of {kind or 'no format'} was never published", offset=4, check="ggml.version")
    if kind == "ggla":
        yield from _adapter(cursor, budget, big=big)
        return
    names = _WHISPER if kind == "ggml" and _is_whisper(cursor, big=big) else _LLAMA
    values = {name: cursor.sint(4, big=big) for name in names}
    yield from _bounds(values)
    if names is _LLAMA and kind == "ggml" and values["n_rot"] == 0:
        yield Gap(asset.uri, GapReason.UNSUPPORTED, "a ggml file of another program, whose layout is not read")
        return
    if names is _WHISPER:
        bands, bins = cursor.uint(4, big=big), cursor.uint(4, big=big)
        _fits(cursor, bands * bins * 4, "mel filters")
        cursor.skip(bands * bins * 4)
        values["n_vocab"] = cursor.uint(4, big=big)
    _vocabulary(cursor, values["n_vocab"], budget, scored=kind != "ggml", big=big)
    yield from _tensors(cursor, budget, big=big, align=32 if kind == "ggjt" else 1)


def _is_whisper(cursor: Cursor, *, big: bool) -> bool:
    head = Cursor(cursor.content, cursor.offset)
    head.skip(4)
    return head.remaining >= 4 and head.sint(4, big=big) == 1500  # n_audio_ctx of every whisper model


def _bounds(values: dict[str, int]) -> Iterator[Fact]:
    wrong = {name: value for name, value in values.items() if not _low(name) <= value <= _HIGHEST.get(name, 1 << 20)}
    if wrong:
        shown = ", ".join(f"{name} {value}" for name, value in wrong.items())
        yield Fact("ggml.hparam", f"values no model has: {shown}", offset=4, where="hparams", quote=quote(shown))
        raise Malformed("the hyperparameters cannot be true", offset=4)


def _low(name: str) -> int:
    return 0 if name in {"ftype", "n_rot"} else 1


def _fits(cursor: Cursor, length: int, what: str) -> None:
    if length > cursor.remaining:
        note = f"{what} claim {length} bytes, {cursor.remaining} are left"
        raise Malformed(note, offset=cursor.offset, check="ggml.length")


def _vocabulary(cursor: Cursor, count: int, budget: Budget, *, scored: bool, big: bool) -> None:
    _fits(cursor, count * 4, "the tokens")
    for _ in range(count):
        budget.tick()
        length = cursor.uint(4, big=big)
        _fits(cursor, length, "a token's text")
        cursor.skip(length + (4 if scored else 0))


def _adapter(cursor: Cursor, budget: Budget, *, big: bool) -> Iterator[Fact]:
    rank, alpha = cursor.sint(4, big=big), cursor.sint(4, big=big)
    if not 1 <= rank <= 1 << 14 or not 1 <= alpha <= 1 << 20:
        yield Fact(
            "ggml.hparam", f"an adapter of rank {rank} and alpha {alpha}", offset=8, where="hparams", quote=f"{rank} {alpha}"
        )
    yield from _tensors(cursor, budget, big=big, align=32)


def _tensors(cursor: Cursor, budget: Budget, *, big: bool, align: int) -> Iterator[Fact]:
    seen: set[bytes] = set()
    while cursor.remaining >= 12:
        budget.tick(64)
        at = cursor.offset
        rank, name_length, kind = (cursor.sint(4, big=big) for _ in range(3))
        if not 0 <= rank <= 4 or not 0 < name_length <= _LONGEST_NAME or kind not in TENSOR_TYPES:
            if seen:  # all tensors were read: this is something behind them
                cursor.offset = at
                break
            note = f"a tensor of {rank} dimensions, a name of {name_length} bytes and the type {kind}"
            raise Malformed(note, offset=at, check="ggml.tensor")
        dims = [cursor.sint(4, big=big) for _ in range(rank)]
        name = cursor.take(name_length)
        if name in seen or name_problem(name.decode("utf-8", "replace")):
            yield Fact("ggml.tensor", "a tensor's name is there twice or is no plain name", offset=at, where=quote(name, 80))
        seen.add(name)
        cursor.skip(-cursor.offset % align)
        size = _size(dims, kind, at)
        _fits(cursor, size, "a tensor's bytes")
        cursor.skip(size)
    yield from trailing_facts(cursor.content, cursor.offset, "ggml", slack=32)


def _size(dims: list[int], kind: int, at: int) -> int:
    _, block, block_size = TENSOR_TYPES[kind]
    elements = 1
    for dim in dims:
        if dim < 1:
            raise Malformed(f"the dimensions {dims}", offset=at, check="ggml.tensor")
        elements *= dim
    if (dims[0] if dims else 1) % block:
        raise Malformed(f"a row of {dims[0] if dims else 1} elements is no whole number of blocks", offset=at, check="ggml.tensor")
    return elements // block * block_size
