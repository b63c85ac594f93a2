from pathlib import Path

import pytest
from filled_workbench import Line, auto, fill

from parsers.policy import Policy, Slot
from pipeline.period_split import MONTHS, Halves, PeriodSplit, split_by_period
from pipeline.workbench import open_workbench


def _split(folder: Path, lines: list[Line], *, more: str = "", policy: Policy | None = None) -> PeriodSplit:
    with open_workbench(folder) as workbench:
        fill(workbench, lines)
        if more:
            workbench.execute(more)
        return split_by_period(workbench, policy or Policy())


def test_counts_planned_rows_alone(tmp_path: Path) -> None:
    lines = [
        auto("10시", 5, "MORNING", already_set=2),
        auto("오후", 4, "AFTERNOON", date="2025-11-01"),
        Line("밤", 9, period="AFTERNOON"),
    ]
    split = _split(tmp_path, lines)
    assert split.halves == Halves(3, 4)
    assert split.months == (("2025-10", Halves(3, 0)), ("2025-11", Halves(0, 4)))
    assert [day.halves for day in split.weekdays] == [*[Halves()] * 3, Halves(3, 0), Halves(), Halves(0, 4), Halves()]


def test_only_the_last_months_are_told_one_by_one(tmp_path: Path) -> None:
    months = [f"{2020 + number // 12}-{number % 12 + 1:02}" for number in range(MONTHS + 3)]
    split = _split(tmp_path, [auto(f"{month} 3시", 2, "AFTERNOON", date=f"{month}-15") for month in months])
    assert [month for month, _ in split.months] == months[3:]
    assert split.earlier == Halves(0, 6)


@pytest.mark.parametrize("date", ["NULL", "'infinity'", "'-infinity'"])
def test_rows_without_a_date_of_any_month_are_counted_apart(tmp_path: Path, date: str) -> None:
    update = f"UPDATE reservations SET preferred_date = {date}::DATE WHERE raw = '오전'"
    split = _split(tmp_path, [auto("오전", 3, "MORNING"), auto("오후", 4, "AFTERNOON")], more=update)
    assert split.undated == Halves(3, 0)
    assert split.halves == Halves(3, 4)
    assert sum(day.halves.rows for day in split.weekdays) == sum(halves.rows for _, halves in split.months) == 4


def test_years_that_python_does_not_know_are_months_too(tmp_path: Path) -> None:
    update = "UPDATE reservations SET preferred_date = '20000-02-01'::DATE"
    (month,) = _split(tmp_path, [auto("오후", 4, "AFTERNOON")], more=update).months
    assert month == ("20000-02", Halves(0, 4))


def test_a_weekday_has_its_slots_by_the_half_they_start_in(tmp_path: Path) -> None:
    policy = Policy(slots=(Slot(1, 14 * 60, 18 * 60), Slot(1, 9 * 60, 13 * 60), Slot(2, 12 * 60, 15 * 60 + 30)))
    monday, tuesday, *_, sunday = _split(tmp_path, [], policy=policy).weekdays
    assert (monday.morning_slots, monday.afternoon_slots) == (("09:00–13:00",), ("14:00–18:00",))
    assert monday.minutes == Halves(240, 240)
    assert (tuesday.morning_slots, tuesday.afternoon_slots) == ((), ("12:00–15:30",))
    assert tuesday.minutes == Halves(0, 210)
    assert (sunday.number, sunday.minutes, sunday.minutes.morning_share) == (7, Halves(), 0)
