import json
import re
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from pipeline import extract as extract_module
from pipeline import snapshot
from pipeline.address import read_address
from pipeline.errors import DatabaseError, RunError, UsageError
from pipeline.extract import ExtractReport, extract, source_of
from pipeline.settings import TableNames
from pipeline.workbench import open_workbench

DIRT = [
    None,
    "",
    "  오후 3시 ",
    "오후\u00a03시",
    'it\'s "quoted" \\ back',
    "두 줄\n세\r\n줄\t끝",
    "\x01\x07\x1f\x7f\u200b\u202e",
    "🕒👩‍⚕️ 3시",
    "오후",  # decomposed
    "'; DROP TABLE reservations; --",
    '=HYPERLINK("x")',
    "\ufeff9시",
    "가" * 350_000,  # a text of 1 MB
]


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def create(owner: psycopg.Connection, **columns: str) -> None:
    types = {
        "id": "text PRIMARY KEY",
        "preferredTime": "text",
        "preferredDate": "date",
        "createdAt": "timestamp(3)",
        "period": "text",
    } | columns
    fields = sql.SQL(", ").join(
        sql.SQL("{} ").format(sql.Identifier(name)) + sql.SQL(kind) for name, kind in types.items() if kind
    )
    owner.execute(sql.SQL("CREATE TABLE reservations ({})").format(fields))


def rows_of(workbench: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    query = "SELECT id, raw, preferred_date, created_at, current_period FROM reservations ORDER BY id"
    return workbench.execute(query).fetchall()


def texts_of(workbench: duckdb.DuckDBPyConnection) -> dict[str | None, tuple[Any, ...]]:
    return {raw: tuple(rest) for raw, *rest in workbench.execute("FROM texts").fetchall()}


def run(database: str, workbench: duckdb.DuckDBPyConnection, **names: str) -> ExtractReport:
    return extract(source_of(database, None), workbench, TableNames(**names))


def test_rows_texts_and_facts(database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection) -> None:
    create(owner)
    owner.execute(
        """INSERT INTO reservations VALUES
        ('a', '9시', '2025-10-30', '2025-10-01 10:00:00.123', NULL),
        ('b', '9시', NULL, '2025-09-01', 'MORNING'),
        ('c', NULL, 'infinity', '-infinity', NULL),
        ('d', '3시', '0044-03-15 BC', NULL, '')"""
    )
    told: list[tuple[int, int]] = []
    report = extract(source_of(database, None), workbench, TableNames(), lambda *counts: told.append(counts))
    assert rows_of(workbench) == [
        ("a", "9시", date(2025, 10, 30), datetime.fromisoformat("2025-10-01T10:00:00.123000"), None),
        ("b", "9시", None, datetime.fromisoformat("2025-09-01T00:00:00"), "MORNING"),
        ("c", None, None, None, None),
        ("d", "3시", None, None, ""),
    ]
    assert texts_of(workbench) == {
        "9시": (
            2,
            1,
            datetime.fromisoformat("2025-09-01T00:00:00"),
            datetime.fromisoformat("2025-10-01T10:00:00.123000"),
        ),
        None: (1, 0, None, None),
        "3시": (1, 1, None, None),
    }
    assert (report.rows, report.texts, report.already_set, report.notices) == (4, 3, 2, ())
    assert told == [(4, 4)]
    [(kept,)] = workbench.execute("SELECT value FROM facts WHERE name = 'source'").fetchall()
    facts = json.loads(kept)
    assert facts == report.source
    assert (facts["kind"], facts["rows"], facts["already_set"]) == ("postgresql", 4, 2)
    assert facts["table"] == '"public"."reservations"'
    assert facts["types"] == {
        "id": "text",
        "preferred_time": "text",
        "preferred_date": "date",
        "created_at": "timestamp without time zone",
        "period": "text",
    }
    assert facts["database"] == owner.info.dbname
    identifier = owner.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    assert (facts["system_identifier"],) == identifier
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", facts["snapshot_at"])


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("", None),
        ("text", "text"),
        ("varchar(9)", "character varying"),
        ('"Odd ""one""!"."Period"', '"Odd ""one""!"."Period"'),
    ],
)
def test_period_absent_text_or_enum(
    kind: str, found: str | None, database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    owner.execute('CREATE SCHEMA "Odd ""one""!"')
    owner.execute("""CREATE TYPE "Odd ""one""!"."Period" AS ENUM ('MORNING', 'AFTERNOON')""")
    create(owner, period=kind)
    owner.execute("INSERT INTO reservations (id, \"preferredTime\") VALUES ('a', '9시'), ('b', '9시')")
    if kind:
        owner.execute("UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'b'")
    report = run(database, workbench)
    assert report.source["types"]["period"] == found
    assert [row[4] for row in rows_of(workbench)] == [None, "AFTERNOON" if kind else None]
    assert report.already_set == bool(kind)
    assert bool(report.notices) == (not kind)


@pytest.mark.parametrize("kind", ["uuid", "bigint", "varchar(40)"])
def test_ids_of_any_type_are_text(
    kind: str, database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner, id=f"{kind} PRIMARY KEY")
    given_id = "6f0e9a52-54c8-4f5f-b2ad-0d6a4f3f1a11" if kind == "uuid" else "9007199254740993"
    owner.execute('INSERT INTO reservations (id, "preferredTime") VALUES (%s, %s)', (given_id, "9시"))
    run(database, workbench)
    assert rows_of(workbench)[0][0] == given_id


def test_every_text_arrives_byte_for_byte(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner)
    with owner.cursor() as cursor:
        cursor.executemany("INSERT INTO reservations VALUES (%s, %s)", [(f"{n:02}", raw) for n, raw in enumerate(DIRT)])
    report = run(database, workbench)
    assert [row[1] for row in rows_of(workbench)] == DIRT
    assert report.texts == len(DIRT)
    assert set(texts_of(workbench)) == set(DIRT)


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(raws=st.lists(texts, max_size=30), set_already=st.lists(st.booleans(), min_size=30, max_size=30))
def test_rows_are_conserved(
    raws: list[str | None], set_already: list[bool], database: str, owner: psycopg.Connection, tmp_path: Path
) -> None:
    owner.execute("DROP TABLE IF EXISTS reservations")  # what an example before this one left
    create(owner)
    pairs = zip(raws, set_already, strict=False)
    rows = [(str(n), raw, "MORNING" if done else None) for n, (raw, done) in enumerate(pairs)]
    with owner.cursor() as cursor:
        cursor.executemany('INSERT INTO reservations (id, "preferredTime", period) VALUES (%s, %s, %s)', rows)
    with open_workbench(tmp_path) as workbench:  # the same one again and again: what was there is replaced
        report = run(database, workbench)
        assert sorted((row[0], row[1], row[4]) for row in rows_of(workbench)) == sorted(rows)
        counted = texts_of(workbench)
    assert report.rows == len(rows) == sum(count[0] for count in counted.values())
    assert report.already_set == sum(row[2] is not None for row in rows) == sum(count[1] for count in counted.values())
    assert counted.keys() == {row[1] for row in rows}


def test_weird_names_are_quoted(database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection) -> None:
    schema, table, text = 'my "schema"', 'table "; DROP', 'when"?'
    names = [sql.Identifier(name) for name in ("ID '%s", text, "{day}")]
    place = sql.Identifier(schema, table)
    owner.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    owner.execute(sql.SQL("CREATE TABLE {} ({} text PRIMARY KEY, {} text, {} date)").format(place, *names))
    owner.execute(sql.SQL("INSERT INTO {} VALUES ('a', '9시', '2025-10-30')").format(place))
    report = run(
        database,
        workbench,
        table_schema=schema,
        table=table,
        id="ID '%s",
        preferred_time=text,
        preferred_date="{day}",
        created_at="",
    )
    assert rows_of(workbench) == [("a", "9시", date(2025, 10, 30), None, None)]
    assert report.notices == ("There is no column 'period'; it counts as empty in every row.",)


def test_optional_columns_missing_or_of_another_type(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner, preferredDate="", createdAt="text", period="")
    owner.execute("ALTER TABLE reservations ADD preferreddate date")
    owner.execute("INSERT INTO reservations VALUES ('a', '9시', 'yesterday')")
    report = run(database, workbench)
    assert rows_of(workbench) == [("a", "9시", None, None, None)]
    told = "\n".join(report.notices)
    assert "no column 'preferredDate' (did you mean 'preferreddate'? set OJEON_NAMES__PREFERRED_DATE=" in told
    assert "'createdAt' is of type text, no date" in told
    assert "no column 'period';" in told


def test_moments_with_a_time_zone_are_kept_in_utc(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner, createdAt="timestamptz", preferredDate="timestamp")
    owner.execute(f"ALTER DATABASE {owner.info.dbname} SET timezone = 'Asia/Seoul'")
    owner.execute("INSERT INTO reservations VALUES ('a', '9시', '2025-10-30 00:00', '2025-10-30 01:00+09')")
    run(database, workbench)
    assert rows_of(workbench)[0][2:4] == (date(2025, 10, 30), datetime.fromisoformat("2025-10-29T16:00:00"))


OLD = {
    "preferredDate": "date '2025-10-31'",
    "createdAt": "timestamp '2025-10-01 10:00:00.001'",
    "updatedAt": "timestamptz '2025-10-02 10:00+00'",
    "note": "''",
    "amount": "1.50",
    "tags": "'{b,a}'",
    "details": "'{\"a\": 2}'",
    "mood": "'bad'",
    "spot": "'(1,2)'",
    "since": "'[2025-01-01 00:00+09,)'",
    "name": "'KIM'",
}


def with_every_kind_of_column(owner: psycopg.Connection) -> None:
    owner.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    kinds = {"note": "text", "amount": "numeric", "tags": "text[]", "details": "json", "mood": "mood", "spot": "point"}
    filled = {"timeSlotStart": "varchar(5)", "serviceId": "text", "serviceName": "text", "estimatedDuration": "int"}
    computed = {"shout": "text GENERATED ALWAYS AS (upper(period)) STORED"}
    create(owner, updatedAt="timestamptz", **kinds, since="tstzrange", name="varchar(9)", **filled, **computed)
    owner.execute(
        """INSERT INTO reservations VALUES ('a', '9시', '2025-10-30', '2025-10-01 10:00', NULL, '2025-10-02 09:00+00',
        NULL, 1.5, '{a,b}', '{"a": 1}', 'good', '(1,1)', '[2025-01-01 00:00Z,)', 'kim')"""
    )


def fingerprint_of(database: str, workbench: duckdb.DuckDBPyConnection) -> int:
    run(database, workbench)
    [(value,)] = workbench.execute("SELECT fingerprint FROM reservations").fetchall()
    assert isinstance(value, int)
    return value


def test_a_fingerprint_shows_a_change_of_any_column_that_no_move_fills(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    with_every_kind_of_column(owner)
    seen = {fingerprint_of(database, workbench)}
    for column, value in OLD.items():
        owner.execute(f'UPDATE reservations SET "{column}" = {value}')
        changed = fingerprint_of(database, workbench)
        assert changed not in seen, column
        seen.add(changed)
    owner.execute("""UPDATE reservations SET note = name, name = note""")
    assert fingerprint_of(database, workbench) not in seen


def test_a_fingerprint_is_that_of_the_row_alone(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    with_every_kind_of_column(owner)
    before = fingerprint_of(database, workbench)
    owner.execute(
        """UPDATE reservations SET period = 'MORNING', "timeSlotStart" = '09:00', "serviceId" = 's',
        "serviceName" = 'Botox', "estimatedDuration" = 30"""
    )
    assert fingerprint_of(database, workbench) == before
    owner.execute(
        """UPDATE reservations SET id = 'b', "preferredTime" = '3시'"""
    )  # the workbench holds these themselves
    assert fingerprint_of(database, workbench) == before


def test_what_a_fingerprint_was_taken_over_is_told(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    with_every_kind_of_column(owner)
    owner.execute("CREATE ROLE half_blind LOGIN")
    try:
        owner.execute('GRANT SELECT (id, "preferredTime", note, mood) ON reservations TO half_blind')
        owner.execute('ALTER TABLE reservations DROP "preferredDate", DROP "createdAt", DROP shout, DROP period')
        report = run(database.replace("postgres@", "half_blind@"), workbench)
        assert report.source["fingerprint"]["columns"] == {"note": "text", "mood": "enum public.mood"}
        assert workbench.execute("SELECT fingerprint IS NULL, updated_at FROM reservations").fetchall() == [
            (False, None)
        ]
    finally:
        owner.execute("DROP OWNED BY half_blind")
        owner.execute("DROP ROLE half_blind")


@pytest.mark.parametrize("kind", ["timestamp(3)", "timestamptz"])
def test_the_moment_of_the_last_change_is_kept_in_utc(
    kind: str, database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner, updatedAt=kind)
    owner.execute("INSERT INTO reservations (id, \"updatedAt\") VALUES ('a', '2025-10-30 01:00:00.123+00')")
    run(database, workbench)
    moment = datetime.fromisoformat("2025-10-30T01:00:00.123")
    assert workbench.execute("SELECT updated_at FROM reservations").fetchall() == [(moment,)]


@pytest.mark.parametrize("relation", ["view", "partitioned table", "materialized view"])
def test_other_kinds_of_tables(
    relation: str, database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner)
    owner.execute("INSERT INTO reservations (id, \"preferredTime\") VALUES ('a', '9시'), ('b', '3시')")
    if relation == "partitioned table":
        owner.execute("ALTER TABLE reservations RENAME TO one")
        owner.execute("CREATE TABLE other (LIKE one) PARTITION BY HASH (id)")
        owner.execute("ALTER TABLE other ATTACH PARTITION one FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    else:
        owner.execute(f"CREATE {relation} other AS SELECT * FROM reservations")
    report = run(database, workbench, table="other")
    assert (report.rows, report.source["table_kind"]) == (2, relation)


@pytest.mark.parametrize(
    ("second", "sentence"), [("'a'", "1 rows have an id in 'id' that another"), ("NULL", "id of a row is NULL")]
)
def test_ids_that_identify_nothing(
    second: str, sentence: str, database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner, id="text")
    owner.execute(f"INSERT INTO reservations (id, \"preferredTime\") VALUES ('a', '9시'), ({second}, '3시')")
    with pytest.raises(DatabaseError, match=sentence):
        run(database, workbench)
    assert rows_of(workbench) == []


def test_an_empty_table(database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection) -> None:
    create(owner)
    report = run(database, workbench)
    assert (report.rows, report.texts) == (0, 0)
    assert "no rows" in report.notices[-1]


def test_it_only_reads_and_sees_one_moment(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    """While it reads: its session is read-only, and what others insert, change and delete is not half seen."""
    create(owner)
    owner.execute("INSERT INTO reservations SELECT i, repeat('가', 100) FROM generate_series(1, 120000) i")
    seen: list[Any] = []

    def meddle(done: int, total: int) -> None:
        if not seen:
            assert 0 < done < total == 120_000
            seen.append(
                owner.execute(
                    """SELECT count(*), bool_and(mode = 'AccessShareLock')
                    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                    WHERE a.application_name = 'ojeon' AND l.relation = 'reservations'::regclass"""
                ).fetchone()
            )
            owner.execute("INSERT INTO reservations SELECT i, 'new' FROM generate_series(200001, 200500) i")
            owner.execute("UPDATE reservations SET \"preferredTime\" = 'changed' WHERE id::int > 100000")
            owner.execute("DELETE FROM reservations WHERE id::int > 110000")

    report = extract(source_of(database, None), workbench, TableNames(), meddle)
    assert seen == [(1, True)]
    assert (report.rows, list(texts_of(workbench))) == (120_000, ["가" * 100])


def test_what_is_counted_is_what_is_read(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sessions see the first one's moment: rows inserted between them are in neither."""
    create(owner)
    owner.execute("INSERT INTO reservations SELECT i, 'x' FROM generate_series(1, 3) i")
    join = snapshot._joined

    def join_late(*arguments: Any) -> Any:
        owner.execute("INSERT INTO reservations VALUES ('late', 'x')")
        return join(*arguments)

    monkeypatch.setattr(snapshot, "_joined", join_late)
    assert run(database, workbench).rows == 3


def test_its_sessions_cannot_write(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    """A view that writes when it is read is refused by PostgreSQL itself."""
    create(owner)
    owner.execute(
        """CREATE FUNCTION leave_trace() RETURNS text LANGUAGE sql AS
        $$INSERT INTO reservations VALUES ('x') RETURNING id$$"""
    )
    owner.execute("""CREATE VIEW tricky AS SELECT leave_trace() AS id, NULL AS "preferredTime" """)
    with pytest.raises(DatabaseError, match="cannot execute INSERT in a read-only transaction"):
        run(database, workbench, table="tricky")
    assert owner.execute("SELECT count(*) FROM reservations").fetchone() == (0,)


def test_the_session_that_streams_cannot_write(database: str, owner: psycopg.Connection) -> None:
    create(owner)
    with psycopg.connect(database) as leader:
        leader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        exported = leader.execute("SELECT quote_literal(pg_export_snapshot())").fetchone()
        assert exported
        follower = snapshot._joined(read_address(database), exported[0])
        with follower, follower.cursor() as cursor, pytest.raises(adbc.Error, match="read-only transaction"):
            cursor.execute("INSERT INTO reservations VALUES ('x')")


def test_no_session_is_left_when_it_is_done(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection
) -> None:
    create(owner)
    run(database, workbench)
    owner.execute("ALTER TABLE reservations RENAME TO renamed")  # would wait for a session that still holds it
    with pytest.raises(DatabaseError):
        run(database, workbench)
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline = time.monotonic() + 5  # the server takes a moment to see that one has hung up
    while owner.execute(sessions).fetchone() != (1,):
        assert time.monotonic() < deadline


def test_rows_that_do_not_arrive_are_missed(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(owner)
    owner.execute("INSERT INTO reservations SELECT i, 'x' FROM generate_series(1, 3) i")
    run(database, workbench)
    monkeypatch.setattr(extract_module, "_watched", lambda taken, *_: (batch.slice(0, 2) for batch in taken.batches))
    with pytest.raises(RunError, match="2 rows arrived but the table held 3"):
        run(database, workbench)
    assert len(rows_of(workbench)) == 3


def test_again_from_elsewhere_replaces_everything(
    database: str, owner: psycopg.Connection, workbench: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    create(owner)
    owner.execute("INSERT INTO reservations SELECT i, 'x' FROM generate_series(1, 3) i")
    run(database, workbench)
    (tmp_path / "dump.csv").write_text("id,preferredTime\n7,9시\n")
    report = extract(source_of(None, tmp_path / "dump.csv"), workbench, TableNames())
    assert rows_of(workbench) == [("7", "9시", None, None, None)]
    assert list(texts_of(workbench)) == ["9시"]
    assert workbench.execute("SELECT json_extract_string(value, '$.kind') FROM facts").fetchall() == [("csv",)]
    assert report.source["rows"] == 1


def test_a_workbench_that_cannot_be_written(database: str, owner: psycopg.Connection, tmp_path: Path) -> None:
    create(owner)
    open_workbench(tmp_path).close()
    with duckdb.connect(tmp_path / "workbench.duckdb", read_only=True) as workbench, pytest.raises(RunError) as caught:
        run(database, workbench)
    assert "cannot be written" in str(caught.value)


def test_a_url_and_a_dump_at_once() -> None:
    with pytest.raises(UsageError, match="Give the one"):
        source_of("postgresql://h/d", Path("dump.csv"))


def test_a_stream_begins_one_transaction(server, database):
    with psycopg.connect(database) as leader:
        leader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        exported = sql.Literal(leader.execute("SELECT pg_export_snapshot()").fetchone()[0]).as_string(leader)
        before = (server.folder / "server.log").stat().st_size
        with snapshot.streamed(read_address(database), exported, "SELECT 1 AS n", {"DateStyle": "ISO"}) as batches:
            assert sum(batch.num_rows for batch in batches) == 1
    assert b"already a transaction in progress" not in (server.folder / "server.log").read_bytes()[before:]
