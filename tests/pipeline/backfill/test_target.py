"""What a move fills, on tables of every make: each test applies a plan, looks, and undoes it."""

import json
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from live_move import DECIDED, UNDECIDED, Move, seal
from psycopg import sql

from pipeline.backfill.batch import Span, count_left, fill_statement
from pipeline.errors import DatabaseError, UsageError
from pipeline.settings import TableNames

HOSTILE = json.loads((Path(__file__).parents[1] / "hostile_texts.json").read_text(encoding="utf-8"))
ODD = TableNames(
    table_schema='Clinic "A"',
    table='Reser"vations',
    id="the id's",
    preferred_time='"preferred" %s Time',
    period="pe{ri}od",
    slot_start="slot; --",
    service='se"rvice',
    service_id="service\\Id",
    service_name="서비스 이름",
    estimated_duration="CASE",
    services='ser"vices',
)
COLUMNS = (
    "id",
    "preferred_time",
    "period",
    "slot_start",
    "service",
    "service_id",
    "service_name",
    "estimated_duration",
)
SERVICE_TYPES = {"service": "text", "service_id": "text", "service_name": "text", "estimated_duration": "integer"}
TYPES = {"id": "text", "preferred_time": "text", "period": "text", "slot_start": "varchar(5)", **SERVICE_TYPES}
CITEXT = "CREATE EXTENSION IF NOT EXISTS citext;"
SERVICES = [("s1", "BOTOX", "보톡스", 30, 10), ("s2", "O'CARE", "it's care", 60, 5)]


def create(url, names, prelude="", **types):
    """Make the table and the services' table; ``types`` replace those of columns by their setting."""
    kinds = TYPES | types
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(getattr(names, name)), sql.SQL(kinds[name])) for name in TYPES
    )
    table, services = (sql.Identifier(names.table_schema, name) for name in (names.table, names.services))
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(names.table_schema)))
        connection.execute(prelude.encode())
        made = sql.SQL("CREATE TABLE {} ({}, note text, PRIMARY KEY ({}))")
        connection.execute(made.format(table, columns, sql.Identifier(names.id)))
        services_columns = '(id text, code text UNIQUE, name text, "durationMinutes" integer, "bufferMinutes" integer)'
        connection.execute(sql.SQL("CREATE TABLE {} {}").format(services, sql.SQL(services_columns)))
        with connection.cursor() as cursor:
            cursor.executemany(sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, %s, %s)").format(services), SERVICES)


def insert(move, rows):
    """Insert dictionaries of settings' names to values."""
    with psycopg.connect(move.url) as connection:
        for row in rows:
            columns = [sql.Identifier(getattr(move.names, name)) for name in row]
            values = sql.SQL(", ").join(sql.Literal(value) for value in row.values())
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(move.table, sql.SQL(", ").join(columns), values)
            )


def rows_of(move, *settings):
    columns = [sql.SQL("{}::text").format(sql.Identifier(getattr(move.names, name))) for name in settings]
    query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(columns), move.table, sql.Identifier(move.names.id)
    )
    return move.execute(query.as_string(None))


def made(database, tmp_path, names=None, fills=("period",), **types):
    names = names or TableNames()
    create(database, names, **types)
    return Move(database, seal(tmp_path / "20261123-101500-3f2a", database, names=names), fills, names)


def comes_back(move, filled):
    """Apply, look, undo: every byte as before; then apply once more."""
    before = move.snapshot()
    report = move.apply()
    assert (report.state, report.changed, report.left) == ("applied", filled, 0)
    assert len({row_id for row_id, _ in move.claimed()}) == filled
    assert move.not_as_left() == []
    after = move.snapshot()
    assert len(set(after) - set(before)) == filled
    assert move.apply().changed == 0
    undone = move.undo()
    assert (undone.state, undone.undone, undone.left_alone, undone.left) == ("undone", filled, 0, 0)
    assert move.snapshot() == before
    assert move.apply().changed == filled
    assert move.snapshot() == after


@pytest.fixture
def batches_of_seven(monkeypatch):
    monkeypatch.setattr("pipeline.backfill.apply.FIRST_BATCH", 7)
    monkeypatch.setattr("pipeline.backfill.pace.FEWEST", 7)
    monkeypatch.setattr("pipeline.backfill.pace.MOST", 7)


PERIODS = {
    "text with a check": {"period": "text CHECK (period IN ('MORNING', 'AFTERNOON'))"},
    "an enum with a capital": {
        "prelude": "CREATE TYPE \"Period\" AS ENUM ('AFTERNOON', 'MORNING')",
        "period": '"Period"',
    },
    "an enum of another schema": {
        "prelude": "CREATE SCHEMA other; CREATE TYPE other.half AS ENUM ('MORNING', 'AFTERNOON')",
        "period": "other.half",
    },
    "a domain": {
        "prelude": "CREATE DOMAIN half AS varchar(9) CHECK (VALUE IN ('MORNING', 'AFTERNOON'))",
        "period": "half",
    },
    "varchar": {"period": "varchar(9)"},
}
IDS = {
    "text": ("text", [f"r{number:03}" for number in range(60)]),
    "texts that need quotes": ("text", [f'it\'s "{number}" \\ {{}},NULL' for number in range(60)]),
    "uuid": ("uuid", [f"00000000-0000-4000-8000-{number:012}" for number in range(60)]),
    "bigint below and above zero": ("bigint", [number * 10**17 for number in range(-30, 30)]),
    "varchar": ("varchar(40)", [f"r{number}" for number in range(60)]),
    "texts whose case makes no difference": ("citext", [f"{'aBÄ가'[n % 4]}{n}" for n in range(60)]),
    "a domain": ("key", list(range(60))),
    "texts of several lines": ("text", [f"r\n{number}\t\\n\r\x01" for number in range(60)]),
    "timestamps": ("timestamp(3)", [f"2025-01-01 00:00:00.{number:03}" for number in range(60)]),
}


def sample(ids):
    texts = [*DECIDED, *UNDECIDED]
    return [{"id": row_id, "preferred_time": texts[number % len(texts)]} for number, row_id in enumerate(ids)]


@pytest.mark.parametrize("period", PERIODS.values(), ids=PERIODS)
def test_a_period_is_filled_whatever_its_type(database, tmp_path, period):
    move = made(database, tmp_path, **period)
    insert(move, sample(IDS["text"][1]))
    comes_back(move, 40)
    filled = rows_of(move, "preferred_time", "period")
    assert {text: period for text, period in filled if text in DECIDED} == {
        text: period for text, (period, _) in DECIDED.items()
    }
    assert all(period is None for text, period in filled if text in UNDECIDED)


@pytest.mark.usefixtures("batches_of_seven")
@pytest.mark.parametrize(("kind", "ids"), IDS.values(), ids=IDS)
def test_rows_are_told_apart_whatever_the_id(database, tmp_path, kind, ids):
    move = made(database, tmp_path, id=kind, prelude=CITEXT + "CREATE DOMAIN key AS integer")
    insert(move, sample(ids))
    comes_back(move, 40)
    assert move.execute("SELECT count(DISTINCT batch) FROM ojeon.batches WHERE undone = 0") == [(9,)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [("citext", ["PM 3", "pm 3", "Pm 3"]), ("char(8)", ["PM 3", "pm 3", "PM  3"])],
)
def test_a_text_is_the_plans_byte_for_byte_whatever_the_column_takes_for_equal(database, tmp_path, kind, values):
    create(database, TableNames(), CITEXT, preferred_time=kind)
    folder = seal(tmp_path / "run", database, {"PM 3": ("AFTERNOON", None)})
    move = Move(database, folder)
    insert(move, [{"id": text, "preferred_time": text} for text in values])
    comes_back(move, 1)
    assert [row_id for row_id, _ in move.claimed()] == ["PM 3"]


def test_texts_and_names_are_data_and_never_code(database, tmp_path):
    hostile = [text for text in HOSTILE if "\0" not in text]
    create(database, ODD)
    decided = dict.fromkeys(hostile, ("MORNING", "09:00"))
    move = Move(database, seal(tmp_path / "odd '; run", database, decided, ODD), ("period", "slot", "service"), ODD)
    insert(move, [{"id": f"'{n}\"", "preferred_time": text, "service": "O'CARE"} for n, text in enumerate(hostile)])
    comes_back(move, len(hostile))
    got = rows_of(move, "period", "slot_start", "service_id", "service_name", "estimated_duration")
    assert set(got) == {("MORNING", "09:00", "s2", "it's care", "65")}


EVERYTHING = ("period", "slot", "service")
# id, text, what is set already, and then period, start, service id, name and duration after a move of everything
CASES = [
    ({"preferred_time": "14:00", "service": "BOTOX"}, ("AFTERNOON", "14:00", "s1", "보톡스", "40")),
    ({"preferred_time": "오후", "service": "O'CARE"}, ("AFTERNOON", None, "s2", "it's care", "65")),
    ({"preferred_time": "아무때나", "service": "BOTOX"}, (None, None, "s1", "보톡스", "40")),
    ({"preferred_time": "14:00", "service": None}, ("AFTERNOON", "14:00", None, None, None)),
    ({"preferred_time": None, "service": None}, (None, None, None, None, None)),
    # Whatever the application has set stands, and a start goes with the period that the plan wrote.
    (
        {"preferred_time": "14:00", "service": "BOTOX", "period": "MORNING"},
        ("MORNING", None, "s1", "보톡스", "40"),
    ),
    (
        {"preferred_time": "14:00", "service": "BOTOX", "slot_start": "15:00"},
        ("AFTERNOON", "15:00", "s1", "보톡스", "40"),
    ),
    # The three columns of a service go together or not at all.
    (
        {"preferred_time": "14:00", "service": "BOTOX", "service_name": "own"},
        ("AFTERNOON", "14:00", None, "own", None),
    ),
    (
        {"preferred_time": "아무때나", "service": "BOTOX", "estimated_duration": 5},
        (None, None, None, None, "5"),
    ),
    (
        {"preferred_time": "오전 10시", "service": "BOTOX", "service_id": "s2"},
        ("MORNING", "10:00", "s2", None, None),
    ),
]


def expected(row, everything, fills):
    """What a row must hold after a move of only some columns."""
    before = tuple(row.get(name) for name in ("period", "slot_start", *list(SERVICE_TYPES)[1:]))
    before = tuple(None if value is None else str(value) for value in before)
    period = everything[0] if "period" in fills else before[0]
    start = everything[1] if "slot" in fills else before[1]
    return (period, start, *(everything[2:] if "service" in fills else before[2:]))


@pytest.mark.parametrize("fills", [("period",), ("period", "slot"), ("service",), ("period", "service"), EVERYTHING])
def test_each_column_is_filled_by_itself_and_together(database, tmp_path, fills):
    move = made(database, tmp_path, fills=fills)
    insert(move, [{"id": f"r{number:02}", **row} for number, (row, _) in enumerate(CASES)])
    wanted = [expected(row, everything, fills) for row, everything in CASES]
    changed = sum(expected(row, everything, ()) != want for (row, everything), want in zip(CASES, wanted, strict=True))
    comes_back(move, changed)
    assert rows_of(move, "period", "slot_start", "service_id", "service_name", "estimated_duration") == wanted


def test_what_was_filled_at_two_times_is_taken_back_together(database, tmp_path):
    move = made(database, tmp_path, fills=EVERYTHING)
    insert(move, [{"id": f"r{number}", "preferred_time": "아무때나", "service": "BOTOX"} for number in range(3)])
    before = move.snapshot()
    assert move.apply().changed == 3
    move.execute("UPDATE reservations SET note = 'ours' WHERE id = 'r1'")
    # Somebody has decided the text meanwhile.
    move.execute("INSERT INTO ojeon.plan (run_id, raw, period) VALUES (%s, '아무때나', 'MORNING')", move.run_id)
    assert move.apply().changed == 3
    assert rows_of(move, "period", "service_id") == [("MORNING", "s1")] * 3
    report = move.undo()
    assert (report.undone, report.left_alone) == (3, 1)
    assert rows_of(move, "id", "period", "service_id")[1] == ("r1", None, "s1")  # its service the application has seen
    assert [row for row in move.snapshot() if "r1" not in row] == [row for row in before if "r1" not in row]


def test_a_service_code_without_its_row_stops_the_move_before_any_write(database, tmp_path):
    move = made(database, tmp_path, fills=EVERYTHING)
    insert(move, [{"id": "1", "preferred_time": "14:00", "service": "BOTOX"}])
    insert(move, [{"id": f"x{n}", "preferred_time": "14:00", "service": f"new{n:02}"} for n in range(12)])
    before = move.snapshot()
    with pytest.raises(UsageError, match=r"'services': new00, .*, new09\. Nothing was written\. Add those services"):
        move.apply()
    assert move.snapshot() == before
    assert move.execute("SELECT to_regclass('ojeon.runs')") == [(None,)]
    only_period = Move(move.url, move.folder, ("period",))
    assert only_period.apply().changed == 13


def test_codes_are_equal_byte_for_byte_whatever_the_columns_take_for_equal(database, tmp_path):
    move = made(database, tmp_path, fills=("service",), prelude=CITEXT, service="citext")
    insert(move, [{"id": "1", "service": "BOTOX"}])
    comes_back(move, 1)
    insert(move, [{"id": "2", "service": "botox"}])
    with pytest.raises(UsageError, match="services': botox"):
        move.apply()


def test_codes_may_be_sorted_otherwise_in_either_table(database, tmp_path):
    move = made(database, tmp_path, fills=("service",), service='text COLLATE "C"')
    move.execute('ALTER TABLE services ALTER code TYPE text COLLATE "POSIX"')
    insert(move, [{"id": "1", "service": "BOTOX"}])
    comes_back(move, 1)
    assert move.execute('SELECT "serviceId" IS NOT NULL FROM reservations') == [(True,)]


@pytest.mark.usefixtures("batches_of_seven")
def test_ids_may_be_ordered_by_operators_that_are_not_on_the_path(database, tmp_path):
    names = TableNames(table_schema="clinic")
    move = made(database, tmp_path, names=names, prelude=CITEXT, id="public.citext")
    insert(move, sample([f"{'aBcD'[n % 4]}{n}" for n in range(60)]))
    comes_back(move, 40)
    assert move.execute("SELECT count(period) FROM clinic.reservations") == [(40,)]


def test_other_columns_keep_what_they_hold(database, tmp_path):
    move = made(database, tmp_path, fills=EVERYTHING)
    insert(move, [{"id": "1", "preferred_time": "14:00", "service": "BOTOX"}])
    move.execute("""ALTER TABLE reservations ADD "updatedAt" timestamptz DEFAULT now()""")
    move.execute("UPDATE reservations SET note = 'it''s a note'")
    seen = move.execute('SELECT note, "updatedAt" FROM reservations')
    comes_back(move, 1)
    assert move.execute('SELECT note, "updatedAt" FROM reservations') == seen


@pytest.mark.parametrize(
    ("fills", "change", "sentence"),
    [
        (("period", "slot"), 'ALTER TABLE reservations DROP "timeSlotStart"', "has no column 'timeSlotStart'"),
        (("service",), 'ALTER TABLE reservations RENAME "serviceName" TO name', "has no column 'serviceName'"),
        (("period",), "ALTER TABLE reservations DROP CONSTRAINT reservations_pkey", "No unique index says"),
        (("period",), "ALTER TABLE reservations ALTER period TYPE varchar(7)", "which cannot hold AFTERNOON"),
        (("period",), "DROP TABLE reservations", "There is no table"),
        (
            ("period", "slot"),
            'ALTER TABLE reservations ALTER "timeSlotStart" TYPE time USING NULL',
            r"type time without time zone, which does not hold a start such as 23:59 .* Make it varchar\(5\)",
        ),
        (
            ("service",),
            'ALTER TABLE reservations DROP "serviceName", ADD "serviceName" text GENERATED ALWAYS AS (service) STORED',
            "PostgreSQL itself computes the column 'serviceName' .* so nothing can be written to it. Name the one",
        ),
        (
            ("service",),
            'ALTER TABLE reservations ALTER "serviceId" TYPE integer USING NULL',
            r"do not fit into the columns .*invalid input syntax for type integer.*Mend the types, or leave service",
        ),
        (
            ("service",),
            'ALTER TABLE reservations ALTER "serviceName" TYPE varchar(2)',
            r"do not fit into the columns .* \(a value comes back as another\)",
        ),
        (("service",), "DROP TABLE services", 'There is no table "public"."services" of services. Name it with'),
        (
            ("service",),
            'ALTER TABLE services DROP "bufferMinutes"',
            r"do not fit into the columns .* \(column s.bufferMinutes does not exist\)",
        ),
        (
            ("period",),
            "CREATE RULE quiet AS ON UPDATE TO reservations DO INSTEAD NOTHING",
            "The rule 'quiet' of .* rewrites every UPDATE, .* Take the rule off",
        ),
        (
            ("period",),
            "CREATE TABLE child () INHERITS (reservations)",
            "has child tables, and no index says that an id occurs once in all of them. Name the child",
        ),
        (
            ("period",),
            """ALTER TABLE reservations RENAME TO single;
            CREATE TABLE reservations (LIKE single INCLUDING ALL) PARTITION BY LIST (id);
            CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
            ALTER TABLE reservations DROP CONSTRAINT reservations_pkey1;
            CREATE FOREIGN TABLE there PARTITION OF reservations DEFAULT SERVER far""",
            "No unique index says",  # nor can there be one beside a foreign partition
        ),
        (
            ("period",),
            "CREATE TYPE half AS ENUM ('AM', 'PM'); ALTER TABLE reservations ALTER period TYPE half USING NULL",
            "which cannot hold MORNING and AFTERNOON. Widen the type or add the enum's missing labels",
        ),
        (("period",), "ALTER TABLE reservations RENAME TO t; CREATE VIEW reservations AS TABLE t", "is a view, and a"),
    ],
)
def test_a_table_that_lacks_what_is_to_be_filled_is_told_so(database, tmp_path, fills, change, sentence):
    move = made(database, tmp_path, fills=fills)
    move.execute(change)
    with pytest.raises(DatabaseError, match=sentence):
        move.apply()
    assert move.execute("SELECT to_regclass('ojeon.runs')") == [(None,)]  # and nothing at all was written


def test_a_start_alone_cannot_be_filled_and_the_order_of_what_is_filled_is_none(database, tmp_path):
    move = made(database, tmp_path, fills=("slot",))
    with pytest.raises(UsageError, match=r"A start is filled beside its period only\. Fill both: period, slot"):
        move.apply()
    insert(move, sample(IDS["text"][1]))
    assert replace(move, fills=("slot", "period", "slot")).apply().changed == 40
    assert replace(move, fills=("period", "slot")).apply().changed == 0


PARTITIONS = """
ALTER TABLE reservations RENAME TO single;
CREATE TABLE reservations (LIKE single INCLUDING ALL) PARTITION BY HASH (id);
CREATE TABLE part_0 PARTITION OF reservations FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF reservations FOR VALUES WITH (MODULUS 2, REMAINDER 1);
"""


@pytest.mark.usefixtures("batches_of_seven")
@pytest.mark.parametrize("fills", [("period",), EVERYTHING])
def test_a_table_in_partitions_is_moved_like_any_other(database, tmp_path, fills):
    move = made(database, tmp_path, fills=fills)
    move.execute(PARTITIONS)
    insert(move, sample(IDS["text"][1]))
    comes_back(move, 40)


@pytest.mark.parametrize("forced", [False, True])
def test_a_table_whose_policies_would_hide_rows_is_refused_before_any_write(database, tmp_path, forced):
    move = made(database, tmp_path)
    insert(move, sample(IDS["text"][1]))
    role = database.rpartition("/")[2].partition("?")[0] + "_owner"
    move.execute(f"CREATE ROLE {role} LOGIN")
    try:
        move.execute(f"ALTER TABLE reservations OWNER TO {role}; ALTER TABLE reservations ENABLE ROW LEVEL SECURITY")
        move.execute(f"GRANT CREATE ON DATABASE {database.rpartition('/')[2].partition('?')[0]} TO {role}")
        owner = replace(move, url=database.replace("postgres@", f"{role}@"))
        if forced:
            move.execute("ALTER TABLE reservations FORCE ROW LEVEL SECURITY")
            with pytest.raises(DatabaseError, match=r"Row-level security hides rows .* or as a role with BYPASSRLS"):
                owner.apply()
            assert move.execute("SELECT to_regclass('ojeon.runs')") == [(None,)]
        else:
            assert owner.apply().changed == 40  # policies do not bind a table's owner
    finally:
        move.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_slow_look_at_the_services_is_no_reason_to_give_up(database, tmp_path):
    move = made(database, tmp_path, fills=("service",))
    insert(move, [{"id": "1", "service": "BOTOX"}])
    move.execute(
        """CREATE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN $1; END';
        ALTER TABLE services RENAME TO kept;
        CREATE VIEW services AS SELECT id, slowly(code) AS code, name, "durationMinutes", "bufferMinutes" FROM kept"""
    )
    with move.worker(statement_timeout=0.25) as worker:
        assert worker.target.fills == ("service",)


def test_a_batch_covers_its_span_and_nothing_else(database, tmp_path):
    move = made(database, tmp_path)
    insert(move, [{"id": f"r{number}", "preferred_time": "14:00"} for number in range(8)])
    with move.worker() as worker:
        connection, target = worker.session.connection, worker.target
        (variant,) = target.variants(move.run_id)
        for number, span in enumerate([Span("r1", "r4"), Span("r5", None, ("r0", "r7"))], start=1):
            statement = fill_statement(target, variant, move.run_id, number, span, skip_locked=number == 1)
            connection.execute(statement)
        assert count_left(connection, target, move.run_id) == 3
    assert [row_id for row_id, _ in move.claimed()] == ["r0", "r2", "r3", "r4", "r7"]
