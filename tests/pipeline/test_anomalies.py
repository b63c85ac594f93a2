from pathlib import Path

import pytest
from filled_workbench import Line, auto, fill

from parsers.policy import Policy, Slot
from pipeline.anomalies import find_anomalies
from pipeline.workbench import open_workbench

THURSDAY, SATURDAY, SUNDAY = "2025-10-30", "2025-11-01", "2025-11-02"


def _found(folder: Path, lines: list[Line], policy: Policy | None = None) -> list[tuple[str, int, str, int]]:
    with open_workbench(folder) as workbench:
        fill(workbench, lines)
        found = find_anomalies(workbench, policy or Policy())
    return [(one.misfit.value, one.weekday, one.period.value, one.rows) for one in found]


def test_a_fitting_week_has_none(tmp_path: Path) -> None:
    lines = [
        auto("10:00", 3, "MORNING", "10:00", date=THURSDAY),
        auto("오후", 3, "AFTERNOON", date=THURSDAY),
        auto("12:30", 3, "AFTERNOON", "12:30", date=THURSDAY),  # lunch: no slot is open, so none of the other half
        auto("오전", 3, "MORNING", date=SATURDAY),
    ]
    assert _found(tmp_path, lines) == []


def test_names_the_days_without_a_slot(tmp_path: Path) -> None:
    lines = [
        auto("오전", 2, "MORNING", date=SUNDAY),
        auto("오후", 7, "AFTERNOON", date=SATURDAY),
        auto("15:00", 4, "AFTERNOON", "15:00", date=SATURDAY),
        auto("12:30", 1, "AFTERNOON", "12:30", date=SATURDAY),
    ]
    assert _found(tmp_path, lines) == [
        ("no_slot", 6, "AFTERNOON", 11),
        ("no_slot", 7, "MORNING", 2),
        ("other_half", 6, "AFTERNOON", 1),
    ]


def test_only_planned_rows_with_a_date_count(tmp_path: Path) -> None:
    lines = [
        auto("오후", 3, "AFTERNOON", already_set=3, date=SUNDAY),
        auto("오전", 3, "MORNING", date=None),
        Line("낮", 3, period="AFTERNOON", date=SUNDAY),
    ]
    assert _found(tmp_path, lines) == []


def test_the_slots_are_the_clinics(tmp_path: Path) -> None:
    lines = [auto("오후", 3, "AFTERNOON", date=SUNDAY)]
    assert _found(tmp_path, lines, Policy(slots=(Slot(7, 13 * 60, 17 * 60),))) == []


@pytest.mark.parametrize("date", ["NULL", "'infinity'"])
def test_rows_without_a_day_fit_everywhere(tmp_path: Path, date: str) -> None:
    with open_workbench(tmp_path) as workbench:
        fill(workbench, [auto("오전", 2, "MORNING", date=SUNDAY)])
        workbench.execute(f"UPDATE reservations SET preferred_date = {date}::DATE")
        assert find_anomalies(workbench, Policy()) == ()
