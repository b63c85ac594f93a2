"""How the planned rows fall into mornings and afternoons: in all, by month, and by weekday against the clinic's slots.

One pass over the rows; months and weekdays are those of the preferred date.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from parsers.policy import Policy, Slot
from parsers.types import Disposition, Period
from pipeline.anomalies import half_of

MONTHS = 24
"""Months told one by one: the last ones; those before are summed up."""

# Months are spelled out here: the database knows dates, such as infinity, that Python does not.
_COUNTED = """
WITH planned AS (
    SELECT CASE WHEN isfinite(r.preferred_date) THEN r.preferred_date END AS day, d.period
    FROM reservations r JOIN decisions d ON r.raw IS NOT DISTINCT FROM d.raw
    WHERE r.current_period IS NULL AND d.disposition = $auto AND d.period IS NOT NULL
), counted AS (
    SELECT date_trunc('month', day) AS month, isodow(day) AS weekday, period, count(*) AS "rows"
    FROM planned GROUP BY ALL
)
SELECT strftime(month, '%Y-%m'), weekday, period, "rows" FROM counted
"""


@dataclass(frozen=True, slots=True)
class Halves:
    """Planned rows of each half of the day."""

    morning: int = 0
    afternoon: int = 0

    @property
    def rows(self) -> int:
        """Both."""
        return self.morning + self.afternoon

    @property
    def morning_share(self) -> float:
        """The morning's part, 0 to 1; 0 of nothing."""
        return self.morning / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Weekday:
    """One weekday (ISO: 1 is Monday): its planned rows, the clinic's slots (``"09:00–12:00"``) and their minutes.

    A slot belongs to the half of the day it starts in.
    """

    number: int
    halves: Halves
    morning_slots: tuple[str, ...]
    afternoon_slots: tuple[str, ...]
    minutes: Halves


@dataclass(frozen=True, slots=True)
class PeriodSplit:
    """The planned rows by half-day.

    ``months`` (``"2025-10"``) are the last ``MONTHS`` that have any; ``earlier`` sums those before.

    Every row is in one of ``months``, ``earlier`` and ``undated``, and in one of ``weekdays`` and ``undated``.
    """

    halves: Halves
    months: tuple[tuple[str, Halves], ...]
    earlier: Halves
    weekdays: tuple[Weekday, ...]
    undated: Halves


def split_by_period(workbench: duckdb.DuckDBPyConnection, policy: Policy) -> PeriodSplit:
    """Count the planned rows (AUTO, without a period yet).

    Raises:
        duckdb.Error: a table is missing or the file is damaged.
    """
    counted = workbench.execute(_COUNTED, {"auto": Disposition.AUTO.value}).fetchall()
    months: defaultdict[str, Halves] = defaultdict(Halves)
    weekdays: defaultdict[int, Halves] = defaultdict(Halves)
    undated = everything = Halves()
    for month, weekday, period, rows in counted:
        found = Halves(rows, 0) if period == Period.MORNING else Halves(0, rows)
        everything = _sum([everything, found])
        if month is None:
            undated = _sum([undated, found])
        else:
            months[month] = _sum([months[month], found])
            weekdays[weekday] = _sum([weekdays[weekday], found])
    last = sorted(months)[-MONTHS:]
    return PeriodSplit(
        halves=everything,
        months=tuple((month, months[month]) for month in last),
        earlier=_sum(halves for month, halves in months.items() if month not in last),
        weekdays=tuple(_weekday(number, weekdays[number], policy) for number in range(1, 8)),
        undated=undated,
    )


def _sum(parts: Iterable[Halves]) -> Halves:
    parts = list(parts)
    return Halves(sum(part.morning for part in parts), sum(part.afternoon for part in parts))


def _weekday(number: int, halves: Halves, policy: Policy) -> Weekday:
    slots = sorted((slot for slot in policy.slots if slot.weekday == number), key=lambda slot: slot.start)
    mornings = [slot for slot in slots if half_of(slot, policy) is Period.MORNING]
    afternoons = [slot for slot in slots if half_of(slot, policy) is Period.AFTERNOON]
    return Weekday(number, halves, _told(mornings), _told(afternoons), Halves(_minutes(mornings), _minutes(afternoons)))


def _minutes(slots: Iterable[Slot]) -> int:
    return sum(slot.end - slot.start for slot in slots)


def _told(slots: Iterable[Slot]) -> tuple[str, ...]:
    return tuple(f"{_clock(slot.start)}–{_clock(slot.end)}" for slot in slots)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
