"""Extract: copy the columns the pipeline needs into the workbench, every row accounted for, and group the texts."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.address import Address, read_address
from pipeline.dump import open_dump
from pipeline.errors import DatabaseError, RunError, UsageError
from pipeline.settings import TableNames
from pipeline.snapshot import ARRIVING, Snapshot, open_snapshot

Progress = Callable[[int, int], None]
Source = Address | Path

_TEXTS = """
INSERT INTO texts
SELECT raw, count(*), count(current_period), min(created_at), max(created_at) FROM reservations GROUP BY raw
"""
_COUNTS = "SELECT count(*), coalesce(sum(rows), 0)::BIGINT, coalesce(sum(already_set), 0)::BIGINT FROM texts"
_ARRIVING = "arriving"
_ID_SETTING = "OJEON_NAMES__ID, or id under [names] in ojeon.toml"


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What was copied: rows, distinct texts, rows that had a period already, where from, and notices for people."""

    rows: int
    texts: int
    already_set: int
    source: dict[str, Any]
    notices: tuple[str, ...]


def source_of(database_url: str | None, dump: Path | None) -> Source:
    """Where to extract from: the dump where one is given, else the database.

    Raises:
        UsageError: both are given, or neither is and the environment names no database, or the URL cannot be read.
    """
    if dump is None:
        return read_address(database_url)
    if database_url:
        raise UsageError("Both a database URL and a dump are given. Give the one to read from.")
    return dump


def extract(
    source: Source,
    workbench: duckdb.DuckDBPyConnection,
    names: TableNames,
    progress: Progress = lambda _done, _total: None,
) -> ExtractReport:
    """Fill the workbench's ``reservations``, ``texts`` and the fact ``source``; what was there before is replaced.

    All or nothing: after a failure the workbench is as it was. ``progress`` is told rows done and rows in all.

    Raises:
        DatabaseError: the database cannot be read or does not hold what ``names`` names.
        UsageError: the dump cannot be read.
        RunError: rows were lost on the way, or the workbench cannot be written.
    """
    with _all_or_nothing(workbench):
        if isinstance(source, Path):
            facts, notices = _copy_dump(source, workbench, names, progress)
        else:
            facts, notices = _copy_live(source, workbench, names, progress)
        workbench.execute(_TEXTS)
        texts, rows, already_set = workbench.execute(_COUNTS).fetchall()[0]
        if not rows:
            notices = (*notices, "There are no rows: there is nothing to decide.")
        facts |= {"rows": rows, "already_set": already_set, "notices": list(notices)}
        workbench.execute("INSERT OR REPLACE INTO facts VALUES ('source', ?)", [json.dumps(facts)])
    return ExtractReport(rows, texts, already_set, facts, notices)


def _copy_live(
    address: Address, workbench: duckdb.DuckDBPyConnection, names: TableNames, progress: Progress
) -> tuple[dict[str, Any], tuple[str, ...]]:
    with open_snapshot(address, names) as snapshot:
        done = _insert(workbench, snapshot, progress)
    _all_arrived(done, snapshot.rows, f"the table held {snapshot.rows} at that moment")
    if not snapshot.unique_id and (repeated := _repeated_ids(workbench)):
        raise DatabaseError(
            f"{repeated} rows have an id in {names.id!r} that another row has too, so rows cannot be told apart. "
            f"Name a unique column with {_ID_SETTING}."
        )
    return snapshot.facts, snapshot.notices


def _insert(workbench: duckdb.DuckDBPyConnection, snapshot: Snapshot, progress: Progress) -> int:
    """Insert all batches in one statement, which is what lets DuckDB write them out as they come; count the rows."""
    failures: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(ARRIVING, _watched(snapshot, progress, failures))
    workbench.register(_ARRIVING, reader)
    try:
        return int(workbench.execute(f"INSERT INTO reservations BY NAME FROM {_ARRIVING}").fetchall()[0][0])
    except duckdb.ConstraintException as error:
        raise DatabaseError(f"The id of a row is NULL. Name a column that is never NULL with {_ID_SETTING}.") from error
    except duckdb.Error:
        # DuckDB makes an error of its own out of whatever happened in the stream.
        if failures:
            raise failures[0] from None
        raise


def _watched(snapshot: Snapshot, progress: Progress, failures: list[BaseException]) -> Iterator[pa.RecordBatch]:
    done = 0
    try:
        for batch in snapshot.batches:
            yield batch
            done += batch.num_rows
            progress(done, snapshot.rows)
    except BaseException as error:
        failures.append(error)
        raise


def _copy_dump(
    path: Path, workbench: duckdb.DuckDBPyConnection, names: TableNames, progress: Progress
) -> tuple[dict[str, Any], tuple[str, ...]]:
    dump = open_dump(path, names)
    try:
        found = workbench.execute(f"INSERT INTO reservations BY NAME {dump.select}", dump.parameters).fetchall()
    except duckdb.Error as error:
        if sentence := dump.fault(error):
            raise UsageError(sentence) from error
        raise
    done = int(found[0][0])
    _all_arrived(done, dump.rows, f"the dump {path} holds {dump.rows}")
    if repeated := _repeated_ids(workbench):
        raise UsageError(
            f"{repeated} rows of the dump {path} have an id in {names.id!r} that another row has too, so rows cannot "
            f"be told apart. Name a unique column with {_ID_SETTING}."
        )
    progress(done, dump.rows)
    return dump.facts, dump.notices


def _all_arrived(done: int, expected: int, source: str) -> None:
    if done != expected:
        raise RunError(f"{done} rows arrived but {source}, so nothing was kept. Start the run again.")


def _repeated_ids(workbench: duckdb.DuckDBPyConnection) -> int:
    return int(workbench.execute("SELECT count(*) - count(DISTINCT id) FROM reservations").fetchall()[0][0])


@contextmanager
def _all_or_nothing(workbench: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction in which the tables are emptied first."""
    try:
        # A third of the time to write, for twice the room: ids are random, looking for a better form finds none.
        workbench.execute("PRAGMA force_compression = 'dictionary'")
        workbench.begin()
        try:
            workbench.execute("DELETE FROM reservations")
            workbench.execute("DELETE FROM texts")
            yield
            workbench.commit()
        except BaseException:
            with suppress(duckdb.Error):  # a fatal error has ended the transaction already
                workbench.rollback()
            raise
        finally:
            with suppress(duckdb.Error):
                workbench.unregister(_ARRIVING)
                workbench.execute("PRAGMA force_compression = 'auto'")
    except duckdb.Error as error:
        raise RunError(
            f"The workbench of the run cannot be written ({type(error).__name__}). Make room on its disk and in "
            "memory, then start a new run."
        ) from error
