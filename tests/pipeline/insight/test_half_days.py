from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parsers.policy import Policy, Slot
from parsers.types import Period
from pipeline.errors import RunError, UsageError
from pipeline.insight.half_days import HalfDay, busiest, mean_week, read_capacity

POLICY = Policy(slots=(Slot(1, 540, 600), Slot(1, 630, 720), Slot(1, 840, 1080), Slot(6, 690, 780)))
MONDAY, SATURDAY, SUNDAY = date(2026, 1, 5), date(2026, 1, 10), date(2026, 1, 11)


def write(folder: Path, *lines: tuple, stamp="1") -> Path:
    names = ("day", "period", "by_run", "status", "bookings", "timed", "minutes")
    (folder / "moves").mkdir(exist_ok=True)
    path = folder / "moves" / f"capacity-{stamp}.parquet"
    pq.write_table(pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in lines]), path)
    return path


def test_minutes_are_told_apart_by_what_made_them_known(tmp_path):
    write(
        tmp_path,
        (MONDAY, "MORNING", False, "CONFIRMED", 1, 1, 30),
        (MONDAY, "MORNING", True, "PENDING", 2, 2, 80),
        (MONDAY, "MORNING", True, "CANCELLED", 9, 9, 900),
        (MONDAY, "AFTERNOON", True, None, 2, 1, 60),
        (MONDAY, None, False, "PENDING", 3, 3, 45),
        (MONDAY, "AFTERNOON", True, "PENDING", 2, 0, None),
        (SATURDAY, "MORNING", True, "PENDING", 1, 1, 40),
        (SATURDAY, "AFTERNOON", True, "PENDING", 1, 1, 25),
        (SUNDAY, "MORNING", False, "PENDING", 1, 1, 15),
        (None, "MORNING", False, "PENDING", 1, 1, 999),
    )
    found = read_capacity(tmp_path, POLICY)
    assert set(found.half_days) == {
        HalfDay(1, Period.MORNING, 150, 30, 80, MONDAY),
        HalfDay(1, Period.AFTERNOON, 240, 0, 60, MONDAY),
        HalfDay(6, Period.MORNING, 90, 0, 40, MONDAY),
    }
    assert (found.unplaced, found.closed, found.untimed) == (45, 40, 3)
    whole = 30 + 80 + 60 + 40 + 45 + 40
    assert (found.placed_before, found.placed_after) == (pytest.approx(30 / whole), pytest.approx(210 / whole))
    [morning] = [half for half in found.half_days if half.offered == 150]
    assert (morning.before, morning.after) == (pytest.approx(0.2), pytest.approx(110 / 150))


def test_rooms_offer_more_and_statuses_are_the_analysts_to_say(tmp_path):
    write(tmp_path, (MONDAY, "MORNING", True, "CANCELLED", 1, 1, 30), (MONDAY, "MORNING", True, "NO_SHOW", 1, 1, 50))
    [half] = read_capacity(tmp_path, POLICY, rooms=3, free=("NO_SHOW",)).half_days
    assert (half.offered, half.filled) == (450, 30)


def test_the_last_verification_counts(tmp_path):
    write(tmp_path, (MONDAY, "MORNING", True, "PENDING", 1, 1, 10), stamp="20260101-000000-000001")
    write(tmp_path, (MONDAY, "MORNING", True, "PENDING", 1, 1, 20), stamp="20260102-000000-000001")
    [half] = read_capacity(tmp_path, POLICY).half_days
    assert half.filled == 20


def test_nothing_booked(tmp_path):
    write(tmp_path, (MONDAY, None, False, "CANCELLED", 1, 1, 10))
    found = read_capacity(tmp_path, POLICY)
    assert (found.half_days, found.placed_before, found.placed_after) == ((), 0, 0)
    assert busiest(found.half_days, 4) == mean_week(()) == ()
    assert HalfDay(1, Period.MORNING, 0, 10, 10).after == 0


def test_sentences_where_there_is_no_file_or_no_such_file(tmp_path):
    with pytest.raises(UsageError, match="run: ojeon verify "):
        read_capacity(tmp_path, POLICY)
    path = write(tmp_path, (MONDAY, None, False, None, 1, 1, 10))
    path.write_bytes(b"PAR1 not")
    with pytest.raises(RunError, match=r"cannot be read .*: ojeon verify "):
        read_capacity(tmp_path, POLICY)


def half(week: int, minutes: float, period: Period = Period.MORNING, weekday: int = 1) -> HalfDay:
    return HalfDay(weekday, period, 100, minutes / 2, minutes / 2, MONDAY + timedelta(weeks=week))


def test_the_busiest_weeks_lie_in_a_row():
    half_days = [half(0, 90), half(1, 10), half(5, 60), half(6, 50), half(7, 1), half(60, 95)]
    assert busiest(half_days, 2) == (half_days[2], half_days[3])
    assert busiest(half_days, 1) == (half_days[5],)
    assert set(busiest(half_days, 100)) == set(half_days)


def test_the_mean_week_goes_from_morning_to_afternoon_and_from_monday_on():
    half_days = [
        half(0, 30, weekday=2),
        half(0, 10, Period.AFTERNOON),
        half(0, 20),
        half(1, 60),
    ]
    assert mean_week(half_days) == (
        HalfDay(1, Period.MORNING, 100, 20, 20),
        HalfDay(1, Period.AFTERNOON, 100, 5, 5),
        HalfDay(2, Period.MORNING, 100, 15, 15),
    )
