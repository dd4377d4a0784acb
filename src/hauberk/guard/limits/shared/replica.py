"""The thread that keeps a replica's slices in step with Redis."""

import json
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from hauberk.core import Gap, GapReason
from hauberk.guard.limits.limiter import Cause
from hauberk.guard.limits.settings import SharedSettings
from hauberk.guard.limits.shared.meter import Report, SharedMeter
from hauberk.guard.limits.shared.script import BEGIN, SYNC

_log = logging.getLogger(__name__)
_SLOTS = 30
_MARGIN = 0.8  # of the lease: a slice is given up here before Redis gives it to others
_TIMEOUT = 1.0
_IDLE = 0.2
_RETRY = 0.25
_GATHER = 0.001  # seconds in which urgent needs are collected into one round trip
_SLOT_WINDOW = 1.0  # concurrency: what a dead replica held comes back this long after its lease
_LONG = 3600.0  # seconds; nobody waits for such a window to pass, but another replica may give back what it has leased
MAX_CLOSED = 100_000
MAX_METERS = 300_000

Closed = Callable[[str, str, str, float], None]


class SharedError(ValueError):
    """Redis cannot be used; one line says which, why, and what to do."""


class Replica:
    """This process among those that share limits. Works with one Redis or Valkey, or a Sentinel's; not with a cluster.

    Slack: none. Replicas together never admit more than a limit in any window, also when one is killed, as long as Redis is
    reachable or `on_loss` is `closed`. With `share` each replica goes on with limit / replicas from the moment its lease ends;
    the window in which Redis was lost can then hold up to (2 - 1/replicas) x the limit.
    A killed replica's slice comes back one lease and one window after its last sync.

    Args:
        settings: Where Redis is, and how to share.
        window: Seconds of token and request limits.
        changed: Called from the thread after each sync that brought something: `loop.call_soon_threadsafe(turnstile.wake)`.
        closed: Called from the thread with id, status, reason and time of each key that another replica suspended or revoked.
        clock: Seconds, monotonic, the same as the limiter's.

    Raises SharedError when the variable that `password_env` names is not set.
    """

    def __init__(
        self,
        settings: SharedSettings,
        window: float = 60.0,
        *,
        changed: Callable[[], None] = lambda: None,
        closed: Closed = lambda _id, _status, _reason, _at: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.gap: Gap | None = None
        self._settings = settings
        self._password = _password(settings.password_env)
        self._window = window
        self.changed = changed
        self.closed = closed
        self._clock = clock
        self._meters: dict[str, SharedMeter] = {}
        self._touched: deque[SharedMeter] = deque()  # filled by the event loop, emptied by the thread
        self._active: dict[str, SharedMeter] = {}
        self._client: Any = None
        self._run = ""
        self._script = ""
        self._seen = ""  # version of the list of closed keys
        self._outbox: list[tuple[str, str, str, float]] = []
        self._urgent = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="hauberk-limits", daemon=True)

    def start(self) -> None:
        """Starts the thread. Redis need not be there yet: until it is, `on_loss` holds."""
        # Here and not in the thread: the first requests would wait for it.
        for module in ("redis.backoff", "redis.retry"):
            import_module(module)
        self._thread.start()

    def stop(self) -> None:
        """Gives back what is leased and not under way, and ends the thread."""
        self._stopping = True
        self._urgent.set()
        self._thread.join(timeout=3 * _TIMEOUT)

    def make(self, key_id: str, cause: Cause, limit: int) -> SharedMeter:
        """A key's shared limit; what `Limiter` takes as `make`."""
        window = _SLOT_WINDOW if cause is Cause.CONCURRENCY else self._window
        return self._meter(f"{cause}:{key_id}", limit, window)

    def budget(self, account: str, limit: int, window: float) -> SharedMeter:
        """A shared budget. What is spent counts for `window` seconds: no less than the rest of the account's period."""
        return self._meter(f"{Cause.BUDGET}:{account}", limit, window)

    def forget(self, account: str) -> None:
        """The budget's period is over. What is leased goes back, what is under way is still reported."""
        self._meters.pop(self._name(f"{Cause.BUDGET}:{account}"), None)

    def publish(self, key_id: str, status: str, reason: str, at: float) -> None:
        """Tells the others that a key was suspended or revoked at `at`, seconds since the epoch; kept until it could be sent."""
        if len(self._outbox) < MAX_CLOSED:
            self._outbox.append((key_id, status, reason, at))
        self._urgent.set()

    def sync(self) -> bool:
        """One round trip for all limits with something to say. Whether Redis answered."""
        import redis

        now = self._clock()
        reports = self._reports(now)
        try:
            if self._client is None:
                self._connect()
            answers = self._round_trip(reports)
        except (redis.RedisError, OSError, UnicodeDecodeError) as error:
            self._lose(error, [meter for meter, _ in reports])
            return False
        if self.gap is not None:
            _log.warning("limits are shared again: Redis answers")
            self.gap = None
            for meter in list(self._meters.values()):
                meter.lost = False
        after = self._clock()
        for (meter, _), (granted, wait, room) in zip(reports, answers, strict=True):
            meter.granted(int(granted), int(wait) / 1000, now, after, int(room))
        if reports:
            self.changed()
        return True

    def _loop(self) -> None:
        while not self._stopping:
            good = self.sync()
            pause = (self._settings.interval if self._active else _IDLE) if good else _RETRY
            if self._urgent.wait(pause) and not self._stopping:
                time.sleep(_GATHER if good else _RETRY)
            self._urgent.clear()
        for meter in self._active.values():
            meter.give_up()
        self.sync()
        if self._client is not None:
            self._client.close()

    def _touch(self, meter: SharedMeter, urgent: bool) -> None:  # noqa: FBT001
        self._touched.append(meter)
        if urgent:
            self._urgent.set()

    def _reports(self, now: float) -> list[tuple[SharedMeter, Report]]:
        while self._touched:
            meter = self._touched.popleft()
            self._active[meter.name] = meter
        reports: list[tuple[SharedMeter, Report]] = []
        for name, meter in list(self._active.items()):
            report = meter.report(now)
            if report is None:
                del self._active[name]
            else:
                reports.append((meter, report))
        return reports

    def _name(self, what: str) -> str:
        return f"{self._settings.prefix}:limit:{what}"

    def _meter(self, what: str, limit: int, window: float) -> SharedMeter:
        name = self._name(what)
        meter = self._meters.get(name)
        if meter is None:
            share = max(limit // max(self._settings.replicas, 1), 1)
            lease = self._settings.lease * _MARGIN
            meter = SharedMeter(name, limit, window, lease, share, self._settings.on_loss, self._touch)
            meter.lost = self.gap is not None
            self._bound()
            self._meters[name] = meter
        return meter

    def _bound(self) -> None:
        if len(self._meters) > MAX_METERS:
            oldest = next((name for name in self._meters if name not in self._active), "")
            self._meters.pop(oldest, None)

    def _connect(self) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # No silent reconnection: after each one the server's run id must be asked for, or a restart would go unnoticed.
        client: Any = cast("Any", redis.Redis).from_url(
            self._settings.url,
            **self._password,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            decode_responses=True,
        )
        self._run = str(client.info("server")["run_id"])
        client.eval(BEGIN, 1, f"{self._settings.prefix}:epoch", self._run)
        self._script = str(client.script_load(SYNC))
        self._client, self._seen = client, ""

    def _round_trip(self, reports: list[tuple[SharedMeter, Report]]) -> list[Any]:
        prefix, pipe = self._settings.prefix, self._client.pipeline(transaction=False)
        outbox = self._outbox[:]
        for key_id, status, reason, at in outbox:
            pipe.hset(f"{prefix}:closed", key_id, json.dumps([status, reason, at]))
            pipe.incr(f"{prefix}:closed:version")
        pipe.get(f"{prefix}:closed:version")
        ttl = int(self._settings.lease * 1000)
        for meter, report in reports:
            args = (
                self._run,
                self.id,
                meter.limit,
                int(meter.window * 1000),
                _SLOTS,
                ttl,
                *_numbers(report),
                int(meter.window >= _LONG),
            )
            pipe.evalsha(self._script, 2, meter.name, f"{prefix}:epoch", *args)
        answers = pipe.execute()
        del self._outbox[: len(outbox)]
        answers = answers[2 * len(outbox) :]
        version = str(answers[0] or "")
        if version != self._seen:
            self._hear(self._client.hgetall(f"{prefix}:closed"))
            self._seen = version
        return answers[1:]

    def _hear(self, closed: dict[str, str]) -> None:
        for key_id, body in closed.items():
            try:
                status, reason, at = json.loads(body)
                news = str(key_id), str(status), str(reason), float(at)
            except (ValueError, TypeError):
                continue  # not ours: others may write to this Redis
            self.closed(*news)

    def _lose(self, error: Exception, meters: list[SharedMeter]) -> None:
        said = " ".join(str(error).split())[:200]
        note = f"limits are not shared, {self._settings.on_loss.value} by policy: Redis cannot be used: {said}"
        if self.gap is None:
            _log.warning("%s", note)
        self.gap = Gap(asset="guard:limits", reason=GapReason.ABSENT, note=note)
        if self._client is not None:
            self._client.close()
            self._client = None
        for meter in meters:
            meter.failed()
        for meter in list(self._meters.values()):
            meter.lost = True


def _numbers(report: Report) -> tuple[int, ...]:
    return report.spent, report.recent, report.held, report.need, report.like


def _password(variable: str) -> dict[str, str]:
    """What the client is told besides the address; a password in the address goes before one in the environment."""
    if not variable:
        return {}
    password = os.environ.get(variable, "")
    if not password:
        raise SharedError(f"guard.limits.shared.password-env: ${variable} is not set; put the password of Redis there")
    return {"password": password}
