"""The clinic's settings that a decision may depend on, and nothing else."""

from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Slot:
    """One weekly opening: ISO weekday 1 (Monday) to 7, minutes of the day, half-open."""

    weekday: int
    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse a slot that no clinic can have.

        Raises:
            ValueError: the weekday is not 1 to 7, or the times are not ``0 <= start < end <= 1440``.
        """
        if not 1 <= self.weekday <= 7:
            raise ValueError(f"slot weekday {self.weekday} is not 1 (Monday) to 7 (Sunday)")
        if not 0 <= self.start < self.end <= MINUTES_A_DAY:
            raise ValueError(f"slot {self.start}-{self.end} is not within a day, start before end")


DEFAULT_SLOTS: tuple[Slot, ...] = (
    *(slot for day in range(1, 6) for slot in (Slot(day, 9 * 60, 12 * 60), Slot(day, 14 * 60, 18 * 60))),
    Slot(6, 9 * 60, 13 * 60),
)


@dataclass(frozen=True)
class Policy:
    """The settings of the decision policy; the defaults are the clinic's own.

    ``noon`` and ``grace`` are in minutes. *Opening hours* run from the earliest slot start to the latest slot end of
    the week, lunch included; *plausible hours* are those widened by ``grace`` on both sides.

    >>> policy = Policy()
    >>> policy.opening, policy.plausible
    ((540, 1080), (420, 1200))
    """

    timezone: str = "Asia/Seoul"
    noon: int = 12 * 60
    slots: tuple[Slot, ...] = DEFAULT_SLOTS
    grace: int = 120
    auto_threshold: float = 0.90

    def __post_init__(self) -> None:
        """Refuse settings under which no decision would make sense.

        Raises:
            ValueError: no slots, noon outside the day, a negative grace, no probability as threshold, no known zone.
        """
        if not self.slots:
            raise ValueError("a policy needs at least one weekly slot")
        if not 0 < self.noon < MINUTES_A_DAY:
            raise ValueError(f"noon at minute {self.noon} is not within the day")
        if self.grace < 0:
            raise ValueError(f"grace of {self.grace} minutes is negative")
        if not 0 <= self.auto_threshold <= 1:
            raise ValueError(f"auto_threshold {self.auto_threshold} is not a probability")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"timezone {self.timezone!r} is not a zone of the tz database, e.g. Asia/Seoul") from error

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Readings are remembered by policy, so its hash is asked for again and again."""
        return hash((self.timezone, self.noon, self.slots, self.grace, self.auto_threshold))

    @cached_property
    def opening(self) -> tuple[int, int]:
        """First slot start and last slot end of the week, in minutes, half-open."""
        return min(slot.start for slot in self.slots), max(slot.end for slot in self.slots)

    @cached_property
    def plausible(self) -> tuple[int, int]:
        """Opening hours widened by the grace on both sides, within the day."""
        start, end = self.opening
        return max(0, start - self.grace), min(MINUTES_A_DAY, end + self.grace)
