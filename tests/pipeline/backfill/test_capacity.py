"""Half-days added up by real PostgreSQL, held against the rows themselves."""

from datetime import date
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from live_move import Move, seal

from pipeline.address import read_address
from pipeline.backfill import capacity
from pipeline.backfill.verify import verify
from pipeline.extract import extract
from pipeline.settings import TableNames
from pipeline.workbench import open_workbench

TABLE = """
CREATE TABLE services (
    id text PRIMARY KEY, code text UNIQUE, name text, "durationMinutes" int, "bufferMinutes" int
);
INSERT INTO services VALUES ('s1', 'BODY', 'Body care', 30, 10), ('s2', 'SKIN', 'Skin care', 20, 5);
CREATE TABLE reservations (
    id text PRIMARY KEY, "preferredTime" text, "preferredDate" date, "updatedAt" timestamp(3), status text,
    service text, period text, "timeSlotStart" varchar(5), "serviceId" text, "serviceName" text,
    "estimatedDuration" int
);
INSERT INTO reservations (id, "preferredTime", "preferredDate", status, service, period, "estimatedDuration") VALUES
    ('a', '오전 10시', '2026-01-05', 'PENDING', 'BODY', NULL, NULL),
    ('b', '오전 10시', '2026-01-05', 'PENDING', 'SKIN', NULL, NULL),
    ('c', '14:00', '2026-01-05', 'CANCELLED', 'BODY', NULL, 7),
    ('d', '오전 10시', '2026-01-05', 'PENDING', 'BODY', 'MORNING', NULL),
    ('e', '아무때나', '2026-01-06', NULL, 'NOBODY', NULL, NULL),
    ('f', '14:00', 'infinity', 'PENDING', 'BODY', NULL, NULL)
"""
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


@pytest.fixture
def move(database: str, tmp_path: Path) -> Move:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute(TABLE)
    folder = seal(tmp_path / "run-1", database)
    with open_workbench(folder) as workbench:
        extract(read_address(database), workbench, TableNames())
    return Move(database, folder)


def kept(move: Move) -> dict[tuple, tuple]:
    """What was added up: by day, period, whether the run placed it and status; bookings, timed ones and minutes."""
    path = move.folder / "moves" / "capacity-1.parquet"
    assert capacity.keep(read_address(move.url), TableNames(), "run-1", path) is None
    lines = (tuple(line.values()) for line in pq.read_table(path).to_pylist())
    return {line[:4]: line[4:] for line in lines}


BEFORE = {
    (MONDAY, None, False, "PENDING"): (2, 2, 65),
    (MONDAY, None, False, "CANCELLED"): (1, 1, 7),
    (MONDAY, "MORNING", False, "PENDING"): (1, 1, 40),
    (TUESDAY, None, False, None): (1, 0, None),
    (None, None, False, "PENDING"): (1, 1, 40),
}


def test_before_during_after_and_undone(move):
    with move.worker():
        assert kept(move) == BEFORE
    move.apply()
    assert kept(move) == {
        (MONDAY, "MORNING", True, "PENDING"): (2, 2, 65),
        (MONDAY, "AFTERNOON", True, "CANCELLED"): (1, 1, 7),
        (MONDAY, "MORNING", False, "PENDING"): (1, 1, 40),
        (TUESDAY, None, False, None): (1, 0, None),
        (None, "AFTERNOON", True, "PENDING"): (1, 1, 40),
    }
    move.undo()
    assert kept(move) == BEFORE


def test_what_the_application_writes_later_leaves_a_row_the_runs(move):
    move.apply()
    move.execute("UPDATE reservations SET status = 'CONFIRMED' WHERE id = 'a'")
    late = "'g', '10:00', '2026-01-05', now(), 'PENDING', 'SKIN', 'MORNING'"
    move.execute(f"INSERT INTO reservations VALUES ({late})")
    found = kept(move)
    assert found[MONDAY, "MORNING", True, "CONFIRMED"] == (1, 1, 40)
    assert found[MONDAY, "MORNING", True, "PENDING"] == (1, 1, 25)
    assert found[MONDAY, "MORNING", False, "PENDING"] == (2, 2, 65)


def test_services_and_statuses_may_be_missing(move):
    move.apply()
    move.execute("DROP TABLE services")
    move.execute("ALTER TABLE reservations DROP status")
    assert kept(move)[MONDAY, "MORNING", True, None] == (2, 0, None)
    move.execute('ALTER TABLE reservations DROP "estimatedDuration"')
    assert kept(move)[MONDAY, "AFTERNOON", True, None] == (1, 0, None)


def test_a_table_without_days_has_no_half_days(move):
    path = move.folder / "moves" / "capacity-1.parquet"
    move.apply()
    move.execute('ALTER TABLE reservations DROP "preferredDate"')
    assert capacity.keep(read_address(move.url), TableNames(), "run-1", path) is None
    assert not path.exists()


def test_nothing_of_a_verification_hangs_on_it(move):
    move.apply()
    report = verify(read_address(move.url), move.folder)
    stamp = report.path.stem.removeprefix("verify-")
    assert (report.passed, report.notices) == (True, ())
    assert pq.read_table(move.folder / "moves" / f"capacity-{stamp}.parquet").num_rows == 5
    move.execute("""ALTER TABLE reservations ALTER "estimatedDuration" TYPE text""")
    [notice] = [notice for notice in verify(read_address(move.url), move.folder).notices if "half-days" in notice]
    assert notice.startswith("The half-days were not added up: ")
