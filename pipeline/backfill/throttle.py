"""Hold the worker back while the database is under pressure, and let it go on when the database can bear it.

Once a second at most it looks (see ``pressure``); what stops the worker lies above what lets it go on, so that it does
not flutter. Rows and WAL have even rates: what was spent too fast is waited for until the average is right again. After
each batch the worker rests where it may be at work for a share of its time only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, inf
from typing import Any, NamedTuple

import psycopg

from pipeline.backfill.pressure import Pressure, look
from pipeline.backfill.worker import Batch
from pipeline.settings import MoveSettings

LOOK_SECONDS = 1.0
_LAG_RESUMES, _LOAD_RESUMES = 0.5, 0.75
_SAVED_SECONDS = 1.0
_WAL_STOPS = 0.5  # seconds ahead of the rate
_WAL_OWED_SECONDS = 60.0  # the application's own burst must not stop us for long after it
_LONGEST_REST = 2.0  # one slow statement must not stop us for long after it
_MB = 1_000_000
_WAITING_FOR = "UPDATE ojeon.runs SET waiting_for = %s WHERE run_id = %s"


class Why(StrEnum):
    """What the worker can wait for."""

    REPLICA_LAG = "replica_lag"
    WAL_RATE = "wal_rate"
    VACUUM = "vacuum"
    LOAD = "load"
    TABLE_LOCK = "table_lock"
    NO_ANSWER = "no_answer"
    ROW_RATE = "row_rate"


class Hold(NamedTuple):
    """Why the worker waits, and in words that go behind "waiting for"."""

    why: Why
    words: str


class _Gauge(NamedTuple):
    """Above ``stop`` the worker stops, at ``resume`` or below it goes on."""

    hold: Hold
    value: float
    stop: float
    resume: float


@dataclass(slots=True)
class Budget:
    """How many seconds of an even rate were spent ahead of time; a second's worth can be saved, ``most`` owed.

    >>> budget = Budget(per_second=100, at=0.0)
    >>> budget.spend(250, now=1.0); budget.owed(now=1.0), budget.owed(now=2.0), budget.owed(now=60.0)
    (1.5, 0.5, -1.0)
    """

    per_second: float
    at: float
    most: float = inf
    spent: float = 0.0

    def owed(self, now: float) -> float:
        """Seconds until the average is right again; below 0 where something was saved."""
        return max(self.spent - (now - self.at), -_SAVED_SECONDS)

    def spend(self, amount: float, now: float) -> None:
        """Take in what was spent since the last time."""
        owed = self.spent - (now - self.at) + amount / self.per_second
        self.spent, self.at = min(max(owed, -_SAVED_SECONDS), self.most), now


@dataclass
class Throttle:
    """Called with the worker's session before each batch; returns when the database can bear it, or somebody asks.

    ``observe`` is told of each batch. ``tell`` hears why the worker waits, with the latest figures, and None when it
    goes on; the ledger's ``waiting_for`` says the same. A look is taken ``every`` so many seconds.
    """

    limits: MoveSettings
    target_oid: int
    run_id: str
    tell: Callable[[Hold | None], None]
    every: float = LOOK_SECONDS
    _next_look: float = field(default=0.0, init=False)
    _hold: Hold | None = field(default=None, init=False)
    _told: Hold | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)
    _stopped_by: set[Why] = field(default_factory=set, init=False)
    _vacuums: dict[int, float] = field(default_factory=dict, init=False)
    _last_wal: float | None = field(default=None, init=False)
    _went_on: float = field(default=0.0, init=False)
    _rests_until: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        now, limits = time.monotonic(), self.limits
        self._rows = Budget(limits.max_rows_per_second or inf, now)
        self._wal = Budget((limits.max_wal_mb_per_second or inf) * _MB, now, _WAL_OWED_SECONDS)

    def observe(self, batch: Batch) -> None:
        """Take in how many rows a batch changed, and how long the worker has been busy since it went on."""
        now = time.monotonic()
        self._rows.spend(batch.changed, now)
        rest = (now - self._went_on) * (1 / self.limits.max_busy - 1)
        self._rests_until = now + min(rest, _LONGEST_REST)

    def __call__(self, connection: psycopg.Connection[Any]) -> bool:
        """Return when the next batch may begin; True where somebody asks the worker to pause or to stop instead.

        Raises:
            psycopg.OperationalError: the session is lost; call again with another one.
        """
        while (pause := self._pause(connection)) > 0:
            time.sleep(pause)
        if asked := self._asked:
            self._asked, self._next_look = False, 0.0  # what is asked has passed by the next call
        self._went_on = time.monotonic()
        return asked

    def _pause(self, connection: psycopg.Connection[Any]) -> float:
        """Seconds to wait before asking again; 0 where the next batch may begin."""
        if time.monotonic() >= self._next_look:
            self._look(connection)
            self._next_look = time.monotonic() + self.every
        owed = self._rows.owed(time.monotonic())
        hold = self._hold
        if hold is None and owed > self.every:
            hold = Hold(Why.ROW_RATE, f"the limit of {self.limits.max_rows_per_second:,.10g} rows per second")
        self._say(connection, None if self._asked else hold)
        if self._asked:
            return 0
        if self._hold:
            return max(self._next_look - time.monotonic(), 0.001)
        return min(max(owed, self._rests_until - time.monotonic()), self.every)

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        try:
            seen = look(connection, self.limits, self.target_oid, self.run_id)
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            self._hold = Hold(Why.NO_ANSWER, "a server that does not answer within the time-outs")
            return
        self._asked = seen.asked is not None
        over = [gauge for gauge in self._gauges(seen, time.monotonic()) if self._is_over(gauge)]
        self._stopped_by = {gauge.hold.why for gauge in over}
        self._hold = over[0].hold if over else None

    def _is_over(self, gauge: _Gauge) -> bool:
        return gauge.value > (gauge.resume if gauge.hold.why in self._stopped_by else gauge.stop)

    def _gauges(self, seen: Pressure, now: float) -> Iterator[_Gauge]:
        limits = self.limits
        words = "a lock on the table that somebody holds or waits for"
        yield _Gauge(Hold(Why.TABLE_LOCK, words), seen.locks, 0, 0)
        if limit := limits.max_lag_seconds:
            words = f"a replica that is {seen.lag:.1f} s behind (limit {limit:g} s)"
            yield _Gauge(Hold(Why.REPLICA_LAG, words), seen.lag, limit, limit * _LAG_RESUMES)
        if load := limits.max_load:
            words = f"{seen.load} active sessions (limit {load})"
            yield _Gauge(Hold(Why.LOAD, words), seen.load, load, ceil(load * _LOAD_RESUMES))
        if rate := limits.max_wal_mb_per_second:
            words = f"the limit of {rate:g} MB of WAL per second"
            yield _Gauge(Hold(Why.WAL_RATE, words), self._owed_wal(seen.wal, now), _WAL_STOPS, 0)
        if limits.vacuum_patience:
            words = f"a vacuum of the table, {limits.vacuum_patience:g} s at most"
            yield _Gauge(Hold(Why.VACUUM, words), self._vacuums_to_wait_for(seen.vacuums, now), 0, 0)

    def _owed_wal(self, position: float, now: float) -> float:
        written = 0.0 if self._last_wal is None else max(position - self._last_wal, 0.0)
        self._last_wal = position
        self._wal.spend(written, now)
        return self._wal.owed(now)

    def _vacuums_to_wait_for(self, processes: list[int], now: float) -> int:
        """Each vacuum is waited for once, and not for ever: it may itself be stuck."""
        self._vacuums = {process: self._vacuums.get(process, now) for process in processes}
        return sum(now - since < self.limits.vacuum_patience for since in self._vacuums.values())

    def _say(self, connection: psycopg.Connection[Any], hold: Hold | None) -> None:
        if hold == self._told:
            return
        with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):  # it is only words
            connection.execute(_WAITING_FOR, (hold.words if hold else None, self.run_id))
        self._told = hold
        self.tell(hold)
