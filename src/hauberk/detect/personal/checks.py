"""Check digits. Each takes the value without separators and says whether it holds."""

import hashlib
from collections.abc import Iterable, Sequence


def weighted(value: str, weights: Iterable[int]) -> int:
    """The sum of the digits of `value`, each times its weight; digits beyond the weights do not count."""
    return sum(int(digit) * weight for digit, weight in zip(value, weights, strict=False))


def luhn(value: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    odd = sum(map(int, value[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in value[-2::-2])
    return (odd + even) % 10 == 0


def mod11_2(value: str) -> bool:
    """ISO 7064 MOD 11-2: the last character is a digit or X (resident identity, GB 11643)."""
    total = 0
    for character in value[:-1]:
        total = (total + int(character)) * 2 % 11
    return "0123456789X"[(12 - total) % 11] == value[-1].upper()


def mod11_10(value: str) -> bool:
    """ISO 7064 MOD 11,10 (the German tax number)."""
    product = 10
    for digit in value[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(value[-1])


def mod97_10(value: str) -> bool:
    """ISO 7064 MOD 97-10 as IBANs use it (ISO 13616): the first four characters moved to the end."""
    return int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1


def _turned(a: int, b: int) -> int:
    """The product of `a` and `b` in the dihedral group of order ten."""
    turn = (b - a if a >= 5 else a + b) % 5 if b < 5 else (a + b) % 5
    if a >= 5:
        turn = (a - b) % 5
    return turn + (5 if (a < 5) != (b < 5) else 0)


_D = tuple(tuple(_turned(a, b) for b in range(10)) for a in range(10))
_P: list[Sequence[int]] = [tuple(range(10)), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)]
for _row in range(2, 8):
    _P.append(tuple(_P[_row - 1][_P[1][n]] for n in range(10)))


def verhoeff(value: str) -> bool:
    """Verhoeff 1969: the dihedral group of order ten (Aadhaar)."""
    state = 0
    for place, digit in enumerate(reversed(value)):
        state = _D[state][_P[place % 8][int(digit)]]
    return state == 0


_SOCIAL = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def mod31(value: str) -> bool:
    """GB 32100: unified social credit identifier, 18 characters without I, O, S, V and Z."""
    total = sum(_SOCIAL.index(c) * pow(3, place, 31) for place, c in enumerate(value[:17]))
    return _SOCIAL[-total % 31] == value[17]


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(value: str, versions: frozenset[int]) -> bool:
    """A 20-byte hash with a version byte and four bytes of double SHA-256."""
    number = 0
    for character in value:
        number = number * 58 + _BASE58.index(character)
    if number >> 200:
        return False
    data = number.to_bytes(25, "big")
    return data[0] in versions and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: str) -> bool:
    """BIP 173 and BIP 350: the checksum of a segregated-witness address in lower case."""
    prefix, _, data = value.rpartition("1")
    if not set(data) <= set(_BECH32):
        return False
    values = [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *(_BECH32.index(c) for c in data)]
    state = 1
    for number in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ number
        for bit, generator in enumerate(_GENERATORS):
            state ^= generator if top >> bit & 1 else 0
    return state in {1, 0x2BC830A3}
