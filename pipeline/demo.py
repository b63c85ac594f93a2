"""The demo: an invented clinic on a real PostgreSQL, the whole way, a rehearsal of the plan, and a review.

The only module of the pipeline that knows the fixtures; nothing else may.
"""

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fixtures.clinic.generate import Clinic, generate
from fixtures.clinic.load import create, load
from fixtures.clinic.reviewer import answers
from pipeline.address import read_address
from pipeline.answers import Verdict
from pipeline.embedded import embedded_postgres
from pipeline.errors import UsageError
from pipeline.extract import source_of
from pipeline.live import connected
from pipeline.rehearsal import Rehearsal, rehearse
from pipeline.review.stand_in import Reviewed, review
from pipeline.settings import Settings
from pipeline.way import Progress, Run, Step, open_run, travel
from pipeline.workbench import read_workbench

Announce = Callable[[Step], Progress]

# The invented clinic has hours, and a table, of its own, whatever settings lie about for another.
_OF_THE_CLINIC = ("timezone", "noon", "slots", "grace", "names")
_PREPARE = Step("prepare", "start PostgreSQL and load the invented clinic", lambda _run, _progress: None)
_REHEARSE = Step("rehearse", "apply the plan with psql, apply it again, undo it", lambda _run, _progress: None)
_REVIEW = Step("review", "a stand-in fills in manual_review.xlsx; import it, run again", lambda _run, _progress: None)


@dataclass(frozen=True, slots=True)
class Truth:
    """The decisions held against what the invented writers meant, in rows."""

    auto: int
    auto_right: int
    meant_auto: int

    @property
    def precision(self) -> float:
        """Share of the AUTO rows that are right; 1 where there are none."""
        return self.auto_right / self.auto if self.auto else 1.0

    @property
    def coverage(self) -> float:
        """Share of the rows that can be decided that were; 1 where there are none."""
        return self.auto_right / self.meant_auto if self.meant_auto else 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo did: the run, how right it was, the rehearsal (None where the plan is refused), seconds taken.

    ``reviewed`` is what the stand-in reviewer said about the run's list, ``again`` the run that took it in.
    """

    run: Run
    truth: Truth
    rehearsal: Rehearsal | None
    reviewed: Reviewed
    again: Run
    seconds: float
    url: str

    @property
    def as_promised(self) -> bool:
        """Nothing decided wrongly, the rehearsal came out even, and the second run took in just what was answered.

        The rehearsal must change just the planned rows, none twice, and take all back.
        """
        planned = self.run.reports["emit"].rows.auto
        played = self.rehearsal
        return (
            self.truth.auto == self.truth.auto_right
            and (
                played is None
                or (played.applied == planned == played.undone and played.applied_again == 0 and played.restored)
            )
            and self._took_in_what_was_answered
        )

    @property
    def _took_in_what_was_answered(self) -> bool:
        before, after = (run.reports["emit"].rows for run in (self.run, self.again))
        said = self.reviewed
        return bool(
            after.auto - before.auto == said.rows_with_period
            and after.neither == said.rows - said.rows_with_period
            and before.waiting - after.waiting == said.rows
        )


@contextmanager
def demonstrate(settings: Settings, rows: int, database_url: str | None, announce: Announce) -> Iterator[Shown]:
    """Run the demo with ``rows`` invented reservations; the database lives until the context ends.

    Raises:
        OjeonError: PostgreSQL cannot be started or reached, or a step failed.
    """
    started = time.monotonic()
    progress = announce(_PREPARE)
    with _database(database_url) as (url, psql):
        clinic = generate(rows)
        progress(1, 3)
        create(url)
        progress(2, 3)
        load(url, clinic)
        progress(3, 3)
        with tempfile.TemporaryDirectory(prefix="ojeon-demo-") as elsewhere:
            its_own = {name: Settings.model_fields[name].get_default() for name in _OF_THE_CLINIC}
            its_own["answers"] = Path(elsewhere) / "answers.sqlite"  # invented answers are not for real runs
            of_the_clinic, source = settings.model_copy(update=its_own), source_of(url, None)
            run = open_run(of_the_clinic, source)
            travel(run, announce)
            rehearsal = None
            if run.reports["emit"].apply_allowed:
                rehearsal = rehearse(url, psql, run.folder, run.settings.names, announce(_REHEARSE))
            truth = _held_against(run.workbench, clinic)
            announce(_REVIEW)(1, 1)
            reviewed = _reviewed(run, Path(elsewhere))
            again = open_run(of_the_clinic, source)
            travel(again, announce)
            yield Shown(run, truth, rehearsal, reviewed, again, time.monotonic() - started, url)


def _reviewed(run: Run, elsewhere: Path) -> Reviewed:
    """Let the stand-in answer the run's list where a person could; its workbench is closed for it and opened again."""
    run.workbench.close()
    said: dict[str | None, Verdict] = {raw: Verdict(verdict) for raw, verdict in answers().items()}
    reviewed = review(run.folder, said, elsewhere / "manual_review.xlsx", run.settings.answers_file)
    run.workbench = read_workbench(run.folder)
    return reviewed


@contextmanager
def _database(database_url: str | None) -> Iterator[tuple[str, Path]]:
    """An empty database and a psql to reach it with: embedded, or a new one on the given server, dropped afterwards."""
    if database_url is None:
        with embedded_postgres() as server:
            yield server.url, server.psql
        return
    psql = shutil.which("psql")
    if psql is None:
        raise UsageError("The demo needs psql on the PATH to rehearse on your server. Install it or leave the URL out.")
    name = f"ojeon_demo_{secrets.token_hex(4)}"
    address = read_address(database_url)
    with connected(address) as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_conninfo(address.conninfo, dbname=name), Path(psql)
    finally:
        with connected(address) as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _held_against(workbench: duckdb.DuckDBPyConnection, clinic: Clinic) -> Truth:
    """Join the decisions with the truth, which the run has never seen."""
    connection = workbench.cursor()
    connection.register("truth", clinic.truth)
    row: Any = connection.execute(
        """
        SELECT
            count(*) FILTER (d.disposition = 'AUTO'),
            count(*) FILTER (d.disposition = 'AUTO' AND truth.auto AND d.period = truth.period),
            count(*) FILTER (truth.auto)
        FROM reservations r
        JOIN decisions d ON r.raw IS NOT DISTINCT FROM d.raw
        JOIN truth ON truth.id = r.id
        """
    ).fetchone()
    connection.close()
    return Truth(*row)
