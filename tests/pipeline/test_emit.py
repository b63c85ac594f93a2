"""Each plan here runs on a real PostgreSQL, with psql, as an engineer would run it."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg import sql

from pipeline import manifest
from pipeline.embedded import Server
from pipeline.emit import EmitReport, emit
from pipeline.errors import DatabaseError, RunError
from pipeline.ledger import LEDGER
from pipeline.plan_files import in_files
from pipeline.rehearsal import rehearse
from pipeline.settings import Settings, TableNames
from pipeline.workbench import open_workbench

HOSTILE = json.loads((Path(__file__).parent / "hostile_texts.json").read_text(encoding="utf-8"))
UUID = "00000000-0000-4000-8000-{:012d}"

# (text, period decided: None waits for a person, period the application had set before the extract)
Row = tuple[str | None, str | None, str | None]
ROWS: list[Row] = [
    *[("오전 10시", "MORNING", None)] * 5,
    *[("14:00", "AFTERNOON", None)] * 7,
    ("오전 10시", "MORNING", "MORNING"),
    ("오전 10시", "MORNING", "AFTERNOON"),
    *[("아무때나", None, None)] * 3,
    ("", None, None),
]


@dataclass
class Clinic:
    """A table, the plan made from it, and psql to run the plan with."""

    server: Server
    url: str
    folder: Path
    names: TableNames = field(default_factory=TableNames)
    ids: list[str] = field(default_factory=list)

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def psql(self, *files: Path) -> subprocess.CompletedProcess[str]:
        named = [word for file in files for word in ("-f", str(file))]
        return subprocess.run(
            [self.server.psql, "-X", *named, self.url], capture_output=True, text=True, check=False, encoding="utf-8"
        )

    def run(self, kind: str) -> dict[str, int]:
        """Run all files of ``updates`` or ``undo`` in order; sum up what their batches say."""
        done = self.psql(*sorted((self.folder / kind).glob("*.sql")))
        assert (done.returncode, done.stderr) == (0, "")
        totals: dict[str, int] = {}
        for line in done.stdout.splitlines():
            if line.startswith("batch "):
                for word, number in re.findall(r"(planned|changed|undone|left alone) (\d+)", line):
                    totals[word] = totals.get(word, 0) + int(number)
        return totals

    def start(self, kind: str) -> "subprocess.Popen[bytes]":
        """Start psql on all files of ``updates`` or ``undo``; it begins when it is sent a line."""
        named = [word for file in sorted((self.folder / kind).glob("*.sql")) for word in ("-f", str(file))]
        return subprocess.Popen(
            ["sh", "-c", 'read line && exec "$@"', "sh", self.server.psql, "-X", *named, self.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def wait_for_a_waiter(self) -> None:
        """Return when some session waits for a lock."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        until = time.monotonic() + 10
        while self.execute(query) == [(0,)]:
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)

    def snapshot(self) -> list[str]:
        """Every row as the server prints it, all columns."""
        table = sql.Identifier(self.names.table_schema, self.names.table)
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(table)
        with psycopg.connect(self.url) as connection:
            return [row for (row,) in connection.execute(query)]

    def periods(self) -> list[str | None]:
        """The periods in the order the rows were given in, ``gone`` for rows that are deleted."""
        table = sql.Identifier(self.names.table_schema, self.names.table)
        query = sql.SQL("SELECT {}::text, {}::text FROM {}").format(
            sql.Identifier(self.names.id), sql.Identifier(self.names.period), table
        )
        with psycopg.connect(self.url) as connection:
            found = dict(connection.execute(query).fetchall())
        return [found.get(row_id, "gone") for row_id in self.ids]


def go(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()


MakeClinic = Callable[..., Clinic]


@pytest.fixture
def clinic(server: Server, database: str, tmp_path: Path) -> MakeClinic:
    """Make a table of the given types and names, extract and decide its rows, and write the plan."""

    def make(
        rows: list[Row] = ROWS,
        *,
        types: tuple[str, str, str] = ("text", "text", "text"),
        new_id: Callable[[int], str] = "cm{:06d}".format,
        check_passed: bool = True,
        why: str | None = None,
        **chosen: Any,
    ) -> Clinic:
        settings = Settings(**chosen)
        made = Clinic(server, database, tmp_path / "run-1", settings.names, [new_id(i) for i in range(len(rows))])
        create_table(made, types, rows)
        made.folder.mkdir()
        with open_workbench(made.folder) as workbench:
            fill(workbench, made.ids, rows, why)
            emit(
                workbench, settings, made.folder, run_id="run-1", check_passed=check_passed, check_results={"suites": 4}
            )
        return made

    return make


def create_table(clinic: Clinic, types: tuple[str, str, str], rows: list[Row]) -> None:
    names = clinic.names
    columns = [sql.Identifier(name) for name in (names.id, names.preferred_time, names.period)]
    id_type, text_type, period_type = (sql.SQL(kind) for kind in types)
    table = sql.Identifier(names.table_schema, names.table)
    with psycopg.connect(clinic.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION citext; CREATE TYPE \"Period\" AS ENUM ('MORNING', 'AFTERNOON')")
        connection.execute(
            sql.SQL("CREATE TABLE {} ({} {} PRIMARY KEY, notes text DEFAULT 'n', {} {}, {} {})").format(
                table, columns[0], id_type, columns[1], text_type, columns[2], period_type
            )
        )
        insert = sql.SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s)").format(table, sql.SQL(", ").join(columns))
        with connection.cursor() as cursor:
            cursor.executemany(
                insert, [(i, raw, already) for i, (raw, _, already) in zip(clinic.ids, rows, strict=True)]
            )


def fill(workbench: duckdb.DuckDBPyConnection, ids: list[str], rows: list[Row], why: str | None = None) -> None:
    """Write what extract and normalize would have written; ``why`` is what keeps the table from being written to."""
    source = {"kind": "postgresql", "server_version": "18.1", "target": {"writable": why is None, "why": why}}
    workbench.executemany(
        "INSERT INTO reservations (id, raw, current_period) VALUES ($1, $2, $3)",
        [(i, raw, already) for i, (raw, _, already) in zip(ids, rows, strict=True)],
    )
    workbench.executemany(
        "INSERT INTO decisions VALUES ($1, $2, $3, NULL, NULL, 0.95, 'rule', $4, '')",
        [
            (raw, "AUTO", period, None) if period else (raw, "REVIEW", None, "no_preference")
            for raw, period in {raw: period for raw, period, _ in rows}.items()
        ],
    )
    workbench.executemany(
        "INSERT INTO facts VALUES ($1, $2)",
        [("source", json.dumps(source)), ("check", "{}"), ("note", '"kept"')],
    )
    workbench.execute(
        "INSERT INTO texts SELECT raw, count(*), count(current_period), NULL, NULL FROM reservations GROUP BY raw"
    )


def wanted(rows: list[Row]) -> list[str | None]:
    return [already or period for _, period, already in rows]


TYPES = {
    "text": (("text", "text", "text"), "cm{:06d}".format),
    "uuid, varchar, enum": (("uuid", "varchar(200)", '"Period"'), UUID.format),
    "bigint, citext, varchar": (("bigint", "citext", "varchar(9)"), str),
    "varchar, text, citext": (("varchar(30)", "text", "citext"), "r'{}".format),
}


@pytest.mark.parametrize("kind", TYPES)
def test_there_and_back_again(clinic: MakeClinic, kind: str) -> None:
    types, new_id = TYPES[kind]
    made = clinic(types=types, new_id=new_id, batch_rows=2, file_rows=6)
    before = made.snapshot()

    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert made.periods() == wanted(ROWS)
    after = made.snapshot()
    assert made.run("updates") == {"planned": 12, "changed": 0}
    assert made.snapshot() == after

    assert made.run("undo") == {"planned": 12, "undone": 12, "left alone": 0}
    assert made.snapshot() == before
    assert made.run("undo") == {"planned": 12, "undone": 0, "left alone": 0}

    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert made.snapshot() == after
    assert made.run("undo") == {"planned": 12, "undone": 12, "left alone": 0}
    assert made.snapshot() == before


def test_hostile_texts_and_ids_are_data(clinic: MakeClinic) -> None:
    texts = list(HOSTILE.values())
    rows: list[Row] = [(raw, "MORNING", None) for raw in texts] + [("no", None, None)]
    made = clinic(rows, new_id=lambda i: f"{i} {texts[i % len(texts)]}")
    before = made.snapshot()
    assert made.run("updates") == {"planned": len(texts), "changed": len(texts)}
    assert made.periods() == wanted(rows)
    assert made.run("undo") == {"planned": len(texts), "undone": len(texts), "left alone": 0}
    assert made.snapshot() == before


def test_names_are_settings(clinic: MakeClinic) -> None:
    names = TableNames(table='res"er; vations', id="batch", preferred_time="raw'\\", period='Per"iod')
    made = clinic(names=names)
    before = made.snapshot()
    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert made.periods() == wanted(ROWS)
    assert made.run("undo")["undone"] == 12
    assert made.snapshot() == before


def test_texts_are_compared_byte_for_byte(clinic: MakeClinic) -> None:
    rows: list[Row] = [("3 PM", "AFTERNOON", None), ("3 PM", "AFTERNOON", None)]
    made = clinic(rows, types=("text", "citext", "citext"))
    made.execute("UPDATE reservations SET \"preferredTime\" = '3 pm' WHERE id = 'cm000001'")
    assert made.run("updates") == {"planned": 2, "changed": 1}
    made.execute("UPDATE reservations SET period = 'afternoon' WHERE id = 'cm000000'")
    assert made.run("undo") == {"planned": 2, "undone": 0, "left alone": 1}
    assert made.periods() == ["afternoon", None]


def test_a_column_of_times_is_compared_as_text(clinic: MakeClinic) -> None:
    made = clinic([("15:00:00", "AFTERNOON", None)], types=("text", "time", "text"))
    assert made.run("updates") == {"planned": 1, "changed": 1}
    assert made.run("undo") == {"planned": 1, "undone": 1, "left alone": 0}


def test_a_reviewed_null_is_a_text_too(clinic: MakeClinic) -> None:
    rows: list[Row] = [(None, "MORNING", None), ("", None, None)]
    made = clinic(rows)
    assert made.run("updates") == {"planned": 1, "changed": 1}
    assert made.periods() == ["MORNING", None]
    assert made.run("undo")["undone"] == 1


def test_rows_the_application_changed_before_the_updates(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 5)
    made.execute("UPDATE reservations SET \"preferredTime\" = '오후' WHERE id = 'cm000000'")
    made.execute("UPDATE reservations SET period = 'MORNING' WHERE id = 'cm000001'")
    made.execute("UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'cm000002'")
    made.execute("DELETE FROM reservations WHERE id = 'cm000003'")
    before = made.snapshot()
    assert made.run("updates") == {"planned": 5, "changed": 1}
    assert made.periods() == [None, "MORNING", "AFTERNOON", "gone", "MORNING"]
    assert made.run("undo") == {"planned": 5, "undone": 1, "left alone": 0}
    assert made.snapshot() == before


def test_rows_the_application_changed_after_the_updates(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 5)
    made.run("updates")
    made.execute("UPDATE reservations SET \"preferredTime\" = '오후' WHERE id = 'cm000000'")
    made.execute("UPDATE reservations SET period = NULL WHERE id = 'cm000001'")
    made.execute("UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'cm000002'")
    made.execute("DELETE FROM reservations WHERE id = 'cm000003'")
    assert made.run("undo") == {"planned": 5, "undone": 1, "left alone": 4}
    assert made.periods() == ["MORNING", None, "AFTERNOON", "gone", None]
    left = made.execute(f"SELECT batch, jsonb_object_keys(changed) AS id FROM {LEDGER} WHERE run_id = 'run-1'")
    assert sorted(left) == [(1, f"cm00000{number}") for number in range(4)]


def test_a_repeat_adds_to_the_ledger_and_forgets_nothing(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 3)
    before = made.snapshot()
    made.execute("UPDATE reservations SET \"preferredTime\" = '오후' WHERE id = 'cm000000'")
    assert made.run("updates")["changed"] == 2
    made.execute("UPDATE reservations SET \"preferredTime\" = '오전' WHERE id = 'cm000000'")
    made.execute("UPDATE reservations SET period = NULL WHERE id = 'cm000001'")
    assert made.run("updates")["changed"] == 2
    assert made.run("undo") == {"planned": 3, "undone": 3, "left alone": 0}
    assert made.snapshot() == before


def test_undo_tells_which_rows_it_leaves_alone(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 4, new_id="id '\n{}".format)
    made.run("updates")
    made.execute("UPDATE reservations SET notes = 'called' WHERE id LIKE '%1' OR id LIKE '%3'")
    done = made.psql(made.folder / "undo" / "0001.sql")
    assert done.stdout.splitlines() == [
        r"""batch 1 (MORNING): planned 4, undone 2, left alone 2 ["id '\n1", "id '\n3"]""",
        "undo file 1 of 1: planned 4, changed by this run and not undone 2",
    ]


def test_undo_leaves_alone_a_row_that_is_being_changed(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 2)
    made.run("updates")
    with psycopg.connect(made.url) as application, made.start("undo") as undoing:
        application.execute("UPDATE reservations SET notes = 'called' WHERE id = 'cm000000'")
        go(undoing)
        made.wait_for_a_waiter()
        application.commit()
        assert undoing.wait() == 0
    assert made.periods() == ["MORNING", None]


TRIGGERS = {
    "lowers": ("BEFORE UPDATE", "NEW.period := lower(NEW.period); RETURN NEW;"),
    "empties": ("BEFORE UPDATE", "NEW.period := NULL; RETURN NEW;"),
    "fills again": ("BEFORE UPDATE", "NEW.period := 'MORNING'; RETURN NEW;"),
    "empties afterwards": (
        "AFTER UPDATE",
        "IF NEW.period IS NOT NULL THEN UPDATE reservations SET period = NULL WHERE id = NEW.id; END IF; RETURN NULL;",
    ),
}


def add_trigger(made: Clinic, when: str, body: str) -> None:
    made.execute(f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")
    made.execute(f"CREATE TRIGGER meddle {when} ON reservations FOR EACH ROW EXECUTE FUNCTION meddle()")


@pytest.mark.parametrize("kind", ["lowers", "empties", "empties afterwards"])
def test_a_trigger_that_writes_something_else_stops_the_updates(clinic: MakeClinic, kind: str) -> None:
    made = clinic([("오전", "MORNING", None)] * 2)
    before = made.snapshot()
    add_trigger(made, *TRIGGERS[kind])
    done = made.psql(*sorted((made.folder / "updates").glob("*.sql")))
    assert done.returncode == 3
    assert 'a trigger of "public"."reservations" changes what this plan writes, so nothing of this file' in done.stderr
    assert made.snapshot() == before
    assert made.execute("SELECT count(*) FROM ojeon.file_batches") == [(0,)]


def test_a_trigger_that_writes_something_else_stops_the_undo(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)] * 2)
    made.run("updates")
    add_trigger(made, *TRIGGERS["fills again"])
    done = made.psql(made.folder / "undo" / "0001.sql")
    assert done.returncode == 3
    assert "a trigger of" in done.stderr
    assert made.execute("SELECT count(*) FROM ojeon.file_batches, jsonb_object_keys(changed)") == [(2,)]


def test_triggers_that_keep_to_their_own_columns_are_welcome(clinic: MakeClinic) -> None:
    made = clinic()
    made.execute("CREATE TABLE audit (id text)")  # found without its schema, as many triggers do it
    add_trigger(made, "BEFORE UPDATE", "INSERT INTO audit VALUES (NEW.id); NEW.notes := 'seen'; RETURN NEW;")
    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert made.run("undo") == {"planned": 12, "undone": 12, "left alone": 0}
    assert made.execute("SELECT count(*) FROM audit") == [(24,)]


def test_operators_of_other_schemas_are_not_ours(clinic: MakeClinic) -> None:
    rows: list[Row] = [("오전", "MORNING", None), ("오전", "MORNING", None), ("모닝", "MORNING", None)]
    made = clinic(rows, types=("varchar(30)", "varchar(30)", "text"))
    made.execute("INSERT INTO reservations VALUES ('new', 'n', '오전')")
    made.execute("UPDATE reservations SET \"preferredTime\" = '모닝' WHERE id = 'cm000000'")
    made.execute("CREATE SCHEMA hostile")
    for kind in ("text", "varchar", "integer"):
        made.execute(f"CREATE FUNCTION hostile.yes({kind}, {kind}) RETURNS boolean LANGUAGE sql RETURN true")
        for schema in ("hostile", "public"):
            made.execute(f"CREATE OPERATOR {schema}.= (FUNCTION = hostile.yes, LEFTARG = {kind}, RIGHTARG = {kind})")
    path = "ALTER DATABASE {} SET search_path = hostile, pg_catalog, public"
    with psycopg.connect(made.url) as connection:
        connection.execute(sql.SQL(path).format(sql.Identifier(connection.info.dbname)))
    assert made.run("updates") == {"planned": 3, "changed": 2}
    assert made.periods() == [None, "MORNING", "MORNING"]
    assert made.run("undo") == {"planned": 3, "undone": 2, "left alone": 0}


def test_an_id_that_is_no_longer_unique_stops_the_file(clinic: MakeClinic) -> None:
    made = clinic([("오전", "MORNING", None)])
    made.execute("ALTER TABLE reservations DROP CONSTRAINT reservations_pkey")
    made.execute("INSERT INTO reservations SELECT * FROM reservations")
    done = made.psql(*sorted((made.folder / "updates").glob("*.sql")))
    assert done.returncode == 3
    assert 'more rows of "public"."reservations" moved than the batch holds' in done.stderr
    assert made.execute("SELECT count(period) FROM reservations") == [(0,)]


def test_partitions_are_no_matter(clinic: MakeClinic) -> None:
    made = clinic()
    made.execute("ALTER TABLE reservations RENAME TO plain")
    made.execute("CREATE TABLE reservations (LIKE plain) PARTITION BY HASH (id)")
    for part in range(3):
        made.execute(f"CREATE TABLE part{part} PARTITION OF reservations FOR VALUES WITH (MODULUS 3, REMAINDER {part})")
    made.execute("INSERT INTO reservations SELECT * FROM plain")
    before = made.snapshot()
    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert made.periods() == wanted(ROWS)
    made.execute("UPDATE reservations SET notes = 'called' WHERE id = 'cm000000'")
    assert made.run("undo") == {"planned": 12, "undone": 11, "left alone": 1}
    assert made.snapshot() != before


BAD_LEDGERS = {  # what is done to the database, and what the plan says then
    "CREATE SCHEMA ojeon; CREATE TABLE ojeon.file_batches (run_id text, ids text[])": "is not a ledger that",
    "CREATE SCHEMA ojeon; CREATE VIEW ojeon.file_batches AS SELECT 1 AS run_id": "is not a ledger that",
    "GRANT INSERT ON ojeon.file_batches TO PUBLIC": "Everybody may write ojeon.file_batches, so it cannot be trusted",
    "UPDATE ojeon.file_batches SET target = 'other'": "are about another table than today's",
    "UPDATE ojeon.file_batches SET target_oid = 1": "are about another table than today's",
    "CREATE TABLE copy AS TABLE reservations; DROP TABLE reservations; ALTER TABLE copy RENAME TO reservations": (
        "are about another table than today's"
    ),
    "DROP TABLE reservations": "There is no table",
}


@pytest.mark.parametrize("sabotage", BAD_LEDGERS)
@pytest.mark.parametrize("direction", ["updates", "undo"])
def test_a_ledger_of_others_is_refused(clinic: MakeClinic, sabotage: str, direction: str) -> None:
    made = clinic()
    if not sabotage.startswith("CREATE SCHEMA"):
        made.run("updates")
    made.execute(sabotage)
    done = made.psql(made.folder / direction / "0001.sql")
    assert done.returncode == 3
    assert BAD_LEDGERS[sabotage] in done.stderr


def test_nobody_else_may_look_into_the_ledger(clinic: MakeClinic) -> None:
    made = clinic()
    made.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC")
    made.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC")
    made.run("updates")
    rights = f"has_schema_privilege('public', 'ojeon', 'USAGE'), has_table_privilege('public', '{LEDGER}', 'SELECT')"
    assert made.execute(f"SELECT {rights}") == [(False, False)]


def test_a_plan_for_a_table_that_cannot_take_it_refuses_to_run(clinic: MakeClinic) -> None:
    made = clinic(why="The column 'period' is $ojeon$ of type \"P'\n\", which cannot hold MORNING.")
    done = made.psql(made.folder / "updates" / "0001.sql")
    assert done.returncode == 3
    assert "This plan is not to be applied: The column 'period' is $ojeon$ of type \"P'" in done.stderr
    found = manifest.read(made.folder)
    assert (found["apply"], found["check"]["passed"]) == ("refused", True)
    assert found["why"].startswith("The column 'period'")


def test_a_row_the_table_refuses_is_not_shown(clinic: MakeClinic) -> None:
    made = clinic()
    made.execute("""ALTER TABLE reservations ADD CHECK (period IS NULL OR "preferredTime" <> '14:00')""")
    complaint = 'ERROR:  new row for relation "reservations" violates check constraint "reservations_check"\n'
    done = made.psql(made.folder / "updates" / "0000_ledger.sql", made.folder / "updates" / "0001.sql")
    assert done.returncode == 3
    assert re.sub(r"^psql:.*?: ", "", done.stderr) == complaint
    with pytest.raises(DatabaseError) as caught:
        rehearse(made.url, made.server.psql, made.folder, made.names, lambda _done, _planned: None)
    assert re.fullmatch(rf"psql stopped at 0001\.sql: psql:\S+: {complaint.strip()}", str(caught.value))
    assert made.periods() == [period for _, _, period in ROWS]


def test_two_people_apply_and_undo_the_same_plan_at_once(clinic: MakeClinic) -> None:
    rows: list[Row] = [(f"{i % 5}시", "MORNING" if i % 5 < 3 else "AFTERNOON", None) for i in range(400)]
    made = clinic(rows, batch_rows=10, file_rows=20)
    before = made.snapshot()
    for kind, word in (("updates", "changed"), ("undo", "undone")):
        with made.start(kind) as one, made.start(kind) as two:
            go(one, two)
            said = [process.communicate() for process in (one, two)]
        assert [process.returncode for process in (one, two)] == [0, 0], said
        assert sum(int(n) for out, _ in said for n in re.findall(rf"{word} (\d+)", out.decode())) == 400
        assert made.periods() == (wanted(rows) if kind == "updates" else [None] * 400)
    assert made.snapshot() == before


def test_two_runs_on_one_database(clinic: MakeClinic, tmp_path: Path) -> None:
    rows: list[Row] = [(f"{i % 5}시", "MORNING", None) for i in range(200)]
    first = clinic(rows, batch_rows=10, file_rows=20)
    second = Clinic(first.server, first.url, tmp_path / "run-2", first.names, first.ids)
    second.folder.mkdir()
    with open_workbench(second.folder) as workbench:  # the same rows in another order
        fill(workbench, second.ids, rows)
        workbench.execute("UPDATE decisions SET period = 'AFTERNOON' WHERE raw IN ('0시', '3시')")
        chosen = Settings(batch_rows=7, file_rows=21)
        emit(workbench, chosen, second.folder, run_id="run-2", check_passed=True, check_results={})
    with first.start("updates") as one, second.start("updates") as two:
        go(one, two)
        said = [process.communicate() for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0], said
    assert None not in first.periods()
    changed = first.execute(
        "SELECT run_id, count(*)::int FROM ojeon.file_batches, jsonb_object_keys(changed) GROUP BY 1"
    )
    assert sum(count for _, count in changed) == 200

    with first.start("undo") as one, second.start("undo") as two:
        go(one, two)
        said = [process.communicate() for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0], said
    assert first.periods() == [None] * 200


def test_another_run_of_the_same_rows_has_a_ledger_of_its_own(clinic: MakeClinic) -> None:
    made = clinic()
    made.run("updates")
    made.execute("UPDATE ojeon.file_batches SET run_id = 'another'")
    assert made.run("undo") == {"planned": 12, "undone": 0, "left alone": 0}
    assert made.periods() == wanted(ROWS)


def test_one_file_is_one_transaction(clinic: MakeClinic) -> None:
    made = clinic([(f"{i}시", "MORNING", None) for i in range(4)], batch_rows=1, file_rows=2)
    made.execute("ALTER TABLE reservations ADD CHECK (id <> 'cm000003' OR period IS NULL)")
    done = made.psql(*sorted((made.folder / "updates").glob("*.sql")))
    assert done.returncode == 3
    assert "violates check constraint" in done.stderr
    assert made.periods() == ["MORNING", "MORNING", None, None]
    assert made.execute("SELECT batch, jsonb_object_keys(changed) FROM ojeon.file_batches ORDER BY 1") == [
        (1, "cm000000"),
        (2, "cm000001"),
    ]


def test_a_row_held_by_the_application_does_not_hang_the_file(clinic: MakeClinic) -> None:
    made = clinic()
    file = made.folder / "updates" / "0001.sql"
    file.write_text(file.read_text(encoding="utf-8").replace("lock_timeout = '1s'", "lock_timeout = '50ms'"))
    with psycopg.connect(made.url) as application:
        application.execute("SELECT FROM reservations WHERE id = 'cm000000' FOR UPDATE")
        done = made.psql(made.folder / "updates" / "0000_ledger.sql", file)
    assert done.returncode == 3
    assert "lock timeout" in done.stderr
    assert made.run("updates") == {"planned": 12, "changed": 12}


def test_each_file_states_what_it_should_and_did_change(clinic: MakeClinic) -> None:
    made = clinic(batch_rows=4, file_rows=8)
    made.execute("UPDATE reservations SET \"preferredTime\" = '오후' WHERE id = 'cm000000'")
    done = made.psql(*sorted((made.folder / "updates").glob("*.sql")))
    assert done.stdout.splitlines() == [
        "batch 1 (AFTERNOON): planned 4, changed 4",
        "batch 2 (AFTERNOON): planned 3, changed 3",
        "updates file 1 of 2: planned 7, changed by this run and not undone 7",
        "batch 3 (MORNING): planned 4, changed 3",
        "batch 4 (MORNING): planned 1, changed 1",
        "updates file 2 of 2: planned 5, changed by this run and not undone 4",
    ]


def test_undo_without_a_ledger_says_there_is_nothing_to_undo(clinic: MakeClinic) -> None:
    made = clinic()
    done = made.psql(made.folder / "undo" / "0001.sql")
    assert done.returncode == 3
    assert "There is no ledger in this database: this run changed nothing here." in done.stderr


def test_updates_without_a_ledger_say_what_to_run_first(clinic: MakeClinic) -> None:
    made = clinic()
    done = made.psql(made.folder / "updates" / "0001.sql")
    assert done.returncode == 3
    assert "run updates/0000_ledger.sql first" in done.stderr
    assert made.periods() == [already for _, _, already in ROWS]


def test_a_ledger_needs_no_rights_on_the_database_where_it_exists(clinic: MakeClinic) -> None:
    made = clinic()
    made.psql(made.folder / "updates" / "0000_ledger.sql")
    made.execute("CREATE ROLE plain_writer LOGIN")
    try:
        made.execute("GRANT USAGE ON SCHEMA ojeon TO plain_writer")
        made.execute("GRANT SELECT, INSERT, UPDATE ON ojeon.file_batches, reservations TO plain_writer")
        writer = Clinic(made.server, made.url.replace("//postgres@", "//plain_writer@"), made.folder, ids=made.ids)
        assert writer.run("updates") == {"planned": 12, "changed": 12}
        assert writer.run("undo") == {"planned": 12, "undone": 12, "left alone": 0}
    finally:
        made.execute("DROP OWNED BY plain_writer; DROP ROLE plain_writer")


@pytest.mark.parametrize("careless", [False, True], ids=["psql", "a client that goes on after errors"])
def test_a_plan_whose_check_failed_refuses_to_run(clinic: MakeClinic, careless: bool) -> None:  # noqa: FBT001
    made = clinic(check_passed=False)
    before = made.snapshot()
    files = sorted((made.folder / "updates").glob("*.sql"))
    assert len(files) == 2
    for file in files:
        if careless:
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("\\set ON_ERROR_STOP on\n", ""), encoding="utf-8")
        done = made.psql(file)
        assert done.returncode == (0 if careless else 3)
        assert "not to be applied" in done.stderr
    assert made.snapshot() == before
    assert made.execute("SELECT to_regclass('ojeon.file_batches')") == [(None,)]
    assert manifest.read(made.folder)["apply"] == "refused"


def test_batches_and_files_keep_their_sizes(clinic: MakeClinic) -> None:
    rows: list[Row] = [(f"{i % 7}시", "MORNING" if i % 7 < 3 else "AFTERNOON", None) for i in range(100)]
    made = clinic(rows, batch_rows=10, file_rows=25)
    files = sorted((made.folder / "updates").glob("*.sql"))
    assert [file.name for file in files] == ["0000_ledger.sql", *(f"000{i}.sql" for i in range(1, 7))]
    assert [file.name for file in sorted((made.folder / "undo").glob("*.sql"))] == [file.name for file in files[1:]]
    planned = [int(line) for line in re.findall(r"(\d+) rows planned", "".join(map(Path.read_text, files)))]
    assert planned == [20, 20, 16, 20, 20, 4]
    assert made.run("updates") == {"planned": 100, "changed": 100}
    assert made.periods() == wanted(rows)


def test_a_file_never_holds_more_rows_than_its_setting(clinic: MakeClinic) -> None:
    made = clinic(batch_rows=1_000, file_rows=3)
    assert made.run("updates") == {"planned": 12, "changed": 12}
    assert len(list((made.folder / "undo").glob("*.sql"))) == 5


def test_nothing_to_change_is_a_plan_too(clinic: MakeClinic) -> None:
    made = clinic([("아무때나", None, None), ("오전", "MORNING", "MORNING")])
    assert [file.name for file in (made.folder / "updates").iterdir()] == ["0000_ledger.sql"]
    assert made.run("updates") == {}


def test_no_text_stands_outside_a_literal(clinic: MakeClinic) -> None:
    made = clinic([("비밀", "MORNING", None)])
    text = (made.folder / "updates" / "0001.sql").read_text(encoding="utf-8")
    assert re.findall(r".*비밀.*", text) == ["  (1, '비밀')"]


def test_the_manifest_tells_where_every_row_went(clinic: MakeClinic) -> None:
    made = clinic()
    found = manifest.read(made.folder)
    assert found["rows"] == {
        "extracted": 18,
        "auto": 12,
        "review": 4,
        "already_set": 2,
        "neither": 0,
        "equation": "extracted 18 = auto 12 + review 4 + already_set 2",
    }
    assert found["texts"] == {"extracted": 4, "profiled": 0, "decided": 4, "auto": 2, "review": 2}
    assert (found["run"], found["apply"], found["check"]) == (
        "run-1",
        "allowed",
        {"passed": True, "results": {"suites": 4}},
    )
    assert (found["source"]["kind"], found["versions"]["postgresql"]) == ("postgresql", "18.1")
    assert found["facts"] == {"note": "kept"}
    plan = {"updates/0000_ledger.sql", "updates/0001.sql", "undo/0001.sql", "dictionary.jsonl"}
    assert set(found["files"]) == plan | {"manual_review.csv", "manual_review.xlsx"}
    assert manifest.verify_files(made.folder) == []


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The workbench of a run that is ready to be emitted; no database is needed."""
    (tmp_path / "run").mkdir()
    with open_workbench(tmp_path / "run") as workbench:
        fill(workbench, [str(i) for i in range(len(ROWS))], ROWS)
        yield workbench


def emit_into(folder: Path, workbench: duckdb.DuckDBPyConnection, **more: Any) -> EmitReport:
    return emit(workbench, Settings(file_rows=5), folder, run_id="r", check_passed=True, check_results={}, **more)


def test_progress_is_told_to_the_end(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    told: list[tuple[int, int]] = []
    emit_into(tmp_path / "run", bench, progress=lambda done, planned: told.append((done, planned)))
    assert told == [(5, 12), (7, 12), (12, 12)]


def test_a_row_without_a_decision_stops_the_run(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    bench.execute("DELETE FROM decisions WHERE raw = '아무때나'")
    with pytest.raises(RunError, match="3 of 18 rows have a text without a decision"):
        emit_into(tmp_path / "run", bench)
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_text_decided_twice_stops_the_run(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    bench.execute("INSERT INTO decisions SELECT * FROM decisions WHERE raw = '14:00'")
    with pytest.raises(RunError, match=r"18 rows were extracted but 19 auto \+ 4 review \+ 2 already set make 25"):
        emit_into(tmp_path / "run", bench)


def test_a_text_postgresql_cannot_hold_stops_the_run(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    bench.execute("UPDATE reservations SET raw = '14:00' || chr(0) WHERE raw = '14:00'")
    bench.execute("UPDATE decisions SET raw = '14:00' || chr(0) WHERE raw = '14:00'")
    with pytest.raises(RunError, match="NUL"):
        emit_into(tmp_path / "run", bench)


def test_a_row_lost_on_the_way_to_the_files_stops_the_run(
    tmp_path: Path, bench: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.emit.in_files", lambda batches, per_file: list(in_files(batches, per_file))[:-1])
    with pytest.raises(RunError, match="7 rows were written to the updates but 12 were counted"):
        emit_into(tmp_path / "run", bench)
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_finished_plan_never_changes(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    emit_into(tmp_path / "run", bench)
    with pytest.raises(RunError, match="a plan never changes"):
        emit_into(tmp_path / "run", bench)


def test_the_leavings_of_an_interrupted_run_are_not_mixed_in(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "run" / "updates").mkdir()
    with pytest.raises(RunError, match="interrupted run"):
        emit_into(tmp_path / "run", bench)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path, bench: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="choose another folder"):
        emit_into(tmp_path / "file" / "run", bench)


def test_a_full_disk_leaves_no_manifest(tmp_path: Path) -> None:
    program = f"""
        import resource, sys
        import duckdb
        from pathlib import Path
        from pipeline.emit import emit
        from pipeline.errors import DatabaseError, RunError
        from pipeline.settings import Settings
        from pipeline.workbench import SCHEMA

        workbench = duckdb.connect()
        workbench.execute(SCHEMA)
        workbench.execute("INSERT INTO reservations (id, raw) SELECT range, '오전' FROM range(1000)")
        workbench.execute("INSERT INTO decisions VALUES ('오전', 'AUTO', 'MORNING', NULL, NULL, 1, 'x', NULL, '')")
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))  # writing more fails, as on a full disk
        folder = Path({str(tmp_path / "run")!r})
        try:
            emit(workbench, Settings(), folder, run_id="r", check_passed=True, check_results={{}})
        except RunError as error:
            sys.exit(f"told: {{error}}")
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("told: The plan could not be written into ")
    assert "File too large. Make room on that disk" in done.stderr
    assert not (tmp_path / "run" / "manifest.json").exists()
