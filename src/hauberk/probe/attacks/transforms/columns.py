"""Written in rows of a square and read off column by column."""

from random import Random

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.transposition import restored, transposed


def _key(rng: Random) -> str:
    return str(rng.randint(4, 7))


def _order(length: int, width: int) -> list[int]:
    return sorted(range(length), key=lambda i: (i % width, i))


def _encode(text: str, key: str) -> str:
    return transposed(text, _order(len(text), int(key)))


def _decode(text: str, key: str) -> str:
    return restored(text, _order(len(text), int(key)))


DISGUISE = Disguise(
    name="columns",
    title=Text(en="Columnar transposition", zh="列置换"),
    source="Classical transposition cipher (Gaines 1939, Cryptanalysis)",
    encode=_encode,
    decode=_decode,
    how=Text(
        en="The following message was written into rows of {key} characters and then read off column by column.",
        zh="下面这段话先按每行 {key} 个字符写成若干行，再按列依次读出。",
    ),
    key=_key,
)
