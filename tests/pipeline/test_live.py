import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pipeline.address import read_address
from pipeline.embedded import Server
from pipeline.errors import DatabaseError
from pipeline.extract import extract, source_of
from pipeline.live import WAIT_FOR_LOCKS, connected
from pipeline.refusals import refused_connection, refused_query
from pipeline.settings import TableNames
from pipeline.snapshot import open_snapshot
from pipeline.workbench import open_workbench

TABLE = """CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, "preferredDate" date,
    "createdAt" timestamp(3), period text)"""
_numbers = itertools.count(1)


def refusal(url: str | None, names: TableNames, tmp_path: Path) -> str:
    """What an extract that must fail says."""
    with open_workbench(tmp_path) as workbench, pytest.raises(DatabaseError) as caught:
        extract(source_of(url, None), workbench, names)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def role(server: Server, database: str) -> Iterator[str]:
    """A role with no rights and the password geheim, which the server asks for."""
    name = f'weird "role" {next(_numbers)}'
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    identifier = sql.Identifier(name)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'geheim'").format(identifier))
        line = 'local all "{}" scram-sha-256\n'.format(name.replace('"', '""'))
        rules.write_text(line + before)
        connection.execute("SELECT pg_reload_conf()")
        yield name
        rules.write_text(before)
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(identifier))


def as_role(database: str, role: str, **password: str) -> str:
    return psycopg.conninfo.make_conninfo(database, user=role, **(password or {"password": "geheim"}))


@pytest.fixture
def table(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute("INSERT INTO reservations VALUES ('a', '오후 3시'), ('b', NULL)")
    return database


@pytest.mark.parametrize("password", ["Umwelt", ""])
def test_a_wrong_password(table: str, role: str, password: str, tmp_path: Path) -> None:
    said = refusal(as_role(table, role, password=password), TableNames(), tmp_path)
    assert re.search(r"The password for .*role.* is wrong or missing\. Put the right one into DATABASE_URL", said)
    assert "Umwelt" not in said


def test_an_unknown_database(server: Server, tmp_path: Path) -> None:
    said = refusal(server.database_url("no such"), TableNames(), tmp_path)
    assert "/no such: the server has no database of that name" in said


def test_an_unknown_role(database: str, tmp_path: Path) -> None:
    assert "the server has no role of that name" in refusal(as_role(database, "nobody here"), TableNames(), tmp_path)


def test_an_unknown_host(tmp_path: Path) -> None:
    said = refusal("postgresql://me:geheim@no-such-host.invalid/d", TableNames(), tmp_path)
    assert said.startswith("The host of me@no-such-host.invalid:5432/d is unknown.")


@pytest.mark.parametrize("host", ["127.0.0.1", "/nowhere"])
def test_no_server_there(host: str, tmp_path: Path) -> None:
    with socket.socket() as free:  # bound but not listening: refused, whatever else runs here
        free.bind(("127.0.0.1", 0))
        said = refusal(f"host={host} port={free.getsockname()[1]} user=me dbname=d", TableNames(), tmp_path)
    assert said.startswith(f"No PostgreSQL answers at me@{host}:")


def test_a_host_that_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/d?connect_timeout=2&sslmode=disable"
        assert "cannot be reached. Check host and port" in refusal(url, TableNames(), tmp_path)


def test_an_unknown_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PGSERVICE", "no_such")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    (tmp_path / "services").write_text("[other]\nhost=h\n")
    assert "The service that PGSERVICE names is in no pg_service.conf" in refusal(None, TableNames(), tmp_path)


def test_libpq_finds_the_database_by_its_environment(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = psycopg.conninfo.conninfo_to_dict(table)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "services").write_text("[clinic]\nhost={host}\nuser={user}\ndbname={dbname}\n".format(**known))
    monkeypatch.setenv("PGSERVICE", "clinic")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with open_workbench(tmp_path) as workbench:
        assert extract(source_of(None, None), workbench, TableNames()).rows == 2


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (
            {"table": "reservation"},
            r"no table \"public\".\"reservation\" .* Did you mean 'reservations'\? .*--table reservations",
        ),
        ({"table": "Reservations"}, r"Did you mean 'reservations'"),
        ({"table_schema": "clinic"}, r"one in the schema 'public': give it with --schema public"),
        ({"table": "zzz"}, r"The schema 'public' holds reservations"),
        ({"table": "zzz", "table_schema": "nope"}, r"holds no table that this role can see"),
        (
            {"preferred_time": "preferredtime"},
            r"no column 'preferredtime'. It has 'preferredTime': .*OJEON_NAMES__PREFERRED_TIME=preferredTime",
        ),
        ({"id": "uuid"}, r"no column 'uuid'. It has createdAt, id, period, .*OJEON_NAMES__ID="),
    ],
)
def test_a_table_or_column_that_is_not_there(names: dict[str, str], hint: str, table: str, tmp_path: Path) -> None:
    assert re.search(hint, refusal(table, TableNames(**names), tmp_path))


def test_no_right_and_the_grant_that_gives_it(table: str, role: str, tmp_path: Path) -> None:
    url = as_role(table, role)
    said = refusal(url, TableNames(), tmp_path)
    assert "may not read" in said
    grant = said[said.index("GRANT") :]
    assert "A plan needs id, preferredTime, preferredDate, createdAt, period" in said
    assert 'GRANT SELECT ON "public"."reservations"' in grant
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute(grant)
    with open_workbench(tmp_path) as workbench:
        report = extract(source_of(url, None), workbench, TableNames())
    assert (report.rows, report.notices) == (2, ())


def test_columns_that_no_fingerprint_can_cover_are_told(table: str, role: str, tmp_path: Path) -> None:
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute("ALTER TABLE reservations ADD COLUMN IF NOT EXISTS unseen text")
        few = 'GRANT SELECT (id, "preferredTime", "preferredDate", "createdAt", period) ON reservations TO {}'
        owner.execute(sql.SQL(few).format(sql.Identifier(role)))
    with open_workbench(tmp_path) as workbench:
        [notice] = extract(source_of(as_role(table, role), None), workbench, TableNames()).notices
    assert "will compare no others" in notice


def test_rows_hidden_by_a_policy_are_not_lost_silently(table: str, role: str, tmp_path: Path) -> None:
    identifier = sql.Identifier(role)
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute(sql.SQL("GRANT SELECT ON reservations TO {}").format(identifier))
        owner.execute("CREATE POLICY one ON reservations USING (id = 'a')")
        owner.execute("ALTER TABLE reservations ENABLE ROW LEVEL SECURITY")
        owner.execute("CREATE VIEW seen WITH (security_invoker) AS SELECT * FROM reservations")
        owner.execute(sql.SQL("GRANT SELECT ON seen TO {}").format(identifier))
    said = refusal(as_role(table, role), TableNames(), tmp_path)
    assert re.search("Row-level security hides rows .* BYPASSRLS", said)
    assert "row-level security" in refusal(as_role(table, role), TableNames(table="seen"), tmp_path)


def test_a_statement_timeout(table: str, tmp_path: Path) -> None:
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute(
            'CREATE VIEW slow AS SELECT r.id, "preferredTime", pg_sleep(1)::text AS period FROM reservations r'
        )
    url = psycopg.conninfo.make_conninfo(table, options="-c statement_timeout=200")
    said = refusal(url, TableNames(table="slow", period="period"), tmp_path)
    assert "statement timeout" in said
    assert "Raise its statement_timeout" in said


def test_a_table_that_another_session_keeps_locked(table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
    with psycopg.connect(table) as other:
        other.execute("LOCK TABLE reservations IN ACCESS EXCLUSIVE MODE")
        told = refusal(table, TableNames(), tmp_path)
    assert "another session keeps the table locked (canceling statement due to lock timeout)" in told


def test_a_table_that_is_locked_before_the_stream_begins(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ALTER TABLE may come between the session that counted and the one that streams."""
    monkeypatch.setattr("pipeline.snapshot.WAIT_FOR_LOCKS", WAIT_FOR_LOCKS.replace("30s", "200ms"))
    with open_snapshot(read_address(table), TableNames()) as snapshot, psycopg.connect(table) as other:
        other.execute("SET idle_in_transaction_session_timeout = '10s'")  # so that a stream that waits does not hang
        other.execute("LOCK TABLE reservations")
        with pytest.raises(DatabaseError, match="another session keeps the table locked") as caught:
            next(snapshot.batches)
    assert caught.value.exit_code == 4


def test_a_lock_is_waited_for_half_a_minute_or_as_long_as_one_has_said(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, waits in (("", "30s"), ("-c lock_timeout=10min", "10min")):
        monkeypatch.setenv("PGOPTIONS", options)
        with connected(read_address(database)) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == (waits,)
            assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.parametrize("state", ["25P03", None])
def test_a_session_ended_for_pausing_is_told_with_the_setting_that_did_it(state: str | None) -> None:
    told = refused_query(state, "terminating connection due to idle-in-transaction timeout", "me@db:5432/clinic")
    assert "PGOPTIONS='-c idle_in_transaction_session_timeout=0'" in told


def test_text_that_is_not_valid_in_an_ascii_database(server: Server, tmp_path: Path) -> None:
    name = f"ascii_{os.getpid()}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
        )
        with psycopg.connect(server.database_url(name), autocommit=True, client_encoding="SQL_ASCII") as inside:
            inside.execute(TABLE)
            inside.execute("INSERT INTO reservations VALUES ('a', convert_from('\\xbfc0c8c4', 'SQL_ASCII'))")
        said = refusal(server.database_url(name), TableNames(), tmp_path)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert "holds text that is not valid in its own encoding" in said


def test_a_session_lost_while_reading(table: str, tmp_path: Path) -> None:
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute("INSERT INTO reservations SELECT i, repeat('x', 300) FROM generate_series(1, 200000) i")

        def cut(done: int, total: int) -> None:
            assert 0 < done < total
            owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ojeon'")

        with open_workbench(tmp_path) as workbench:
            extract(source_of(table, None), workbench, TableNames())
            with pytest.raises(DatabaseError, match=r"The connection to .* was lost"):
                extract(source_of(table, None), workbench, TableNames(), cut)
            kept = workbench.execute(
                "SELECT (SELECT count(*) FROM reservations), (SELECT sum(rows) FROM texts)"
            ).fetchall()
    assert kept == [(200_002, 200_002)]


def test_a_lost_session_says_so_in_other_statements_too(database: str) -> None:
    with pytest.raises(DatabaseError, match="was lost"), connected(read_address(database)) as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_interrupted_while_reading(table: str, tmp_path: Path) -> None:
    """Ctrl-C ends the extract at once and leaves the workbench as it was."""
    code = f"""
import os, signal
from pathlib import Path
from pipeline.extract import extract, source_of
from pipeline.settings import TableNames
from pipeline.workbench import open_workbench
with open_workbench(Path({str(tmp_path)!r})) as workbench:
    try:
        extract(source_of({table!r}, None), workbench, TableNames(), lambda *_: os.kill(os.getpid(), signal.SIGINT))
    except KeyboardInterrupt:
        print("interrupted", workbench.execute("SELECT count(*) FROM reservations").fetchall())
"""
    with psycopg.connect(table, autocommit=True) as owner:
        owner.execute("INSERT INTO reservations SELECT i, repeat('x', 300) FROM generate_series(1, 200000) i")
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.stdout, done.returncode) == ("interrupted [(0,)]\n", 0), done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("FATAL:  no pg_hba.conf entry for host", "lets nobody of that name in"),
        ("FATAL:  sorry, too many clients already", "no free connection"),
        ('FATAL:  permission denied for database "d"', "GRANT CONNECT"),
        ("server does not support SSL, but SSL was required", "sslmode"),
        ("FATAL:  the database system is starting up", "Try again soon"),
        ("치명적오류:  무엇인가 잘못되었음\n자세한 내용", "cannot be used: 치명적오류:  무엇인가 잘못되었음. Check"),
    ],
)
def test_refusals_that_are_hard_to_bring_about(words: str, expected: str) -> None:
    said = refused_connection(words, "me@h:1/d")
    assert expected in said
    assert "me@h:1/d" in said


def test_an_unforeseen_refusal_is_repeated() -> None:
    assert "division by zero" in refused_query("22012", "ERROR:  division by zero\nCONTEXT: …", "me@h:1/d")
    assert "out of room" in refused_query("53100", "disk full", "me@h:1/d")
