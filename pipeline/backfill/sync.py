"""Sync: settle the rows that arrived since a run was applied, until none is left but those that wait for people.

Killed at any instant it is started again: what joined the plan is there and only waits to be applied.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pipeline import answers
from pipeline.backfill import arrivals, ledger
from pipeline.backfill.apply import apply
from pipeline.backfill.arrivals import Arrival
from pipeline.backfill.batch import count_left
from pipeline.backfill.plan import Plan
from pipeline.backfill.states import State
from pipeline.backfill.target import PERIOD
from pipeline.backfill.worker import Worker
from pipeline.errors import UsageError

_MAY_SYNC = frozenset({State.APPLYING, State.PAUSED, State.APPLIED})


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a sync ended: the state, texts that joined the plan, rows changed, rows left and, in ``why_left``, why.

    ``waiting_texts`` in ``waiting_rows`` wait for people; ``written_down`` are the files that name those of them that
    are new. ``broken_laws`` kept what was decided from joining the plan.
    """

    state: State
    texts: int
    changed: int
    left: int | None
    waiting_texts: int
    waiting_rows: int
    written_down: tuple[Path, ...]
    broken_laws: tuple[str, ...]
    why_left: str = ""


def sync(worker: Worker, plan: Plan, words: answers.Standing = answers.NOTHING) -> SyncReport:
    """Decide the texts that the plan does not know, by reviewers' ``words`` first, and apply the certain ones.

    Raises:
        UsageError: the run was not applied, or another version of ojeon made its plan.
        DatabaseError: the server refused or did not come back, or a trigger changes what is written.
        OSError: the run's folder cannot be written.
    """
    _refuse_unapplied(worker)
    return _Sync(worker, plan, words).do()


def _refuse_unapplied(worker: Worker) -> None:
    run_id = worker.run_id
    state = worker.session.again(lambda connection: ledger.read(connection, run_id)).state
    if state not in _MAY_SYNC:
        raise UsageError(
            f"The run {run_id} is {state}, and sync goes on where apply ended. Apply it first: ojeon apply {run_id}"
        )


class _Sync:
    """One sync and what it has done so far."""

    def __init__(self, worker: Worker, plan: Plan, words: answers.Standing) -> None:
        self.worker, self.session, self.plan, self.words = worker, worker.session, plan, words
        self.target, self.run_id = worker.target, worker.run_id
        self.texts = self.changed = 0
        self.written_down: list[Path] = []

    def do(self) -> SyncReport:
        while True:
            arrived = self._arrived()
            certain = tuple(arrival for arrival in arrived if arrival.certain)
            broken = self._take_in(arrived, certain)
            state, left, why = self._settle()
            if broken or not certain or state is not State.APPLIED:
                rows = [arrival.rows for arrival in arrived if arrival.waits]
                done = self.texts, self.changed, left
                return SyncReport(state, *done, len(rows), sum(rows), tuple(self.written_down), broken, why)

    def _arrived(self) -> tuple[Arrival, ...]:
        if PERIOD not in self.target.fills:
            return ()
        return self.session.again(lambda connection: arrivals.find(connection, self.target, self.plan, self.words))

    def _take_in(self, arrived: tuple[Arrival, ...], certain: tuple[Arrival, ...]) -> tuple[str, ...]:
        """Write down what waits for people, let the rest join the plan; the laws that keep it from that."""
        if path := arrivals.write_down(self.plan, arrived):
            self.written_down.append(path)
        if not certain:
            return ()
        if broken := arrivals.broken_laws(arrived, self.plan):
            return broken
        self.session.again(lambda connection: arrivals.add(connection, self.run_id, certain))
        self.texts += len(certain)
        return ()

    def _settle(self) -> tuple[State, int | None, str]:
        """Apply what waits; the state after it, the rows left, and why."""
        state = State(self.session.again(lambda connection: ledger.read(connection, self.run_id)).state)
        if state is State.APPLIED and not self.session.again(self._left):
            return state, 0, ""
        report = apply(self.worker)
        self.changed += report.changed
        return report.state, report.left, report.why_left

    def _left(self, connection: psycopg.Connection[Any]) -> int:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            return count_left(connection, self.target, self.run_id)
