"""`learnt.msgpack`: an envelope with version and digest round the model.

Everything in it is checked before it is used; patterns of rules are for the bench that compiles them.
"""

import hashlib
import itertools
import math
import re

import msgspec
import numpy as np

from hauberk.detect.learnt.grams import SIZE
from hauberk.detect.learnt.model import Head, Learnt
from hauberk.detect.learnt.rule import LEARNT_ATTACK

VERSION = 1
LARGEST = 16 << 20
MOST_RULES = 500
VOICES = ("user", "foreign")
OWN = re.compile(r"learnt-[a-z0-9-]{1,80}")
"""Ids of approved rules."""
_MAGIC = "hauberk-learnt"


class LearntFileError(ValueError):
    """Not a model of ours, or damaged. One line."""


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    magic: str
    version: int
    digest: bytes
    body: bytes


def written(model: Learnt) -> bytes:
    """The bytes of a file that holds `model`; the same for the same model."""
    body = msgspec.msgpack.encode(model, order="deterministic")
    return msgspec.msgpack.encode(_Envelope(_MAGIC, VERSION, hashlib.sha256(body).digest(), body))


def read(data: bytes) -> Learnt:
    """The model in `data`. Raises LearntFileError."""
    if len(data) > LARGEST:
        raise LearntFileError(f"larger than {LARGEST >> 20} MiB, which no learnt model is")
    try:
        envelope = msgspec.msgpack.decode(data, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LearntFileError("cut off, or no learnt model; learn again, or restore it") from error
    if envelope.magic != _MAGIC:
        raise LearntFileError("no learnt model")
    if envelope.version != VERSION:
        raise LearntFileError(f"of version {envelope.version}, and this is version {VERSION}; learn again with this Hauberk")
    if hashlib.sha256(envelope.body).digest() != envelope.digest:
        raise LearntFileError("its digest is another: damaged or changed; learn again, or restore it")
    try:
        model = msgspec.msgpack.decode(envelope.body, type=Learnt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LearntFileError(f"unreadable: {' '.join(str(error).split())[:160]}") from error
    _checked(model)
    return model


def _checked(model: Learnt) -> None:
    if not 0 < model.rate < 1 or set(model.heads) - set(VOICES):
        raise LearntFileError("its rate or its heads are none that this version knows")
    if len(model.rules) > MOST_RULES or any(rule.engine != "phrase" or not OWN.fullmatch(rule.id) for rule in model.rules):
        raise LearntFileError("it holds rules that nobody can have learnt")
    if len({rule.id for rule in model.rules} | {LEARNT_ATTACK.id}) <= len(model.rules):
        raise LearntFileError("two of its rules have the same id")
    for head in model.heads.values():
        if not _is_sound(head):
            raise LearntFileError("its weights are not in order")


def _is_sound(head: Head) -> bool:
    if len(head.index) % 4 or len(head.index) != len(head.weights) or not math.isfinite(head.bias):
        return False
    index, weights = np.frombuffer(head.index, "<i4"), np.frombuffer(head.weights, "<f4")
    if len(index) and (index[0] < 0 or index[-1] >= SIZE or bool((np.diff(index.astype(np.int64)) <= 0).any())):
        return False
    rates, scores = [rate for rate, _ in head.thresholds], [score for _, score in head.thresholds]
    rising = all(0 < rate < 1 for rate in rates) and all(low < high for low, high in itertools.pairwise(rates))
    return bool(np.isfinite(weights).all()) and bool(rates) and rising and all(0 <= score <= 1 for score in scores)
