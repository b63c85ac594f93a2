"""Rows whose decision does not fit the clinic's week: for people to see; the decision itself stands.

A weekday may have no slot in the decided half of the day, or the time may fall in a slot of the other half.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import duckdb

from parsers.policy import Policy, Slot
from parsers.types import Disposition, Period

_PLANNED_BY_WEEKDAY = """
SELECT isodow(r.preferred_date), d.period, d.start_time, count(*)
FROM reservations r JOIN decisions d ON r.raw IS NOT DISTINCT FROM d.raw
WHERE r.current_period IS NULL AND d.disposition = $auto AND isfinite(r.preferred_date) AND d.period IS NOT NULL
GROUP BY ALL
"""


class Misfit(StrEnum):
    """How a decided row does not fit its weekday."""

    OTHER_HALF = "other_half"
    NO_SLOT = "no_slot"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Planned rows of one weekday (ISO: 1 is Monday) and period that do not fit the slots."""

    misfit: Misfit
    weekday: int
    period: Period
    rows: int


def find_anomalies(workbench: duckdb.DuckDBPyConnection, policy: Policy) -> tuple[Anomaly, ...]:
    """Count the planned rows that do not fit, most first. One pass over the rows."""
    counted: Counter[tuple[Misfit, int, Period]] = Counter()
    lines = workbench.execute(_PLANNED_BY_WEEKDAY, {"auto": Disposition.AUTO.value}).fetchall()
    for weekday, period, start, rows in lines:
        misfit = _misfit(policy, weekday, Period(period), start)
        if misfit:
            counted[misfit, weekday, Period(period)] += rows
    return tuple(Anomaly(*what, rows) for what, rows in sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _misfit(policy: Policy, weekday: int, period: Period, start: str | None) -> Misfit | None:
    slots = [slot for slot in policy.slots if slot.weekday == weekday]
    if start is not None:
        minute = int(start[:2]) * 60 + int(start[3:5])
        around = {half_of(slot, policy) for slot in slots if slot.start <= minute < slot.end}
        if around and period not in around:
            return Misfit.OTHER_HALF
    return None if period in {half_of(slot, policy) for slot in slots} else Misfit.NO_SLOT


def half_of(slot: Slot, policy: Policy) -> Period:
    """The half of the day a slot starts in."""
    return Period.MORNING if slot.start < policy.noon else Period.AFTERNOON
