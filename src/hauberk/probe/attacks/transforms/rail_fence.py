"""Rail fence: written in a zigzag over the rails and read off rail by rail."""

from random import Random

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.transposition import restored, transposed


def _key(rng: Random) -> str:
    return str(rng.randint(2, 4))


def _order(length: int, rails: int) -> list[int]:
    period = 2 * rails - 2
    return sorted(range(length), key=lambda i: (min(i % period, period - i % period), i))


def _encode(text: str, key: str) -> str:
    return transposed(text, _order(len(text), int(key)))


def _decode(text: str, key: str) -> str:
    return restored(text, _order(len(text), int(key)))


DISGUISE = Disguise(
    name="rail-fence",
    title=Text(en="Rail fence", zh="栅栏密码"),
    source="Classical transposition cipher (Gaines 1939, Cryptanalysis)",
    encode=_encode,
    decode=_decode,
    how=Text(
        en="The following message was written in a rail-fence cipher with {key} rails.", zh="下面这段话用 {key} 栏的栅栏密码写成。"
    ),
    key=_key,
)
