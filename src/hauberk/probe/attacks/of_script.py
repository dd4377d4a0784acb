"""What every attack made of a Script takes from it."""

from collections.abc import Sequence

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.script import Script


class OfScript:
    """An attack that is a Script; how it is played is its subclass's."""

    def __init__(self, script: Script, disguises: Sequence[Disguise] = ()) -> None:
        self.script = script
        self._disguises = tuple(disguises)

    @property
    def name(self) -> str:
        """The script's."""
        return self.script.name

    @property
    def family(self) -> Family:
        """The script's."""
        return self.script.family

    @property
    def title(self) -> Text:
        """The script's."""
        return self.script.title

    @property
    def source(self) -> str:
        """The script's."""
        return self.script.source
