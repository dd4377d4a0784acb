"""The UTF-8 in octal escapes."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.octets import octets, text_of


def _encode(text: str, _: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in octets(text))


def _decode(text: str, _: str) -> str:
    return text_of(bytes(int(piece, 8) for piece in text.split("\\")[1:]))


DISGUISE = Disguise(
    name="octal",
    title=Text(en="Octal escapes", zh="八进制转义"),
    source="ISO/IEC 9899 (C), octal escape sequences",
    encode=_encode,
    decode=_decode,
    how=Text(en="The following message is UTF-8 in octal escapes.", zh="下面这段话是用八进制转义写的 UTF-8。"),
    growth=12,
)
