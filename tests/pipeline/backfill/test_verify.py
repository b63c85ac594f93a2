"""Verification against real PostgreSQL: what is planted is found, what the application did is listed and no more."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest
from live_move import DECIDED, Move, seal
from psycopg import sql
from rich.console import Console
from typer.testing import CliRunner

from pipeline import manifest
from pipeline.address import read_address
from pipeline.backfill.dual_write import install
from pipeline.backfill.fates import KINDS, SHOWN
from pipeline.backfill.plan import read_plan
from pipeline.backfill.verify import VerifyReport, verify
from pipeline.backfill.verify_table import verify_table
from pipeline.cli import app
from pipeline.errors import RunError, UsageError
from pipeline.extract import extract
from pipeline.settings import TableNames
from pipeline.suite_results import Status
from pipeline.suites import load_suite
from pipeline.workbench import open_workbench

ALL = ("period", "slot", "service")
TABLE = """
CREATE TABLE services (
    id text PRIMARY KEY, code text UNIQUE, name text, "durationMinutes" int, "bufferMinutes" int
);
INSERT INTO services VALUES ('s1', 'BODY', 'Body care', 30, 10), ('s2', 'SKIN', 'Skin care', 20, 5);
CREATE TABLE reservations (
    id text PRIMARY KEY, "preferredTime" text, notes text DEFAULT 'quiet room',
    "updatedAt" timestamp(3) DEFAULT '2026-01-01', service text DEFAULT 'BODY', period text,
    "timeSlotStart" varchar(5), "serviceId" text, "serviceName" text, "estimatedDuration" int
);
"""
CLOCK, NOON, WORD, _ = DECIDED
ROWS = [
    *((f"a{n}", CLOCK) for n in range(4)),
    *((f"b{n}", NOON) for n in range(3)),
    *((f"c{n}", WORD) for n in range(2)),
]
UPDATED = """"updatedAt" = clock_timestamp() AT TIME ZONE 'UTC'"""
FORGE = "UPDATE ojeon.batches SET writer = pg_current_xact_id()::xid::text WHERE batch = 1"
Begin = Callable[..., Move]


@pytest.fixture
def begin(database: str, tmp_path: Path) -> Begin:
    """Make the table, extract it and seal a plan for it."""

    def started(fills: tuple[str, ...] = ALL, change: str = "", table: str = TABLE) -> Move:
        with psycopg.connect(database, autocommit=True) as owner:
            owner.execute(table)
            with owner.cursor() as cursor:
                cursor.executemany('INSERT INTO reservations (id, "preferredTime") VALUES (%s, %s)', ROWS)
            owner.execute(
                """INSERT INTO reservations (id, "preferredTime", period)
                VALUES ('set', '오후', 'MORNING'), ('any', '아무때나', NULL), ('none', NULL, NULL)"""
            )
            owner.execute(change)
        folder = seal(tmp_path / "run-1", database)
        with open_workbench(folder) as workbench:
            extract(read_address(database), workbench, TableNames())
        return Move(database, folder, fills)

    return started


def verified(move: Move) -> VerifyReport:
    report = verify(read_address(move.url), move.folder)
    for fates in report.fates:
        assert fates.rows == report.rows
    return report


def fates(report: VerifyReport, fill: str = "period") -> dict[str, tuple[int, int]]:
    [found] = [fates for fates in report.fates if fates.fill == fill]
    counts = {fate: (known, found.arrived[fate]) for fate, known in found.known.items()}
    return {fate: both for fate, both in counts.items() if any(both)}


def findings(report: VerifyReport, *, fail: bool) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.ids for finding in report.findings if finding.fails is fail}


def broken(report: VerifyReport) -> set[str]:
    assert Status.NOT_EVALUATED not in {result.status for result in report.suite.results}
    return {result.law for result in report.suite.results if result.status is Status.FAILED}


def at_once(move: Move, *statements: str | sql.Composed) -> None:
    """Run the statements in one transaction."""
    with psycopg.connect(move.url) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_clean_apply_passes(begin: Begin) -> None:
    move = begin()
    move.apply()
    report = verified(move)
    assert (report.passed, report.state, report.rows, report.notices) == (True, "applied", 12, ())
    assert report.findings == ()
    assert fates(report) == {"filled": (9, 0), "set_by_others": (1, 0), "left_empty": (2, 0)}
    assert fates(report, "slot") == {"filled": (7, 0), "left_empty": (5, 0)}
    assert fates(report, "service") == {"filled": (12, 0)}
    assert broken(report) == set()


def test_an_undone_run_verifies_as_it_was_at_extract(begin: Begin) -> None:
    move = begin()
    before = move.snapshot()
    move.apply()
    move.undo()
    assert move.snapshot() == before
    report = verified(move)
    assert (report.passed, report.state, report.findings) == (True, "undone", ())
    assert fates(report) == {"waiting": (9, 0), "set_by_others": (1, 0), "left_empty": (2, 0)}
    move.apply()
    assert verified(move).passed
    assert fates(verified(move))["filled"] == (9, 0)


def test_a_run_that_has_not_begun_misses_nothing(begin: Begin) -> None:
    move = begin(("period",))
    with move.worker():
        pass  # registers
    report = verified(move)
    assert (report.passed, report.state) == (True, "planned")
    assert fates(report)["waiting"] == (9, 0)
    assert "planned: rows that still wait" in report.notices[0]


@pytest.mark.parametrize("fills", [("period",), ("service",), ("period", "slot"), ("service", "period")], ids="+".join)
def test_only_what_is_filled_is_answered_for(begin: Begin, fills: tuple[str, ...]) -> None:
    move = begin(fills)
    move.apply()
    report = verified(move)
    assert report.passed
    assert {found.fill for found in report.fates} == set(fills)


def test_what_the_application_did_is_listed_and_passes(begin: Begin) -> None:
    move = begin()
    at_once(
        move,
        f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'a0'",
        f"UPDATE reservations SET \"preferredTime\" = '14:00', {UPDATED} WHERE id = 'a1'",
        f"UPDATE reservations SET period = 'AFTERNOON', {UPDATED} WHERE id = 'b0'",
        "DELETE FROM reservations WHERE id = 'b1'",
        """INSERT INTO reservations (id, "preferredTime") VALUES ('new1', '14:00'), ('new2', '글쎄요')""",
    )
    move.apply()
    at_once(
        move,
        f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'a2'",
        f"UPDATE reservations SET period = 'AFTERNOON', {UPDATED} WHERE id = 'a3'",
        f"UPDATE reservations SET period = NULL, {UPDATED} WHERE id = 'b2'",
        "DELETE FROM reservations WHERE id = 'c0'",
        "UPDATE reservations SET id = id WHERE id = 'c1'",
        """INSERT INTO reservations (id, "preferredTime") VALUES ('new3', '14:00'), ('new4', '글쎄요')""",
    )
    report = verified(move)
    assert (report.passed, broken(report), findings(report, fail=True)) == (True, set(), {})
    assert fates(report) == {
        "filled": (2, 1),
        "changed_since": (4, 0),
        "set_by_others": (2, 0),
        "came_late": (0, 1),
        "left_empty": (2, 2),
    }
    assert findings(report, fail=False) == {
        "changed_since": ("a2", "a3", "b2", "c1"),
        "written_again": ("c1",),
        "changed_by_application": ("a0", "a1", "a2", "a3", "b0", "b2"),
        "set_since": ("b0",),
        "came_late": ("new3", "new4"),
        "deleted": ("b1", "c0"),
    }


def test_a_period_that_the_application_took_back_before_may_be_filled(begin: Begin) -> None:
    move = begin(("period",))
    at_once(move, f"UPDATE reservations SET period = NULL, {UPDATED} WHERE id = 'set'")
    move.apply()
    report = verified(move)
    assert report.passed
    assert fates(report)["filled"] == (10, 0)


def test_what_undo_left_alone_is_listed(begin: Begin) -> None:
    move = begin(("period",))
    move.apply()
    at_once(move, f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'a2'")
    assert move.undo().left_alone == 1
    report = verified(move)
    assert report.passed
    assert fates(report)["changed_since"] == (1, 0)
    assert findings(report, fail=False) == {"changed_since": ("a2",), "changed_by_application": ("a2",)}


def test_a_service_that_was_edited_since_is_listed(begin: Begin) -> None:
    move = begin()
    move.apply()
    at_once(move, "UPDATE services SET name = 'Body and soul' WHERE code = 'BODY'")
    report = verified(move)
    assert report.passed
    assert list(findings(report, fail=False)) == ["service_edited"]


def test_rows_that_the_trigger_filled_are_told_apart(begin: Begin) -> None:
    move = begin()
    with move.worker() as worker:
        install(worker.session, read_plan(move.folder, max_age=timedelta(days=1)), ALL)
    move.apply()
    at_once(
        move,
        """INSERT INTO reservations (id, "preferredTime") VALUES ('new1', '14:00'), ('new2', '글쎄요')""",
        """INSERT INTO reservations (id, "preferredTime", service) VALUES ('new3', '글쎄요', NULL)""",
        f"UPDATE reservations SET \"preferredTime\" = '14:00', {UPDATED} WHERE id = 'any'",
    )
    report = verified(move)
    assert report.passed
    assert fates(report)["dual_written"] == (1, 1)
    assert fates(report, "slot")["dual_written"] == (1, 1)
    assert fates(report, "service")["dual_written"] == (0, 2)
    move.apply()  # what the trigger filled is entered into the ledger
    report = verified(move)
    assert report.passed
    assert fates(report) == {"filled": (10, 1), "set_by_others": (1, 0), "left_empty": (1, 2)}
    at_once(move, "DROP TRIGGER zz_ojeon_dual_write ON reservations")
    move.undo()
    report = verified(move)
    assert report.passed
    assert fates(report)["waiting"] == (10, 1)


def test_what_the_trigger_filled_and_the_application_changed_is_listed(begin: Begin) -> None:
    move = begin(("period",))
    with move.worker() as worker:
        install(worker.session, read_plan(move.folder, max_age=timedelta(days=1)), ("period",))
    at_once(move, """INSERT INTO reservations (id, "preferredTime") VALUES ('new1', '14:00')""")
    at_once(move, f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'new1'")
    assert fates(verified(move))["set_by_others"] == (1, 1)
    move.apply()
    report = verified(move)
    assert report.passed
    assert fates(report)["changed_since"] == (0, 1)


def test_a_line_that_gave_rows_away_to_a_later_batch_is_no_undo(begin: Begin) -> None:
    move = begin()
    move.apply()
    at_once(
        move,
        f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'a0'",
        FORGE,
        "UPDATE ojeon.batches SET undone = 1, changed = changed + 1 WHERE 'c0' = ANY (ids)",
    )
    report = verified(move)
    assert (broken(report), findings(report, fail=True)) == (set(), {})


def test_rows_that_come_after_an_apply_with_nothing_to_do_are_not_missed(begin: Begin) -> None:
    move = begin(("period",), change="DELETE FROM reservations")
    assert move.apply().batches == 1
    at_once(move, """INSERT INTO reservations (id, "preferredTime") VALUES ('new', '14:00')""")
    report = verified(move)
    assert report.passed
    assert fates(report) == {"came_late": (0, 1)}


def test_what_two_batches_filled_in_one_row_stands(begin: Begin) -> None:
    move = begin(("period", "service"))
    at_once(move, """UPDATE reservations SET "serviceName" = 'to be told' WHERE id = 'a0'""")
    move.apply()
    at_once(move, f"""UPDATE reservations SET "serviceName" = NULL, {UPDATED} WHERE id = 'a0'""")
    move.apply()
    report = verified(move)
    assert report.passed
    assert fates(report)["filled"] == (9, 0)
    at_once(move, f"UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'a0'; {FORGE.replace('= 1', '= 2')}")
    report = verified(move)
    assert report.passed
    assert fates(report)["changed_since"] == (1, 0)


def test_a_wrong_value_of_the_trigger_is_found(begin: Begin) -> None:
    move = begin(("period",))
    with move.worker() as worker:
        install(worker.session, read_plan(move.folder, max_age=timedelta(days=1)), ("period",))
    at_once(move, "UPDATE ojeon.plan SET period = 'MORNING' WHERE raw = '14:00'")
    at_once(move, """INSERT INTO reservations (id, "preferredTime") VALUES ('new1', '14:00')""")
    at_once(move, "UPDATE ojeon.plan SET period = 'AFTERNOON' WHERE raw = '14:00'")
    report = verified(move)
    assert findings(report, fail=True) == {"wrong_period": ("new1",)}


TRIGGER = """
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body}; RETURN NEW; END$$;
CREATE TRIGGER meddle {when} UPDATE ON reservations FOR EACH ROW EXECUTE FUNCTION meddle();
"""


def live_in(move: Move, zone: str) -> None:
    """Let every new session be in a time zone."""
    name = sql.Identifier(psycopg.conninfo.conninfo_to_dict(move.url)["dbname"])
    at_once(move, sql.SQL("ALTER DATABASE {} SET timezone = {}").format(name, sql.Literal(zone)))


@pytest.mark.parametrize(
    ("body", "zone"),
    [
        ("NEW.notes := NEW.notes || '!'", "UTC"),
        ('NEW."updatedAt" := now()', "UTC"),
        ('NEW."updatedAt" := now()', "Asia/Seoul"),
        ('NEW."updatedAt" := clock_timestamp()', "Asia/Seoul"),
        ("NEW.\"updatedAt\" := now() AT TIME ZONE 'UTC'", "Asia/Seoul"),
        ("NEW.notes := 'x'; NEW.\"updatedAt\" := statement_timestamp()", "UTC"),
    ],
)
def test_a_trigger_that_touches_another_column_fails(begin: Begin, body: str, zone: str) -> None:
    move = begin(change=TRIGGER.format(body=body, when="BEFORE"))
    live_in(move, zone)
    move.apply()
    report = verified(move)
    assert not report.passed
    assert broken(report) == {"old_columns_kept"}
    assert findings(report, fail=True) == {
        "altered": tuple(sorted([row_id for row_id, _ in ROWS] + ["any", "none", "set"]))
    }


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul"])
def test_a_trigger_that_is_gone_again_has_left_its_moment(begin: Begin, zone: str) -> None:
    move = begin(change=TRIGGER.format(body='NEW."updatedAt" := now()', when="BEFORE"))
    live_in(move, zone)
    move.apply()
    at_once(move, "DROP TRIGGER meddle ON reservations")
    assert broken(verified(move)) == {"old_columns_kept"}


def test_a_trigger_that_meddles_with_an_undo_fails(begin: Begin) -> None:
    move = begin(("period",))
    move.apply()
    at_once(move, TRIGGER.format(body='NEW."updatedAt" := now()', when="BEFORE"))
    move.undo()
    report = verified(move)
    assert broken(report) == {"old_columns_kept"}
    assert findings(report, fail=True) == {"altered": tuple(row_id for row_id, _ in ROWS)}


@pytest.mark.parametrize(
    ("trigger", "passes"),
    [
        ("", True),
        (TRIGGER.format(body="NULL", when="AFTER"), False),
        ("CREATE SCHEMA ojeon;" + TRIGGER.format(body="NULL", when="AFTER").replace("meddle()", "ojeon.help()"), True),
        (TRIGGER.format(body="NULL", when="AFTER") + "ALTER TABLE reservations DISABLE TRIGGER meddle", True),
    ],
    ids=["no trigger", "a trigger", "ours", "a disabled one"],
)
def test_a_change_within_the_batch_is_the_applications_where_no_trigger_is(
    begin: Begin, trigger: str, *, passes: bool
) -> None:
    """The application may have committed between the begin of our transaction and our statement."""
    move = begin(("period",), change=trigger)
    move.apply()
    at_once(
        move,
        "UPDATE ojeon.batches SET finished_at = started_at + interval '100 ms'",
        "UPDATE reservations SET notes = 'loud', \"updatedAt\" = "
        "(SELECT min(started_at + interval '50 ms') AT TIME ZONE 'UTC' FROM ojeon.batches) WHERE id = 'a0'",
        FORGE,
    )
    report = verified(move)
    assert report.passed is passes
    assert findings(report, fail=not passes)["changed_by_application" if passes else "altered"] == ("a0",)


def test_fingerprints_do_not_depend_on_the_session(begin: Begin) -> None:
    column = "since tstzrange DEFAULT '[2026-01-01 00:00Z,)', took interval DEFAULT '90 min', share float8 DEFAULT 0.1"
    move = begin(("period",), table=TABLE.replace("notes text", f"{column}, notes text"))
    name = sql.Identifier(psycopg.conninfo.conninfo_to_dict(move.url)["dbname"])
    settings = {"timezone": "Asia/Seoul", "intervalstyle": "iso_8601", "extra_float_digits": "-3"}
    for setting, value in settings.items():
        set_it = "ALTER DATABASE {} SET {} = {}"
        at_once(move, sql.SQL(set_it).format(name, sql.Identifier(setting), sql.Literal(value)))
    move.apply()
    assert verified(move).passed


def test_fingerprints_of_another_server_version_are_not_compared(begin: Begin) -> None:
    move = begin(("period",))
    move.apply()
    with open_workbench(move.folder) as workbench:
        workbench.execute('UPDATE facts SET value = replace(value, \'"server_version": "\', \'"server_version": "1\')')
    assert broken(verified(move)) == {"old_columns_compared"}


def test_without_the_moment_of_the_last_change_nobody_can_tell(begin: Begin) -> None:
    move = begin(("period",), table=TABLE.replace("\"updatedAt\" timestamp(3) DEFAULT '2026-01-01',", ""))
    at_once(move, "UPDATE reservations SET notes = 'loud' WHERE id IN ('a0', 'any')")
    at_once(move, """UPDATE reservations SET "preferredTime" = '14:00' WHERE id = 'a1'""")
    move.apply()
    report = verified(move)
    assert findings(report, fail=True) == {"altered": ("a0", "a1")}
    assert findings(report, fail=False) == {"changed_by_application": ("any",)}
    assert "names.updated_at" in report.notices[0]


PLANTED: dict[str, tuple[str, set[str], dict[str, tuple[str, ...]]]] = {
    "a period written over in our transaction": (
        f"UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'a0'; {FORGE}",
        {"periods_as_decided"},
        {"wrong_period": ("a0",)},
    ),
    "a period for a text that is not planned": (
        f"""UPDATE reservations SET "preferredTime" = '글쎄요', {UPDATED} WHERE id = 'a0'; {FORGE}""",
        {"periods_as_decided", "slots_as_decided"},
        {"wrong_period": ("a0",), "wrong_slot": ("a0",)},
    ),
    "a start that was not decided": (
        f"""UPDATE reservations SET "timeSlotStart" = '11:00' WHERE id = 'a0'; {FORGE}""",
        {"slots_as_decided"},
        {"wrong_slot": ("a0",)},
    ),
    "another service": (
        f"""UPDATE reservations SET "serviceId" = 's2' WHERE id = 'any'; {FORGE}""",
        {"services_by_code"},
        {"wrong_service": ("any",)},
    ),
    "another duration": (
        f"""UPDATE reservations SET "estimatedDuration" = 30 WHERE id = 'any'; {FORGE}""",
        {"services_by_code"},
        {"wrong_service": ("any",)},
    ),
    "a period of the application overwritten": (
        f"""UPDATE reservations SET period = 'AFTERNOON' WHERE id = 'set'; {FORGE};
        UPDATE ojeon.batches SET filled = filled || '{{period}}' WHERE 'set' = ANY (ids)""",
        {"nothing_overwritten"},
        {"overwritten": ("set",)},
    ),
    "a row written beside the ids of the line": (
        f"""INSERT INTO reservations (id, "preferredTime", service) VALUES ('new', '글쎄요', NULL); {FORGE}""",
        {"writes_claimed"},
        {"unclaimed": ("new",)},
    ),
    "an id in two lines": (
        """INSERT INTO ojeon.batches (run_id, batch, variant, filled, writer, ids, changed)
        SELECT run_id, 2, variant, filled, '3', '{a0}', 1 FROM ojeon.batches WHERE 'a0' = ANY (ids);
        UPDATE ojeon.runs SET batches = 2""",
        {"claimed_once"},
        {"claimed_twice": ("a0",)},
    ),
    "an id twice in a line": (
        """UPDATE ojeon.batches SET ids = ids || '{a0}', changed = changed + 1 WHERE 'a0' = ANY (ids)""",
        {"claimed_once"},
        {"claimed_twice": ("a0",)},
    ),
    "a row too many in a line's count": (
        "UPDATE ojeon.batches SET changed = changed + 1 WHERE 'a0' = ANY (ids)",
        {"lines_add_up", "ledger_adds_up"},
        {},
    ),
    "counts that are wrong and add up": (
        """UPDATE ojeon.batches SET changed = changed + 1 WHERE 'a0' = ANY (ids);
        UPDATE ojeon.batches SET changed = changed - 1 WHERE 'c0' = ANY (ids)""",
        {"lines_add_up"},
        {},
    ),
    "a line of a column that no move fills": (
        "UPDATE ojeon.batches SET filled = filled || '{notes}' WHERE 'a0' = ANY (ids)",
        {"lines_add_up"},
        {},
    ),
    "a line that the run does not know of": ("UPDATE ojeon.runs SET batches = 0", {"lines_add_up"}, {}),
    "a text that joined the plan": (
        "INSERT INTO ojeon.plan (run_id, raw, period) VALUES ('run-1', '글쎄요', 'MORNING')",
        {"plan_as_decided"},
        {},
    ),
    "a text that left the plan": ("DELETE FROM ojeon.plan WHERE raw = '오후'", {"plan_as_decided"}, {}),
    "another table": ("UPDATE ojeon.runs SET target_oid = target_oid::bigint::int + 1", {"same_table"}, {}),
    "another plan": ("UPDATE ojeon.runs SET plan_sha256 = 'x'", {"plan_unedited"}, {}),
    "a period that is none": (
        f"UPDATE reservations SET period = 'EVENING', {UPDATED} WHERE id = 'any'",
        {"periods_known"},
        {},
    ),
    "an old column that is gone": ("ALTER TABLE reservations DROP notes", {"old_columns_compared"}, {}),
    "an old column of another type": (
        "ALTER TABLE reservations ALTER notes TYPE varchar(99)",
        {"old_columns_compared"},
        {},
    ),
    "an undo that was none": ("UPDATE ojeon.runs SET state = 'undone'", {"undone_is_whole"}, {}),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(begin: Begin, planted: str) -> None:
    statements, laws, ids = PLANTED[planted]
    move = begin()
    move.apply()
    at_once(move, statements)
    report = verified(move)
    assert not report.passed
    assert broken(report) == laws
    found = findings(report, fail=True)
    assert found == ids


def test_a_row_that_apply_should_have_seen_is_missed(begin: Begin) -> None:
    move = begin(("period",))
    with psycopg.connect(move.url) as slow:
        slow.execute("""INSERT INTO reservations (id, "preferredTime") VALUES ('slow', '14:00')""")
        move.apply()
        slow.commit()
    report = verified(move)
    assert broken(report) == {"none_missed"}
    assert findings(report, fail=True) == {"missed": ("slow",)}
    move.apply()
    assert verified(move).passed


def test_a_row_that_undo_did_not_empty_is_found(begin: Begin) -> None:
    move = begin(("period",))
    move.apply()
    move.undo()
    at_once(
        move, "UPDATE reservations SET period = 'MORNING' WHERE id = 'a0'", "UPDATE ojeon.batches SET undone = undone"
    )
    report = verified(move)
    assert broken(report) == {"undone_is_empty"}
    assert findings(report, fail=True) == {"not_emptied": ("a0",)}


def test_every_kind_of_failure_and_every_law_is_planted_somewhere() -> None:
    planted = {kind for _, _, ids in PLANTED.values() for kind in ids} | {"altered", "missed", "not_emptied"}
    assert planted == {kind.name for kind in KINDS if kind.fails}
    laws = {law for _, found, _ in PLANTED.values() for law in found}
    laws |= {"old_columns_kept", "none_missed", "undone_is_empty"}
    # What only a fault of this very program could break.
    laws |= {"rows_accounted", "rows_all_read", "periods_all_read", "ids_unique", "extract_accounted"}
    assert laws == {expectation["meta"]["law"] for expectation in load_suite("applied")["expectations"]}


def test_a_file_of_the_plan_that_was_edited_is_found(begin: Begin) -> None:
    move = begin()
    move.apply()
    (move.folder / "updates.sql").write_text("DROP TABLE reservations", encoding="utf-8")
    assert broken(verified(move)) == {"plan_unedited"}


def test_many_are_counted_and_a_few_are_named(begin: Begin) -> None:
    many = "SELECT 'n' || n, '오후' FROM generate_series(100, 199) n"
    move = begin(("period",), change=f'INSERT INTO reservations (id, "preferredTime") {many}')
    at_once(move, "DELETE FROM reservations WHERE id LIKE 'n1%'")
    move.apply()
    [deleted] = verified(move).findings
    assert (deleted.kind, deleted.rows, len(deleted.ids), deleted.ids[0]) == ("deleted", 100, SHOWN, "n100")


def test_an_increment_of_the_plan_counts(begin: Begin) -> None:
    move = begin(("period",))
    with move.worker():
        pass
    at_once(
        move,
        "INSERT INTO ojeon.plan (run_id, raw, period, increment) VALUES ('run-1', '글쎄요', 'MORNING', 1)",
        """INSERT INTO reservations (id, "preferredTime") VALUES ('new', '글쎄요')""",
    )
    move.apply()
    report = verified(move)
    assert report.passed
    assert fates(report)["filled"] == (9, 1)


def test_columns_that_came_later_are_not_compared(begin: Begin) -> None:
    move = begin()
    move.apply()
    at_once(move, "ALTER TABLE reservations ADD room text")
    report = verified(move)
    assert report.passed
    assert report.notices == ("Not compared, for the columns were not read at extract: room.",)


def test_the_database_is_only_read_and_the_report_kept(begin: Begin) -> None:
    move = begin()
    move.apply()
    at_once(move, f"UPDATE reservations SET notes = 'loud', {UPDATED} WHERE id = 'a0'")
    before = move.snapshot(), move.execute("SELECT b::text, b.xmin FROM ojeon.batches b ORDER BY 1")
    report = verified(move)
    assert (move.snapshot(), move.execute("SELECT b::text, b.xmin FROM ojeon.batches b ORDER BY 1")) == before
    assert manifest.verify_files(move.folder) == []
    kept = json.loads(report.path.read_text(encoding="utf-8"))
    assert (kept["verdict"], kept["run"], kept["rows"]) == ("passed", "run-1", 12)
    assert kept["fates"]["period"]["known"]["changed_since"] == 1
    assert {finding["kind"]: finding["ids"] for finding in kept["findings"]} == findings_as_json(report)
    assert not any(text in report.path.read_text(encoding="utf-8") for text in (CLOCK, "loud", "quiet", "아무때나"))


def findings_as_json(report: VerifyReport) -> dict[str, list[str]]:
    return {finding.kind: list(finding.ids) for finding in report.findings}


def test_the_terminal_shows_the_verdict_and_ids_as_they_can_be_shown(begin: Begin) -> None:
    move = begin()
    move.apply()
    at_once(move, "UPDATE reservations SET id = E'\\e[31mred [bold]' WHERE id = 'a0'")
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(verify_table(verified(move)))
    text = console.export_text()
    assert "together 12 of 12 rows" in text
    assert "passed: all 22 laws hold" in text
    assert "\x1b" not in text
    at_once(move, "UPDATE ojeon.runs SET plan_sha256 = 'x'")
    console.print(verify_table(verified(move)))
    text = console.export_text()
    assert "FAILED: something is off" in text
    assert "The run's folder is as its run left it" in text


def test_the_command(begin: Begin) -> None:
    move = begin(("period",))
    move.apply()
    command = ["verify", str(move.folder), "--database-url", move.url]
    said = CliRunner().invoke(app, command)
    assert (said.exit_code, "together 12 of 12 rows" in said.stdout) == (0, True)
    at_once(move, "UPDATE ojeon.runs SET plan_sha256 = 'x'")
    said = CliRunner().invoke(app, [*command, "--json"])
    assert (said.exit_code, json.loads(said.stdout)["verdict"]) == (1, "failed")


def test_refusals(begin: Begin) -> None:
    move = begin()
    with pytest.raises(UsageError, match="knows nothing of the run run-1"):
        verify(read_address(move.url), move.folder)
    move.apply()
    with duckdb.connect(move.folder / "workbench.duckdb") as workbench:
        workbench.execute("DROP TABLE facts")
    with pytest.raises(RunError, match="cannot be read"):
        verify(read_address(move.url), move.folder)
    (move.folder / "workbench.duckdb").unlink()
    with pytest.raises(RunError, match="cannot be read"):
        verify(read_address(move.url), move.folder)
