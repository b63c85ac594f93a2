"""Where the runs of a database stand, from exact counts."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.backfill import ledger
from pipeline.backfill.session import WORKS_ON, somebody_works
from pipeline.backfill.states import NEXT, State

_WORKS_ON = WORKS_ON.replace("%(run)s", "r.run_id")
_AT_WORK = {State.APPLYING: "apply", State.PAUSED: "apply", State.UNDOING: "undo", State.UNDO_PAUSED: "undo"}
_STATUS = f"""
SELECT {_WORKS_ON} AS at_work, r.run_id, r.state, r.asked, r.waiting_for, r.target, r.fills, r.made_by,
    r.made_at, r.to_do, r.sweep, r.cursor, r.batches,
    coalesce(b.changed, 0) AS changed, coalesce(b.undone, 0) AS undone, coalesce(b.left_alone, 0) AS left_alone,
    coalesce(b.standing, 0) AS standing, coalesce(b.recent, 0) AS recent, b.recent_seconds, b.last_at
FROM ojeon.runs r CROSS JOIN LATERAL (
    SELECT greatest(now() - interval '1 minute', max(at) FILTER (WHERE state IN ('applying', 'undoing'))) AS since
    FROM ojeon.events WHERE run_id = r.run_id
) s LEFT JOIN LATERAL (
    SELECT sum(changed)::bigint AS changed, sum(undone)::bigint AS undone,
        sum(cardinality(left_alone))::bigint AS left_alone, sum(cardinality(ids))::bigint AS standing,
        (sum(changed) FILTER (WHERE finished_at > s.since))::bigint AS recent,
        extract(epoch FROM now() - min(started_at) FILTER (WHERE finished_at > s.since))::float8
            AS recent_seconds,
        max(finished_at) AS last_at
    FROM ojeon.batches WHERE run_id = r.run_id
) b ON true
WHERE %(run)s::text IS NULL OR r.run_id = %(run)s ORDER BY r.made_at
"""


@dataclass(frozen=True, slots=True)
class Status:
    """One run. ``standing`` rows hold now what it wrote.

    ``changed``, of them ``undone`` and ``left_alone`` by undo, add up all its applies and undos: a row may count often.
    ``to_do`` rows waited when apply began; ``recent`` rows it changed since, and in the last minute at most, in
    ``recent_seconds``.
    ``waiting_for`` is what its worker waits for; the word of a killed worker stands until another goes on.
    ``at_work`` tells whether a process is at work on it right now.
    """

    at_work: bool
    run_id: str
    state: str
    asked: str | None
    waiting_for: str | None
    target: str
    fills: list[str]
    made_by: str
    made_at: datetime
    to_do: int | None
    sweep: int
    cursor: str | None
    batches: int
    changed: int
    undone: int
    left_alone: int
    standing: int
    recent: int
    recent_seconds: float | None
    last_at: datetime | None

    @property
    def rows_per_second(self) -> float | None:
        """The rate of this apply in the last minute; None where it changed nothing in it."""
        return self.recent / self.recent_seconds if self.recent and self.recent_seconds else None

    @property
    def go_on(self) -> str | None:
        """The command to go on with, where the run is under way and its process is gone."""
        verb = None if self.at_work else _AT_WORK.get(State(self.state))
        return f"ojeon {verb} {self.run_id}" if verb else None

    @property
    def may_become(self) -> list[str]:
        """The states that may follow."""
        return sorted(NEXT[State(self.state)])


@dataclass(frozen=True, slots=True)
class Standing:
    """Every run asked for, and whether a process is at work on this database right now."""

    runs: list[Status]
    at_work: bool


def status(connection: psycopg.Connection[Any], run_id: str | None) -> Standing:
    """Read where ``run_id`` stands, or every run of this database.

    Raises:
        UsageError: this database knows no such run, or its ledger is of another version.
    """
    if run_id is not None:
        ledger.read(connection, run_id)
    ledger.version(connection)
    if not ledger.exists(connection):
        return Standing([], at_work=False)
    with connection.cursor(row_factory=class_row(Status)) as cursor:
        runs = cursor.execute(_STATUS, {"run": run_id}).fetchall()
    return Standing(runs, somebody_works(connection))


def as_dict(standing: Standing) -> dict[str, Any]:
    """The same for scripts."""
    runs = [
        {
            **asdict(run),
            "rows_per_second": run.rows_per_second,
            "go_on": run.go_on,
            "may_become": run.may_become,
        }
        for run in standing.runs
    ]
    return {"at_work": standing.at_work, "runs": runs}


def status_table(standing: Standing) -> RenderableType:
    """One line a run, short enough for 80 columns, and a sentence about whatever else is to be known of it."""
    at_work = "a process is at work" if standing.at_work else "no process is at work"
    table = Table(
        title=f"runs of this database; {at_work}", title_justify="left", box=None, header_style="dim", pad_edge=False
    )
    for heading in ("run", "state", "filled", "to do", "holds", "rows/s", "last"):
        left = heading in {"run", "state", "filled", "last"}
        table.add_column(
            heading, justify="left" if left else "right", overflow="fold", no_wrap=heading in {"run", "last"}
        )
    for run in standing.runs:
        rate = run.rows_per_second
        table.add_row(
            run.run_id,
            run.state + (f" (asked to {run.asked})" if run.asked else "") + (" (no process)" if run.go_on else ""),
            ", ".join(run.fills),
            "" if run.to_do is None else f"{run.to_do:,}",
            f"{run.standing:,}",
            "" if rate is None else f"{rate:,.0f}",
            "" if run.last_at is None else f"{run.last_at:%Y-%m-%d %H:%M:%S}",
        )
    says = [
        f"{run.run_id}, all its applies and undos added up: {run.changed:,} rows changed, {run.undone:,} undone, "
        f"{run.left_alone:,} left alone, written to since"
        for run in standing.runs
        if run.undone or run.left_alone
    ]
    says += [f"{run.run_id} waits for {run.waiting_for}" for run in standing.runs if run.waiting_for and not run.go_on]
    says += [f"The process of {run.run_id} is gone. Go on with: {run.go_on}" for run in standing.runs if run.go_on]
    return Group(table, *map(Text, says))
