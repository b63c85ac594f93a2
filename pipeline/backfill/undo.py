"""Undo a run: its lines backwards, small ones together, each time a transaction; rows touched since are left alone.

They are named in the line that had filled them.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import psycopg

from pipeline.backfill import ledger, pace
from pipeline.backfill.batch import empty_statement
from pipeline.backfill.dual_write import refuse_while_installed
from pipeline.backfill.notes import settle
from pipeline.backfill.states import State
from pipeline.backfill.stuck import left_by_undo
from pipeline.backfill.target import Target
from pipeline.backfill.worker import Batch, Worker, asks_to_cancel, is_cancelled_while_held
from pipeline.errors import DatabaseError

_LINES = """
SELECT batch, variant, filled, cardinality(ids) FROM ojeon.batches
WHERE run_id = %(run)s AND cardinality(ids) > 0 AND (%(only)s::integer IS NULL OR batch = %(only)s)
ORDER BY batch DESC, variant
"""
_TOTALS = """
SELECT coalesce(sum(undone), 0)::bigint, coalesce(sum(cardinality(left_alone)), 0)::bigint,
    coalesce(sum(cardinality(ids)), 0)::bigint
FROM ojeon.batches WHERE run_id = %(run)s AND (%(only)s::integer IS NULL OR batch = %(only)s)
"""
_FRUITLESS_ROUNDS = 5


class _Line(NamedTuple):
    number: int
    variant: str
    filled: list[str]
    rows: int


@dataclass(frozen=True, slots=True)
class UndoReport:
    """How a start of undo ended: rows emptied by it, rows the run has left alone, changed by somebody, rows left.

    ``why_left`` says what keeps those.
    """

    state: State
    undone: int
    left_alone: int
    left: int
    why_left: str = ""


def refuse_undo(connection: psycopg.Connection[Any], run_id: str) -> None:
    """Refuse what ``undo`` would refuse, before anybody is asked.

    Raises:
        UsageError: the run's state does not allow it, or its trigger is still on the table.
    """
    ledger.refuse(connection, run_id, State.UNDOING)
    refuse_while_installed(connection, run_id)


def undo(worker: Worker, only: int | None = None) -> UndoReport:
    """Take back what the run changed (``only``: one batch of it) and nobody has changed since.

    Raises:
        DatabaseError: the server refused or did not come back, or a trigger changes what is written.
        UsageError: the run's state does not allow it, or its trigger is still on the table.
    """
    session, run_id = worker.session, worker.run_id
    session.work_on(run_id)
    session.again(lambda connection: refuse_while_installed(connection, run_id))
    session.again(lambda connection: settle(connection, worker.target, run_id))
    before, *_ = session.again(lambda connection: _totals(connection, run_id, only))
    ledger.move(session.connection, run_id, State.UNDOING, "" if only is None else f"batch {only}")
    stopped, why_left = _rounds(worker, only)
    if stopped or session.again(lambda connection: _lines(connection, run_id, None)):
        state = State.UNDO_PAUSED  # what is left stands until undo or apply goes on
    else:
        state = State.UNDONE
    session.again(lambda connection: ledger.reach(connection, run_id, state, why_left))
    undone, left_alone, left = session.again(lambda connection: _totals(connection, run_id, only))
    return UndoReport(state, undone - before, left_alone, left, why_left)


def _rounds(worker: Worker, only: int | None) -> tuple[bool, str]:
    """Go through the lines until none is left; whether it stopped before, and why where nobody has asked it to."""
    session, run_id, fruitless = worker.session, worker.run_id, 0
    while lines := session.again(lambda connection: _lines(connection, run_id, only)):
        if _round(worker, lines):
            return True, ""
        left = session.again(lambda connection: _lines(connection, run_id, only))
        fruitless = 0 if _rows(left) < _rows(lines) else fruitless + 1
        if fruitless == _FRUITLESS_ROUNDS:
            why = partial(left_by_undo, target=worker.target, run_id=run_id, only=only, left=_rows(left))
            return True, session.again(why)
        time.sleep(min(fruitless, 1))
    return False, ""


def _totals(connection: psycopg.Connection[Any], run_id: str, only: int | None) -> tuple[int, int, int]:
    """Rows emptied, left alone and left."""
    row = connection.execute(_TOTALS, {"run": run_id, "only": only}).fetchone()
    return row or (0, 0, 0)


def _rows(lines: list[_Line]) -> int:
    return sum(line.rows for line in lines)


def _lines(connection: psycopg.Connection[Any], run_id: str, only: int | None) -> list[_Line]:
    return [_Line(*row) for row in connection.execute(_LINES, {"run": run_id, "only": only}).fetchall()]


def _round(worker: Worker, lines: list[_Line]) -> bool:
    """Go once through ``lines``; True where somebody asks to stop."""
    session, run_id = worker.session, worker.run_id
    for some in _together(lines):
        if is_cancelled_while_held(worker, State.UNDO_PAUSED, State.UNDOING):
            return True
        started = time.monotonic()
        undone, skipped = session.again(partial(_take_back, target=worker.target, run_id=run_id, lines=some))
        worker.observe(Batch(some[0].number, 0, undone, time.monotonic() - started, _rows(some), skipped))
        asked = session.again(lambda connection: ledger.read(connection, run_id)).asked
        if asked and asks_to_cancel(worker, State.UNDO_PAUSED, State.UNDOING):
            return True
    return False


def _together(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Lines that filled the same columns, as many small ones at once as make up the least of batches."""
    for _, alike in groupby(sorted(lines, key=_filled), _filled):
        some: list[_Line] = []
        for line in alike:
            if some and _rows(some) + line.rows > pace.FEWEST:
                yield some
                some = []
            some.append(line)
        yield some


def _filled(line: _Line) -> list[str]:
    return line.filled


def _take_back(
    connection: psycopg.Connection[Any], target: Target, run_id: str, lines: list[_Line]
) -> tuple[int, bool]:
    """Undo some lines; rows that somebody holds are passed over where they keep us waiting."""
    batches, variants = [line.number for line in lines], [line.variant for line in lines]
    for skip_locked in (False, True):
        statement = empty_statement(target, run_id, batches, variants, lines[0].filled, skip_locked=skip_locked)
        try:
            with connection.transaction():
                ledger.still(connection, run_id, State.UNDOING)
                undone, otherwise = connection.execute(statement).fetchone() or (0, 0)
                if otherwise:
                    raise DatabaseError(
                        f"A trigger of {target.shown} changes what undo writes, so the batch was taken back. Mend or "
                        "disable the trigger, then undo again; what was undone before stays undone."
                    )
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if skip_locked:
                raise
        else:
            return undone, skip_locked
    raise AssertionError("one of the two ways returns or raises")
