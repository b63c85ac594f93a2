"""Ways to fill period in a copy of the clinic: ours, and what people would write themselves.

Ours are the commands at their default settings in processes of their own, timed by the ledger: from entering the state
to leaving it, counts of the whole table included.
"""

import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import psycopg

from benchmarks.copies import Copies

_BIG = """
UPDATE reservations AS r SET period = p.period FROM ojeon.plan p
WHERE p.raw = r."preferredTime" COLLATE "C" AND r.period IS NULL
"""
_A_ROW = """
SELECT format('UPDATE reservations SET period = %%L WHERE id = %%L;', p.period, r.id)
FROM reservations r JOIN ojeon.plan p ON p.raw = r."preferredTime" COLLATE "C" LIMIT %s
"""
_TIMES = """
SELECT extract(epoch FROM max(at) FILTER (WHERE state = %s))::float8,
    extract(epoch FROM max(at) FILTER (WHERE state = %s))::float8, (SELECT sum(changed) FROM ojeon.batches)
FROM ojeon.events
"""
_SIZES = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn, pg_total_relation_size('reservations')"
_MB = 1_000_000


class Act(NamedTuple):
    """Something that was done: when it began and ended (seconds of the epoch), and how many rows it changed."""

    began: float
    ended: float
    rows: int

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class Sizes(NamedTuple):
    """MB of WAL that the server has written so far, and of the table with its indexes."""

    wal: float
    table: float


def apply(copies: Copies) -> Act:
    """Apply the plan."""
    return _move(copies, "apply", "applying", "applied")


def undo(copies: Copies) -> Act:
    """Take all of it back."""
    return _move(copies, "undo", "undoing", "undone")


def big_update(copies: Copies) -> Act:
    """Fill all rows by one statement."""
    with psycopg.connect(copies.url, autocommit=True) as connection:
        began = time.time()
        rows = connection.execute(_BIG).rowcount
        return Act(began, time.time(), rows)


def one_by_one(copies: Copies, rows: int) -> Act:
    """Fill ``rows`` rows by a file of one UPDATE each, through psql."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        with psycopg.connect(copies.url) as connection:
            file.writelines(f"{line}\n" for (line,) in connection.execute(_A_ROW, (rows,)))
        file.flush()
        began = time.time()
        subprocess.run([copies.server.psql, copies.url, "-qXf", file.name], check=True)
        return Act(began, time.time(), rows)


def measure(copies: Copies) -> Sizes:
    """Sizes of the copy at hand."""
    with psycopg.connect(copies.url) as connection:
        wal, table = connection.execute(_SIZES).fetchone() or (0, 0)
    return Sizes(float(wal) / _MB, table / _MB)


def _move(copies: Copies, command: str, working: str, done: str) -> Act:
    ojeon = [sys.executable, "-W", "ignore", "-m", "pipeline", command, str(copies.run), "--yes"]
    subprocess.run([*ojeon, "--database-url", copies.url], check=True, stderr=subprocess.DEVNULL)
    with psycopg.connect(copies.url) as connection:
        return Act(*(connection.execute(_TIMES, (working, done)).fetchone() or (0, 0, 0)))
