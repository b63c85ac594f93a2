"""Apply a plan to the live table: batch by batch in the order of ids, then sweeps until nothing is left.

Killed at any instant it has lost nothing and repeats nothing: a batch, its line in the ledger and the cursor are one
transaction, and the next start goes on from there.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from pipeline.backfill import ledger
from pipeline.backfill.batch import Span, bound, count_left, fill_statement, waiting
from pipeline.backfill.claims import Held, hold, take_over
from pipeline.backfill.fitness import refuse_unfit
from pipeline.backfill.notes import settle
from pipeline.backfill.pace import Pace
from pipeline.backfill.plan import Plan, check_database, load
from pipeline.backfill.session import Session
from pipeline.backfill.states import State
from pipeline.backfill.stuck import left_by_apply
from pipeline.backfill.target import Target, find_target, unknown_services
from pipeline.backfill.worker import Batch, Worker, asks_to_cancel, is_cancelled_while_held
from pipeline.errors import DatabaseError, UsageError
from pipeline.ledger import LEDGER

_T = TypeVar("_T")
FIRST_BATCH = 1_000
_FRUITLESS_SWEEPS = 5
REGISTER = """
INSERT INTO ojeon.runs (run_id, plan_sha256, target, target_oid, fills) VALUES (%s, %s, %s, %s, %s)
"""
_BEGIN = "UPDATE ojeon.runs SET to_do = %s, cursor = NULL, sweep = %s WHERE run_id = %s"
ADVANCE = """
UPDATE ojeon.runs SET cursor = %(cursor)s, batches = %(number)s WHERE run_id = %(run)s RETURNING asked
"""
_NEXT_SWEEP = "UPDATE ojeon.runs SET cursor = NULL, sweep = sweep + 1 WHERE run_id = %s"
_BY_FILES = f"SELECT count(*) FROM {LEDGER} WHERE run_id = %s AND changed <> '{{}}'"
_CHANGED = """
SELECT coalesce(sum(changed) FILTER (WHERE batch > %s AND NOT by_trigger), 0)::bigint,
    coalesce(sum(changed - undone), 0)::bigint
FROM ojeon.batches WHERE run_id = %s
"""


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """How a start of apply ended: the state, rows changed by it, rows the run has changed in all, rows still open.

    A cancelled start does not count those: ``left`` is None. ``why_left`` says what keeps the rows that are still open.
    """

    state: State
    changed: int
    changed_in_all: int
    left: int | None
    batches: int
    why_left: str = ""


def inspect(connection: psycopg.Connection[Any], plan: Plan, fills: tuple[str, ...]) -> Target:
    """Check that the plan can be applied to this database; nothing is written.

    Raises:
        UsageError: the plan belongs to another database, is another than the ledger's, was begun by its files or to
            fill something else, or a service code is unknown.
        DatabaseError: the table lacks what is to be filled, or cannot take it.
    """
    check_database(connection, plan)
    target = find_target(connection, plan.names, fills)
    refuse_unfit(connection, target)
    if unknown := _counted(connection, lambda: unknown_services(connection, target)):
        raise UsageError(
            f"Reservations have service codes without a row in {plan.names.services!r}: {', '.join(unknown[:10])}. "
            "Nothing was written. Add those services, then apply again."
        )
    _not_by_files(connection, plan)
    if (line := ledger.find(connection, plan.run_id)) is not None:
        _same(line, plan, target)
    return target


def register(connection: psycopg.Connection[Any], plan: Plan, target: Target) -> None:
    """Enter the run and its dictionary into the ledger, unless they are there.

    Raises:
        RunError: everybody may write the ledger.
    """
    ledger.create(connection)
    if ledger.find(connection, plan.run_id) is not None:
        return
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")  # a large dictionary takes its time and keeps nobody
        connection.execute(REGISTER, registration(plan, target))
        load(connection, plan)
    connection.execute("ANALYZE ojeon.plan")


def registration(plan: Plan, target: Target) -> tuple[Any, ...]:
    """The values of ``REGISTER``."""
    return plan.run_id, plan.sha256, target.shown, target.oid, list(target.fills)


def _not_by_files(connection: psycopg.Connection[Any], plan: Plan) -> None:
    """Two ledgers for one run could not both be exact."""
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (LEDGER,)).fetchone()
    if there and there[0] and (connection.execute(_BY_FILES, (plan.run_id,)).fetchone() or (0,))[0]:
        raise UsageError(
            f"Rows of this run were filled by its files (psql, {plan.folder}/updates). Go on with the files, or take "
            f"them back with {plan.folder}/undo/*.sql first."
        )


def _same(line: ledger.Line, plan: Plan, target: Target) -> None:
    if line.plan_sha256 != plan.sha256:
        raise UsageError(
            f"The ledger knows a plan of the run {plan.run_id} that is not the one in {plan.folder}: one of them was "
            "edited. Put the first one back, or plan again with `ojeon run`."
        )
    if line.target_oid != target.oid:
        raise UsageError(
            f"The ledger's lines of this run are about another table than today's {target.shown} (it was renamed, made "
            "anew or restored), so what this run wrote cannot be told. Plan again with `ojeon run`."
        )
    if tuple(line.fills) != target.fills:
        raise UsageError(
            f"The run {plan.run_id} was begun to fill {', '.join(line.fills)}, now {', '.join(target.fills)} is asked. "
            "Go on with the first, or undo the run before."
        )


def apply(worker: Worker) -> ApplyReport:
    """Fill what the plan says, until nothing is left, or somebody asks to pause or cancel.

    Of a run that was applied before only the rows that still wait are looked for.

    Raises:
        DatabaseError: the server refused, did not come back, or a trigger changes what is written.
        UsageError: the run's state does not allow it.
    """
    session, run_id = worker.session, worker.run_id
    session.work_on(run_id)
    session.again(lambda connection: settle(connection, worker.target, run_id))
    line = ledger.read(session.connection, run_id)
    resumed = line.state in (State.APPLYING, State.PAUSED)
    ledger.move(session.connection, run_id, State.APPLYING, "resumed" if resumed else "")
    if not resumed:
        to_do = _unhurried(session, lambda connection: count_left(connection, worker.target, run_id))
        session.connection.execute(_BEGIN, (to_do, int(line.state == State.APPLIED), run_id))
    return _Apply(worker, line.batches).do()


class _Apply:
    """One start of apply, behind the batch ``after``, and the size of its batches; how far it is, the ledger knows."""

    def __init__(self, worker: Worker, after: int) -> None:
        self.worker, self.session = worker, worker.session
        self.target, self.run_id, self.after = worker.target, worker.run_id, after
        self.pace = Pace(FIRST_BATCH, worker.seconds)
        self.batches = 0

    def do(self) -> ApplyReport:
        changed = fruitless = 0
        while True:
            if self._sweep():
                return self._end(State.CANCELLED, None)
            left = _unhurried(self.session, lambda connection: count_left(connection, self.target, self.run_id))
            if not left:
                return self._end(State.APPLIED, 0)
            now, _ = self.session.again(self._changed)
            fruitless = 0 if now > changed else fruitless + 1
            changed = now
            if fruitless == _FRUITLESS_SWEEPS:
                return self._end(State.PAUSED, left)
            time.sleep(min(fruitless, 1))
            self.session.again(lambda connection: connection.execute(_NEXT_SWEEP, (self.run_id,)))

    def _sweep(self) -> bool:
        """Go once through the table, from the cursor on; True where somebody asks to cancel."""
        while True:
            if is_cancelled_while_held(self.worker, State.PAUSED, State.APPLYING):
                return True
            at_the_end, asked = self.session.again(self._batch)
            if asked and asks_to_cancel(self.worker, State.PAUSED, State.APPLYING):
                return True
            if at_the_end:
                return False

    def _batch(self, connection: psycopg.Connection[Any]) -> tuple[bool, str | None]:
        """Do the next batch; return whether it was the sweep's last, and what somebody asks for."""
        skip_locked = False
        while True:
            # The ledger knows best where we are: a lost session leaves open whether its last commit came through.
            line = ledger.still(connection, self.run_id, State.APPLYING)
            span = self._span(connection, line)
            try:
                return self._write(connection, line, span, skip_locked=skip_locked)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                if skip_locked:  # not a row but the whole table is locked
                    raise
                skip_locked = True
            except psycopg.errors.QueryCanceled as error:
                if not self.pace.halve():
                    raise DatabaseError(
                        f"Even {self.pace.rows} rows take longer than the statement time-out. The table is under heavy "
                        "load or lacks the index on its id. What was done stays done: apply again later."
                    ) from error

    def _span(self, connection: psycopg.Connection[Any], line: ledger.Line) -> Span:
        """What the next batch covers: in the first sweep a stretch of the table, then only what was left over."""
        if not line.sweep:
            return Span(line.cursor, bound(connection, self.target, line.cursor, self.pace.rows))
        ids = _counted(connection, lambda: waiting(connection, self.target, self.run_id, line.cursor, self.pace.rows))
        return Span(line.cursor, ids[-1] if len(ids) == self.pace.rows else None, ids)

    def _write(
        self, connection: psycopg.Connection[Any], line: ledger.Line, span: Span, *, skip_locked: bool
    ) -> tuple[bool, str | None]:
        started, rows = time.monotonic(), self.pace.rows
        with connection.transaction():
            held = Held()
            if self.target.in_steps:
                held = hold(connection, self.target, self.run_id, span, skip_locked=skip_locked)
            number = line.batches + held.settled + 1
            changed = self._fill(connection, number, span, held, skip_locked=skip_locked)
            take_over(connection, self.run_id, number, held)
            values = {"cursor": span.upto, "number": number, "run": self.run_id}
            row = connection.execute(ADVANCE, values).fetchone()
        seconds = time.monotonic() - started
        if span.upto is not None and not skip_locked:
            self.pace.took(rows, seconds)
        self.batches += 1
        self.worker.observe(Batch(number, line.sweep, changed, seconds, rows, skip_locked))
        return span.upto is None, row[0] if row else None

    def _fill(
        self, connection: psycopg.Connection[Any], number: int, span: Span, held: Held, *, skip_locked: bool
    ) -> int:
        parts: list[tuple[Span, frozenset[str] | None, bool]] = [(span, None, skip_locked)]
        parts += [(Span(span.after, span.upto, ids), before, False) for before, ids in held.by_columns()]
        changed = 0
        for part, before, skip in parts:
            for variant in self.target.variants(self.run_id):
                statement = fill_statement(
                    self.target, variant, self.run_id, number, part, skip_locked=skip, before=before
                )
                changed += self._filled(connection, statement)
        return changed

    def _filled(self, connection: psycopg.Connection[Any], statement: sql.Composed) -> int:
        changed, otherwise, writers = connection.execute(statement).fetchone() or (0, 0, 0)
        if otherwise or writers > 1:
            raise DatabaseError(
                f"A trigger of {self.target.shown} changes what this plan writes, so the batch was taken back. "
                "Mend or disable the trigger, then apply again; what was done before stays done."
            )
        return int(changed)

    def _changed(self, connection: psycopg.Connection[Any]) -> tuple[int, int]:
        """Rows changed by this start, and by the run in all."""
        return connection.execute(_CHANGED, (self.after, self.run_id)).fetchone() or (0, 0)

    def _end(self, state: State, left: int | None) -> ApplyReport:
        why = self.session.again(lambda found: left_by_apply(found, self.target, self.run_id, left)) if left else ""
        self.session.again(lambda connection: ledger.reach(connection, self.run_id, state, why))
        changed, in_all = self.session.again(self._changed)
        return ApplyReport(state, changed, in_all, left, self.batches, why)


def _unhurried(session: Session, count: Callable[[psycopg.Connection[Any]], int]) -> int:
    return session.again(lambda connection: _counted(connection, lambda: count(connection)))


def _counted(connection: psycopg.Connection[Any], read: Callable[[], _T]) -> _T:
    """Read over the whole table: it blocks nobody, so it may take its time."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        return read()
