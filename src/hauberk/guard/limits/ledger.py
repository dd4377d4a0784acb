"""What each key has spent in the day and the month, kept over restarts."""

import logging
import os
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.prices import MICRO
from hauberk.guard.limits.quota import Budget, Period, Unit

_log = logging.getLogger(__name__)
FLUSH_SECONDS = 1.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS spent (account TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID"
_ADD = (
    "INSERT INTO spent (account, amount) VALUES (?, ?)"
    " ON CONFLICT (account) DO UPDATE SET amount = amount + excluded.amount RETURNING amount"
)


def period_name(per: Period, wall: float) -> str:
    """The calendar day or month (UTC) that `wall`, seconds since the epoch, lies in: `2026-11-21` or `2026-11`."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d" if per is Period.DAY else "%Y-%m")


def period_left(per: Period, wall: float) -> float:
    """Seconds to the end of that day or month."""
    now = datetime.fromtimestamp(wall, UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = day + timedelta(days=1) if per is Period.DAY else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (end - now).total_seconds()


class Ledger:
    """Spent amounts by account (key, unit and period), written behind.

    Every `FLUSH_SECONDS` additions go to the file and the totals come back with what other processes added, so that a budget
    shared by several processes can be passed by what they spend in that time; a kill loses as much. Without a path nothing
    outlives the process.

    Raises sqlite3.Error when the file cannot be opened; later errors leave amounts in memory and set `failed`.
    """

    def __init__(self, path: str | Path | None = None, wall: Callable[[], float] = lambda: 0.0) -> None:
        self.wall = wall
        self.failed = ""
        self._totals: dict[str, int] = {}
        self._fresh: dict[str, int] = {}
        self._flushed = wall()
        self._db = _open(Path(path)) if path is not None else None

    def spent(self, account: str) -> int:
        """Tokens, or millionths of the currency."""
        total = self._totals.get(account)
        if total is None:
            total = self._totals[account] = self._stored(account)
        return total

    def add(self, account: str, amount: int) -> None:
        """Counts `amount` (it may be negative: a correction) and writes when it is time."""
        self._totals[account] = self.spent(account) + amount
        if self._db is None:
            return
        self._fresh[account] = self._fresh.get(account, 0) + amount
        if not 0 <= self.wall() - self._flushed < FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes what is new. An error is kept in `failed` and tried again at the next flush."""
        self._flushed = self.wall()
        if self._db is None or not self._fresh:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                rows = {account: self._db.execute(_ADD, (account, n)).fetchone()[0] for account, n in self._fresh.items()}
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            if not self.failed:
                _log.warning("what budgets have spent cannot be written, and is kept in memory: %s", error)
            self.failed = " ".join(str(error).split())
            return
        self._totals.update(rows)
        self._fresh.clear()
        self.failed = ""

    def close(self) -> None:
        self.flush()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _stored(self, account: str) -> int:
        if self._db is None:
            return 0
        try:
            row = self._db.execute("SELECT amount FROM spent WHERE account = ?", (account,)).fetchone()
        except sqlite3.Error as error:
            self.failed = " ".join(str(error).split())
            return 0
        return row[0] if row else 0


class BudgetMeter:
    """One budget of one key as a limit. What is under way is held, so that a burst cannot pass the budget together."""

    __slots__ = ("_budget", "_held", "_key_id", "_ledger", "limit")

    def __init__(self, key_id: str, budget: Budget, ledger: Ledger) -> None:
        self._key_id = key_id
        self._budget = budget
        self._ledger = ledger
        self.limit = int(budget.amount * (MICRO if budget.unit is Unit.MONEY else 1))
        self._held = 0

    @property
    def unit(self) -> Unit:
        return self._budget.unit

    @property
    def per(self) -> Period:
        return self._budget.per

    @property
    def account(self) -> str:
        """What is counted now: key, unit and period."""
        return f"{self._key_id}/{self._budget.unit}/{period_name(self._budget.per, self._ledger.wall())}"

    def wait(self, amount: int, now: float) -> float:
        if self.left(now) >= amount:
            return 0.0
        return FOREVER if amount > self.limit else period_left(self._budget.per, self._ledger.wall())

    def take(self, spent: int, held: int, now: float) -> None:
        del now
        self._ledger.add(self.account, spent)
        self._held += held

    def end(self, held: int, spent: int, now: float) -> None:
        del now
        self._held -= held
        self._ledger.add(self.account, spent)

    def refund(self, amount: int, taken: float, now: float) -> None:
        del taken, now
        self._ledger.add(self.account, -amount)

    def left(self, now: float) -> int:
        del now
        return max(self.limit - self._held - self._ledger.spent(self.account), 0)

    def reset(self, now: float) -> float:
        del now
        return period_left(self._budget.per, self._ledger.wall())


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(_SCHEMA)
    except BaseException:
        db.close()
        raise
    return db
