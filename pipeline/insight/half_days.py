"""What the clinic's half-days hold against what their slots offer, before a move and after it.

Reads what a verification added up (``pipeline.backfill.capacity``) and the run's own slots; no database is needed.
A slot belongs to the half of the day in which it starts, as everywhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from parsers.policy import Policy
from parsers.types import Period
from pipeline import manifest
from pipeline.errors import RunError, UsageError

NAME = "capacity-{}.parquet"
"""A verification's file in the run's folder of moves; the newest name is the newest look."""
FREE = ("CANCELLED", "REJECTED")
"""Statuses that keep no minute of a slot."""

# Of each day and half: minutes, of them those that the run has placed, and bookings whose minutes nobody knows.
_ADDED = """
SELECT day, period, coalesce(sum(minutes), 0)::BIGINT, coalesce(sum(minutes) FILTER (by_run), 0)::BIGINT,
    (sum(bookings) - sum(timed))::BIGINT
FROM read_parquet($path) WHERE day IS NOT NULL AND coalesce(status, '') NOT IN (SELECT unnest($free::VARCHAR[]))
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class HalfDay:
    """One half of one day, or a mean of several, in minutes.

    ``offered`` by the slots, ``known`` to be booked without the run, ``filled`` in by it; ``week`` is one's Monday.
    """

    weekday: int
    period: Period
    offered: float
    known: float
    filled: float
    week: date | None = None

    @property
    def before(self) -> float:
        """The load that could be seen before: booked minutes over offered ones (0 where none are offered)."""
        return self.known / self.offered if self.offered else 0.0

    @property
    def after(self) -> float:
        """The load that can be seen now."""
        return (self.known + self.filled) / self.offered if self.offered else 0.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """The half-days of the clinic's week, and the minutes that lie in none of them.

    ``unplaced`` are on a day but in no half yet; ``closed`` in a half without slots; ``untimed`` are bookings whose
    minutes nobody knows, which count as none.
    """

    half_days: tuple[HalfDay, ...]
    unplaced: int
    closed: int
    untimed: int

    @property
    def placed_before(self) -> float:
        """Share of all minutes whose half was known without the run, 0 to 1."""
        return self._share(sum(half.known for half in self.half_days))

    @property
    def placed_after(self) -> float:
        """Share of all minutes whose half is known now."""
        return self._share(sum(half.known + half.filled for half in self.half_days))

    def _share(self, minutes: float) -> float:
        whole = sum(half.known + half.filled for half in self.half_days) + self.unplaced + self.closed
        return minutes / whole if whole else 0.0


def read_capacity(folder: Path, policy: Policy, rooms: int = 1, free: Iterable[str] = FREE) -> Capacity:
    """Read what the last verification of the run in ``folder`` added up.

    ``rooms`` is how many patients the clinic treats side by side; bookings of a status in ``free`` do not count.

    Raises:
        UsageError: the run was never verified, or its verification could not add up.
        RunError: the file is damaged.
    """
    path = max((folder / manifest.MOVES).glob(NAME.format("*")), default=None)
    if path is None:
        raise UsageError(
            f"No verification of {folder.name} has added up the half-days yet. After apply, and while the database can "
            f"be reached, run: ojeon verify {folder}"
        )
    try:
        with duckdb.connect() as connection:
            lines = connection.execute(_ADDED, {"path": str(path), "free": list(free)}).fetchall()
    except duckdb.Error as error:
        raise RunError(
            f"{path} cannot be read ({type(error).__name__}). Write it anew: ojeon verify {folder}"
        ) from error
    return _sorted(lines, _offered(policy, rooms))


def _sorted(lines: Sequence[tuple[Any, ...]], offered: dict[tuple[int, Period], int]) -> Capacity:
    half_days, unplaced, closed, untimed = [], 0, 0, 0
    for day, period, minutes, by_run, without in lines:
        untimed += without
        if period is None:
            unplaced += minutes
            continue
        half = day.isoweekday(), Period(period)
        if half in offered:
            monday = day - timedelta(days=day.weekday())
            half_days.append(HalfDay(*half, offered[half], minutes - by_run, by_run, monday))
        else:
            closed += minutes
    return Capacity(tuple(half_days), unplaced, closed, untimed)


def _offered(policy: Policy, rooms: int) -> dict[tuple[int, Period], int]:
    offered: defaultdict[tuple[int, Period], int] = defaultdict(int)
    for slot in policy.slots:
        half = Period.MORNING if slot.start < policy.noon else Period.AFTERNOON
        offered[slot.weekday, half] += (slot.end - slot.start) * rooms
    return dict(offered)


def busiest(half_days: Iterable[HalfDay], weeks: int) -> tuple[HalfDay, ...]:
    """The half-days of the ``weeks`` weeks in a row that hold the most minutes."""
    by_week: defaultdict[date, list[HalfDay]] = defaultdict(list)
    for half in half_days:
        if half.week:
            by_week[half.week].append(half)

    def within(first: date) -> list[HalfDay]:
        return [half for week in range(weeks) for half in by_week.get(first + timedelta(weeks=week), ())]

    return tuple(max(map(within, list(by_week)), key=_minutes, default=[]))


def _minutes(half_days: Iterable[HalfDay]) -> float:
    return sum(half.known + half.filled for half in half_days)


def mean_week(half_days: Iterable[HalfDay]) -> tuple[HalfDay, ...]:
    """One line for each half-day of the week: the mean of those weeks in which it holds anything."""
    halves: defaultdict[tuple[int, bool], list[HalfDay]] = defaultdict(list)
    for half in half_days:
        halves[half.weekday, half.period is Period.AFTERNOON].append(half)
    return tuple(_mean(those) for _, those in sorted(halves.items()))


def _mean(those: Sequence[HalfDay]) -> HalfDay:
    one = those[0]
    known, filled = sum(half.known for half in those), sum(half.filled for half in those)
    return HalfDay(one.weekday, one.period, one.offered, known / len(those), filled / len(those))
