"""What is known of a case that did not end: its recorded replies, and what is missing."""

import msgspec

from hauberk.probe.engine.record import TARGET, Failed, Got, Sent
from hauberk.probe.targets.target import Fault, Reply


class Known(msgspec.Struct):
    """One exchange as recorded. `pending` while it was sent and nothing came back; `last` when it is not tried again."""

    key: str = ""
    reply: Reply | None = None
    fault: str = ""
    note: str = ""
    last: bool = False
    attempts: int = 0
    pending: bool = False

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to ask: a reply, or a fault that another try would not mend."""
        return self.reply is not None or (self.last and not Fault(self.fault).final)


class CaseLog(msgspec.Struct):
    """The exchanges of one case, by who was asked and number."""

    known: dict[tuple[str, int], Known] = {}
    damaged: bool = False  # a line about it could not be read

    @property
    def lost(self) -> bool:
        """Whether something was sent whose answer nobody has."""
        return self.damaged or any(one.pending for one in self.known.values())

    @property
    def begun(self) -> bool:
        """Whether the target has answered already."""
        return any(one.reply for (who, _), one in self.known.items() if who == TARGET)

    def at(self, who: str, n: int) -> Known:
        """The exchange number `n` with `who`, made when it is not there."""
        return self.known.setdefault((who, n), Known())

    def take(self, record: Sent | Got | Failed) -> None:
        """Learns from a line of the journal."""
        one = self.at(record.who, record.n)
        one.pending = isinstance(record, Sent)
        if isinstance(record, Sent):
            one.key, one.attempts = record.key, max(one.attempts, record.attempt + 1)
        elif isinstance(record, Got):
            one.reply = record.reply
        else:
            one.fault, one.note, one.last = record.fault, record.note, record.last
