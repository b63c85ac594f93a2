"""What a verification goes by: the live table, the ledger and the run's folder, side by side in DuckDB.

All of the database is read in one read-only snapshot, while others go on writing. Nothing here is shared with what
applied the plan but the shape of the ledger's tables.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.rows import class_row

from parsers.types import Period
from pipeline import dictionary, manifest
from pipeline.address import Address
from pipeline.backfill import ledger
from pipeline.catalog import LiveTable, look_up
from pipeline.errors import RunError, UsageError
from pipeline.fingerprint import fingerprint
from pipeline.live import connected
from pipeline.selection import moment, table_of
from pipeline.settings import TableNames
from pipeline.snapshot import streamed
from pipeline.workbench import FILE_NAME

_OID = "SELECT to_regclass(%s)::oid::bigint"
_RUN = "SELECT run_id, plan_sha256, target_oid::bigint, fills, state, batches FROM ojeon.runs WHERE run_id = %s"
# A row that a later transaction wrote may have come after apply had looked for the last time.
_LAST_LOOK = """
SELECT xid::text::bigint FROM (
    SELECT writer::xid AS xid FROM ojeon.batches WHERE run_id = %(run)s AND NOT by_trigger
    UNION ALL SELECT xmin FROM ojeon.events WHERE run_id = %(run)s AND state = 'applying'
) AS ours ORDER BY age(xid) LIMIT 1
"""
# The table's own triggers that an UPDATE fires; those whose function stands in our schema are ours.
_TRIGGERS = """
SELECT t.tgname::text FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE t.tgrelid = %s AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 > 0 AND n.nspname <> 'ojeon'
ORDER BY 1
"""
_COUNTS = """
SELECT count(*) AS "rows", count({period}) AS periods,
    count({period}) FILTER (WHERE {period}::text NOT IN ({known})) AS unknown_periods
FROM {table}
"""
# Moments are in UTC. Who writes one without a zone may have meant the session's, hence ``zone``.
_READ = {
    "live": """
        SELECT {id}::text AS id, {text}::text AS raw, {period}::text AS period, {slot}::text AS slot,
            {code}::text AS code, {service_id}::text AS service_id, {service_name}::text AS service_name,
            {duration}::text AS duration, xmin::text::bigint AS writer, {fingerprint} AS fingerprint,
            {updated_at} AS updated_at
        FROM {table}""",
    "lines": """
        SELECT batch, variant, filled, nullif(writer, '')::bigint AS writer, by_trigger,
            xmin::text::bigint AS line_writer, ids, changed, undone, left_alone,
            started_at AT TIME ZONE 'UTC' AS started, finished_at AT TIME ZONE 'UTC' AS finished,
            undone_at AT TIME ZONE 'UTC' AS undone_at,
            extract(epoch FROM started_at::timestamp - started_at AT TIME ZONE 'UTC')::bigint AS zone
        FROM ojeon.batches WHERE run_id = {run}""",
    "notes": """
        SELECT id, writer::bigint AS writer, filled ->> {period_name} AS period, filled ->> {slot_name} AS slot,
            filled ? {service_name_name} AS service
        FROM ojeon.dual_writes WHERE run_id = {run}""",
    "ledger_plan": "SELECT raw, period, slot_start AS start, increment FROM ojeon.plan WHERE run_id = {run}",
}
_SERVICES = """
SELECT code::text AS code, id::text AS id, name::text AS name, ("durationMinutes" + "bufferMinutes")::text AS duration,
    xmin::text::bigint AS writer
FROM {services}
"""
_DECIDED = pa.schema([("raw", pa.string()), ("period", pa.string()), ("start", pa.string())])
_TABLES = """
CREATE TABLE live (
    id VARCHAR, raw VARCHAR, period VARCHAR, slot VARCHAR, code VARCHAR, service_id VARCHAR, service_name VARCHAR,
    duration VARCHAR, writer BIGINT, fingerprint BIGINT, updated_at TIMESTAMP
);
CREATE TABLE lines (
    batch INTEGER, variant VARCHAR, filled VARCHAR[], writer BIGINT, by_trigger BOOLEAN, line_writer BIGINT,
    ids VARCHAR[], changed INTEGER, undone INTEGER, left_alone VARCHAR[], started TIMESTAMP, finished TIMESTAMP,
    undone_at TIMESTAMP, zone BIGINT
);
CREATE TABLE notes (id VARCHAR, writer BIGINT, period VARCHAR, slot VARCHAR, service BOOLEAN);
CREATE TABLE ledger_plan (raw VARCHAR, period VARCHAR, start VARCHAR, increment INTEGER);
CREATE TABLE services (code VARCHAR, id VARCHAR, name VARCHAR, duration VARCHAR, writer BIGINT);
CREATE TABLE dictionary (raw VARCHAR, period VARCHAR, start VARCHAR);
"""


@dataclass(frozen=True, slots=True)
class RunLine:
    """The run's line in the ledger."""

    run_id: str
    plan_sha256: str
    target_oid: int
    fills: list[str]
    state: str
    batches: int


class Counted(NamedTuple):
    """What the server itself counts: rows, periods, and of these the ones that are none."""

    rows: int
    periods: int
    unknown_periods: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything at one moment. ``tables`` has the workbench attached as ``extract``.

    ``last_look`` is the last transaction in which apply is known to have looked for rows to fill; ``triggers`` are the
    table's own that an UPDATE fires; ``incomparable`` are old columns that are gone or of another type since extract,
    or all of them where the server hashes otherwise now.
    """

    tables: duckdb.DuckDBPyConnection
    run: RunLine
    table: LiveTable
    table_oid: int
    counted: Counted
    last_look: int | None
    triggers: tuple[str, ...]
    old_columns: tuple[str, ...]
    incomparable: tuple[str, ...]

    @property
    def knows_updates(self) -> bool:
        """Whether the application keeps the moment of its last change."""
        return "updated_at" in self.table.types


@contextmanager
def gathered(address: Address, folder: Path) -> Iterator[Evidence]:
    """Gather everything about the run in ``folder``; it is gone when the context ends.

    Raises:
        DatabaseError: the database cannot be read.
        UsageError: it knows nothing of the run.
        RunError: the folder lacks what extract or emit wrote into it.
    """
    content = manifest.read(folder)
    with _tables() as tables:
        taken = _attach(tables, folder)
        _insert(tables, "dictionary", pa.RecordBatch.from_pylist(_decided(folder), _DECIDED))
        with connected(address) as leader:
            leader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            leader.read_only = True
            evidence = _look(leader, tables, content["run"], TableNames(**content["settings"]["names"]), taken)
            _read(address, leader, evidence, taken)
        yield evidence


@contextmanager
def _tables() -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables in memory, and in a private folder for temporary files what does not fit."""
    with (
        TemporaryDirectory(prefix="ojeon-verify-") as place,
        duckdb.connect(config={"temp_directory": place}) as tables,
    ):
        tables.execute(_TABLES)
        yield tables


def _decided(folder: Path) -> list[dict[str, str | None]]:
    return [{"raw": entry.raw, "period": entry.period, "start": entry.start} for entry in dictionary.read(folder)]


def _attach(tables: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Any]:
    """Attach the workbench; returns what extract noted about the server and the fingerprints it took."""
    path = folder / FILE_NAME
    quoted = str(path).replace("'", "''")
    try:
        tables.execute(f"ATTACH '{quoted}' AS extract (READ_ONLY)")
        [(source,)] = tables.execute("SELECT value FROM extract.facts WHERE name = 'source'").fetchall()
    except (duckdb.Error, ValueError) as error:
        raise RunError(
            f"{path} cannot be read ({type(error).__name__}): it is missing, damaged or opened by another program. "
            "Without what was extracted nobody can tell what has changed since."
        ) from error
    found: dict[str, Any] = json.loads(source)
    return {"server_version": "", "fingerprint": {"columns": {}, "settings": {}}} | found


def _look(
    leader: psycopg.Connection[Any],
    tables: duckdb.DuckDBPyConnection,
    run_id: str,
    names: TableNames,
    taken: Mapping[str, Any],
) -> Evidence:
    run = _run(leader, run_id)
    table = look_up(leader, names)
    shown = table_of(names).as_string(leader)
    oid = int(_first(leader.execute(_OID, (shown,)).fetchone()))
    known = sql.SQL(", ").join(sql.Literal(period.value) for period in Period)
    counts = sql.SQL(_COUNTS).format(period=sql.Identifier(names.period), known=known, table=table_of(names))
    old_columns: dict[str, str] = taken["fingerprint"]["columns"]
    return Evidence(
        tables=tables,
        run=run,
        table=table,
        counted=Counted(*leader.execute(counts).fetchone() or (0, 0, 0)),
        table_oid=oid,
        last_look=_first(leader.execute(_LAST_LOOK, {"run": run_id}).fetchone()),
        triggers=tuple(name for (name,) in leader.execute(_TRIGGERS, (oid,)).fetchall()),
        old_columns=tuple(old_columns),
        incomparable=_incomparable(leader, table, old_columns, taken["server_version"]),
    )


def _run(leader: psycopg.Connection[Any], run_id: str) -> RunLine:
    ledger.version(leader)
    if _first(leader.execute("SELECT to_regclass('ojeon.runs')").fetchone()) is not None:
        with leader.cursor(row_factory=class_row(RunLine)) as cursor:
            if found := cursor.execute(_RUN, (run_id,)).fetchone():
                return found
    raise UsageError(
        f"This database knows nothing of the run {run_id}: it was never applied here, so there is nothing to verify. "
        f"Check the database URL, or start with: ojeon apply {run_id}"
    )


def _incomparable(
    leader: psycopg.Connection[Any], table: LiveTable, old_columns: Mapping[str, str], server_version: str
) -> tuple[str, ...]:
    now = leader.info.parameter_status("server_version") or ""
    if server_version.partition(".")[0] != now.partition(".")[0]:
        return tuple(old_columns)
    return tuple(name for name, its_type in old_columns.items() if table.old_columns.get(name) != its_type)


def _read(address: Address, leader: psycopg.Connection[Any], evidence: Evidence, taken: Mapping[str, Any]) -> None:
    """Copy the rows, the run's lines and what belongs to them."""
    exported = sql.Literal(_first(leader.execute("SELECT pg_export_snapshot()").fetchone())).as_string(leader)
    old_columns = {} if evidence.incomparable else taken["fingerprint"]["columns"]
    parts = _parts(evidence, old_columns)
    queries = {name: sql.SQL(query).format(**parts) for name, query in _READ.items()}
    if "service" in evidence.run.fills:
        names = evidence.table.names
        services = sql.Identifier(names.table_schema, names.services)
        queries["services"] = sql.SQL(_SERVICES).format(services=services)
    for name, query in queries.items():
        settings = taken["fingerprint"]["settings"] if name == "live" else {}
        with streamed(address, exported, query.as_string(leader), settings) as batches:
            for batch in batches:
                _insert(evidence.tables, name, batch)


def _insert(tables: duckdb.DuckDBPyConnection, name: str, batch: pa.RecordBatch) -> None:
    tables.register("arriving", batch)
    tables.execute(f"INSERT INTO {name} BY NAME FROM arriving")
    tables.unregister("arriving")


def _parts(evidence: Evidence, old_columns: Mapping[str, str]) -> dict[str, sql.Composable]:
    """What the queries are made of; columns that the run does not fill are not read."""
    names = evidence.table.names

    def read(fill: str, column: str) -> sql.Composable:
        return sql.Identifier(column) if fill in evidence.run.fills else sql.SQL("NULL")

    return {
        "table": table_of(names),
        "run": sql.Literal(evidence.run.run_id),
        "id": sql.Identifier(names.id),
        "text": sql.Identifier(names.preferred_time),
        "period": sql.Identifier(names.period),
        "slot": read("slot", names.slot_start),
        "code": read("service", names.service),
        "service_id": read("service", names.service_id),
        "service_name": read("service", names.service_name),
        "duration": read("service", names.estimated_duration),
        "fingerprint": fingerprint(old_columns),
        "updated_at": moment(names.updated_at, evidence.table.types.get("updated_at", "")),
        "period_name": sql.Literal(names.period),
        "slot_name": sql.Literal(names.slot_start),
        "service_name_name": sql.Literal(names.service_id),
    }


def _first(row: tuple[Any, ...] | None) -> Any:
    return row[0] if row else None
