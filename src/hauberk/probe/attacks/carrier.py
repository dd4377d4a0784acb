"""Carrier: the words around a request, in English and Chinese."""

from typing import Literal

import msgspec


class Carrier(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Words in English, in Chinese, or in both. A seed in Chinese gets the Chinese, every other one the English."""

    en: str = ""
    zh: str = ""

    def of(self, lang: str) -> str:
        """The words for a seed in `lang`; "" when there are none."""
        return self.zh if is_chinese(lang) else self.en


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message that is sent as if it had been said before."""

    role: Literal["user", "assistant"]
    en: str = ""
    zh: str = ""

    def of(self, lang: str) -> str:
        """As Carrier.of."""
        return self.zh if is_chinese(lang) else self.en


def is_chinese(lang: str) -> bool:
    """Whether `lang` (BCP 47) is Chinese."""
    return lang.split("-", 1)[0].lower() == "zh"
