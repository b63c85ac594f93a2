"""The algebra of readings: what a term, a bound or a range denotes, as minutes of the day, and whether that settles it.

A text denotes readings, each a half-open interval of the day. A bare hour has two, a half-day word leaves one, a range
spans two clocks, a bound reaches to the edge of the opening hours. The policy then asks one question: do all plausible
readings lie in one half? The review reasons are the ways the answer can be no.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from parsers.lexer import Clock
from parsers.policy import MINUTES_A_DAY, Policy
from parsers.sentence import Term
from parsers.types import Period, Reason

HALF_DAY = 12 * 60
NOON = 12 * 60

# A machine's time-only columns carry one of these days (policy, *zero date*).
ZERO_DATES = {(1970, 1, 1), (2000, 1, 1), (1900, 1, 1), (1899, 12, 30), (1899, 12, 31), (1, 1, 1)}
# West of Greenwich the first instant of 1970 is still this day's.
_EVE_OF_EPOCH = (1969, 12, 31)
# 3시 10분 전 is a clock up to this many minutes; beyond them it may as well mean "before 3:30".
MOST_MINUTES_AGO = 20
# The day on which a zone's "present" offset is taken: fixed, so that the same text always gets the same decision.
_PRESENT = (2026, 1, 1)

_MORNING, _AFTERNOON = {"half_morning"}, {"half_afternoon", "half_evening"}
# Where a half-day word alone lies, in minutes; morning and afternoon are cut by the policy's noon.
_LUNCH = (12 * 60, 14 * 60)
_DAYTIME = (9 * 60, 18 * 60)
_EVENING_FROM = 17 * 60
# The same few hundred things are said over and over; what each denotes for a clinic is worked out once.
_REMEMBERED = 8192


class Reading(NamedTuple):
    """What one part of a text denotes.

    Either an interval ``lo <= time < hi`` in minutes, or a ``reason`` why there is none (then ``suggestion`` may say
    what it most likely is). ``start`` and ``end`` are clock times the text itself gives; ``rule`` names what was seen.
    """

    rule: str
    lo: int = 0
    hi: int = 0
    reason: Reason | None = None
    suggestion: Period | None = None
    start: int | None = None
    end: int | None = None

    def period(self, policy: Policy) -> Period | None:
        """The half the interval lies in; None where it touches both or there is none."""
        if self.reason or self.lo >= self.hi:
            return None
        if self.hi <= policy.noon:
            return Period.MORNING
        return Period.AFTERNOON if self.lo >= policy.noon else None


def refused(rule: str, reason: Reason, suggestion: Period | None = None, start: int | None = None) -> Reading:
    """A reading that ends in review."""
    return Reading(rule, reason=reason, suggestion=suggestion, start=start)


def half_of(minute: int, policy: Policy) -> Period:
    """The half a minute of the day lies in."""
    return Period.MORNING if minute < policy.noon else Period.AFTERNOON


def weighed(term: Term, policy: Policy) -> tuple[tuple[int, int], ...] | Reason:
    """Every interval (minutes, half-open) a term may denote before opening hours are asked; or why there is none."""
    if term.clock is None and term.instant is None:
        reading = stretch(term, policy)
        return reading.reason or ((reading.lo, reading.hi),)
    times = candidates(term, policy)
    if isinstance(times, Reading):
        return times.reason or ()
    return tuple((minute, minute + 1) for minute in times[1])


@lru_cache(maxsize=_REMEMBERED)
def point(term: Term, policy: Policy) -> Reading:
    """A term by itself: one clock time in plausible hours, or a stretch of the day named by words."""
    if term.clock is None and term.instant is None:
        return stretch(term, policy)
    times = candidates(term, policy)
    if isinstance(times, Reading):
        return times
    rule, minutes = times
    if len(minutes) == 1:
        return _certain(rule, minutes[0], term, policy)
    inside = [minute for minute in minutes if policy.opening[0] <= minute < policy.opening[1]]
    if len(inside) == 1:
        return _straddled(Reading(rule, inside[0], inside[0] + 1, start=inside[0]), term, policy)
    plausible = [minute for minute in minutes if policy.plausible[0] <= minute < policy.plausible[1]]
    suggestion = half_of(plausible[0], policy) if len(plausible) == 1 else None
    return refused(rule, Reason.AMBIGUOUS_HOUR, suggestion)


def _certain(rule: str, minute: int, term: Term, policy: Policy) -> Reading:
    if not _words_agree(minute, term, policy):
        return refused(rule, Reason.CONTRADICTION)
    if policy.plausible[0] <= minute < policy.plausible[1]:
        return _straddled(Reading(rule, minute, minute + 1, start=minute), term, policy)
    suggestion: Period | None = half_of(minute, policy)
    if not term.halves and minute < HALF_DAY:
        later = minute + HALF_DAY
        suggestion = half_of(later, policy) if policy.plausible[0] <= later < policy.plausible[1] else None
    return refused(rule, Reason.OUTSIDE_HOURS, suggestion, minute)


def _words_agree(minute: int, term: Term, policy: Policy) -> bool:
    """Whether the half-day words still name the half, where the clinic's noon is not at 12:00."""
    if term.clock is not None and term.clock.offset is not None:
        return True  # the words name the half where the clock was written
    said = Period.MORNING if "half_morning" in term.halves else None
    twelve = term.clock is not None and term.clock.hour == 12 and "half_daytime" in term.halves
    if term.instant is not None or twelve or (_AFTERNOON | {"half_lunch"}) & set(term.halves):
        said = Period.AFTERNOON
    return said is None or said is half_of(minute, policy)


def _straddled(reading: Reading, term: Term, policy: Policy) -> Reading:
    """전후 reaches half an hour to both sides; around noon that is both halves."""
    if term.straddling and abs(reading.lo - policy.noon) <= 30:
        return refused(reading.rule, Reason.SPANS_NOON, start=reading.start)
    return reading


def stretch(term: Term, policy: Policy) -> Reading:  # noqa: PLR0911 - one line per row of the policy's table
    """Half-day words without a clock."""
    kinds = set(term.halves)
    if term.straddling:
        return refused("several_words", Reason.SPANS_NOON)
    if kinds <= _MORNING:
        return Reading("morning_word", 0, policy.noon)
    if kinds <= _AFTERNOON:
        lo = max(policy.noon, _EVENING_FROM) if kinds == {"half_evening"} else policy.noon
        return Reading("afternoon_word", lo, MINUTES_A_DAY)
    if kinds == {"half_lunch"}:
        return Reading("lunch_word", *_LUNCH)
    if kinds == {"half_daytime"}:
        return refused("daytime_word", Reason.AMBIGUOUS_WORD)
    if kinds == {"half_dawn"}:
        return refused("dawn_word", Reason.OUTSIDE_HOURS, Period.MORNING)
    if kinds == {"half_night"}:
        return refused("night_word", Reason.OUTSIDE_HOURS, Period.AFTERNOON)
    return refused("several_words", Reason.CONFLICTING)


def candidates(term: Term, policy: Policy) -> tuple[str, tuple[int, ...]] | Reading:
    """Every minute of the day a clock term may mean, with the rule that says so; or the refusal.

    One candidate is certain of its half (a half-day word, a 24-hour clock); two are a bare hour's.
    """
    if term.instant is not None:
        return _instant(term)
    clock = term.clock
    if clock is None:
        raise ValueError("a term without a clock has no candidates")
    if clock.hour > 24 or clock.minute > 59 or (clock.second or 0) > 59 or (clock.hour == 24 and clock.minute):
        return refused("impossible_clock", Reason.INVALID_CLOCK)
    found = _clock_candidates(term, clock, policy)
    if clock.ago and not isinstance(found, Reading):
        return _minutes_ago(found, clock.ago, policy)
    return found


def _clock_candidates(term: Term, clock: Clock, policy: Policy) -> tuple[str, tuple[int, ...]] | Reading:
    human = clock.style == "bare" and not term.halves and clock.second is None and clock.day is None
    if clock.offset is not None and not human:
        return _zoned(term, clock, policy)
    if clock.offset is not None and not _is_local(clock, policy):
        return refused("zoned_clock", Reason.AMBIGUOUS_HOUR)
    if term.halves:
        return _with_words(clock, term.halves)
    if clock.hour in (0, 24):
        return refused("midnight", Reason.NOON_OR_MIDNIGHT if clock.minute else Reason.PLACEHOLDER_MIDNIGHT)
    if clock.style == "padded" or clock.hour > 12:
        return "hour_24" if clock.hour > 12 else "padded_clock", (clock.hour * 60 + clock.minute,)
    first = clock.hour % 12 * 60 + clock.minute
    return "bare_hour", (first, first + HALF_DAY)


def _instant(term: Term) -> tuple[str, tuple[int, ...]] | Reading:
    kinds = set(term.halves)
    if term.instant == "midnight":
        return refused("midnight", Reason.PLACEHOLDER_MIDNIGHT)
    if kinds & {"half_morning", "half_dawn", "half_night"}:
        return refused("noon", Reason.CONTRADICTION)
    return "noon", (NOON,)


def _minutes_ago(found: tuple[str, tuple[int, ...]], ago: int, policy: Policy) -> tuple[str, tuple[int, ...]] | Reading:
    rule, minutes = found
    earlier = tuple(minute - ago for minute in minutes)
    crosses = any(before < policy.noon <= after or before < 0 for before, after in zip(earlier, minutes, strict=True))
    if ago > MOST_MINUTES_AGO or crosses:
        return refused("minutes_ago", Reason.AMBIGUOUS_HOUR)
    return "minutes_ago" if len(minutes) == 2 else rule, earlier


def _with_words(clock: Clock, halves: tuple[str, ...]) -> tuple[str, tuple[int, ...]] | Reading:
    """A clock with half-day words: what all the words agree on."""
    answers = {half: _with_word(clock, half) for half in halves}
    minutes = {answer for answer in answers.values() if isinstance(answer, int)}
    if len(minutes) == 1 and all(isinstance(answer, int) for answer in answers.values()):
        return "halfday_clock", (minutes.pop(),)
    for answer in answers.values():
        if isinstance(answer, Reason):
            return refused("halfday_clock", answer)
    return refused("halfday_clock", Reason.CONTRADICTION)


def _with_word(clock: Clock, half: str) -> int | Reason:
    hour, minute = clock.hour, clock.minute
    span = _WORD_HOURS[half]
    if half == "half_morning" and hour in (0, 12, 24):
        return Reason.NOON_OR_MIDNIGHT
    if half == "half_afternoon" and hour == 0:
        return NOON + minute
    if half in ("half_night", "half_evening", "half_dawn") and hour in (0, 12, 24):
        return Reason.PLACEHOLDER_MIDNIGHT if half != "half_evening" or hour != 12 else Reason.NOON_OR_MIDNIGHT
    if hour == 24:
        return Reason.CONTRADICTION
    fitting = [h for h in ((hour, hour + 12) if hour < 12 else (hour,)) if h in span]
    return fitting[0] * 60 + minute if len(fitting) == 1 else Reason.CONTRADICTION


# The hours (24-hour) that each half-day word can mean. Evening starts at 4 and night's small hours are the next day's.
_WORD_HOURS: dict[str, range | tuple[int, ...]] = {
    "half_morning": range(1, 12),
    "half_afternoon": range(12, 24),
    "half_evening": range(16, 24),
    "half_lunch": range(12, 15),
    "half_daytime": (10, 11, 12, 13, 14, 15, 16, 17),
    "half_dawn": range(1, 8),
    "half_night": (1, 2, 3, 4, 18, 19, 20, 21, 22, 23),
}


def _zoned(term: Term, clock: Clock, policy: Policy) -> tuple[str, tuple[int, ...]] | Reading:
    """A clock with an offset, in the clinic's zone; time-only columns (zero dates, a lone Z) by their own rule."""
    if clock.style == "number" and not (term.halves and _is_local(clock, policy)):
        return refused("zoned_clock", Reason.AMBIGUOUS_HOUR)  # 10 am KST: of people's zones only the clinic's own
    if term.halves:
        read = _with_words(clock, term.halves)
        if isinstance(read, Reading):
            return read
        literal = read[1][0]
    else:
        literal = (clock.hour * 60 + clock.minute) % MINUTES_A_DAY
    zero_date = clock.day in ZERO_DATES
    if zero_date or clock.day is None:
        return _time_only(clock, literal, policy, worded=bool(term.halves))
    moved, utc = _converted(clock, literal, policy, clock.day), _in_utc(clock, literal, clock.day)
    if moved is None or utc is None:
        return refused("zoned_clock", Reason.INVALID_CLOCK)
    if clock.day == _EVE_OF_EPOCH and utc == MINUTES_A_DAY and not clock.second:
        return refused("midnight", Reason.PLACEHOLDER_MIDNIGHT)
    return _as_padded(moved)


def _as_padded(minute: int) -> tuple[str, tuple[int, ...]] | Reading:
    if minute < 60:
        return refused("midnight", Reason.NOON_OR_MIDNIGHT if minute else Reason.PLACEHOLDER_MIDNIGHT)
    return "zoned_clock", (minute,)


def _time_only(  # noqa: PLR0911 - one line a way to refuse
    clock: Clock, literal: int, policy: Policy, *, worded: bool
) -> tuple[str, tuple[int, ...]] | Reading:
    moved, utc = _converted(clock, literal, policy, _PRESENT), _in_utc(clock, literal, _PRESENT)
    if moved is None or utc is None:
        return refused("zoned_clock", Reason.INVALID_CLOCK)
    if utc % MINUTES_A_DAY == 0 and not clock.second and (clock.day == (1970, 1, 1) or _is_utc(clock)):
        return refused("midnight", Reason.PLACEHOLDER_MIDNIGHT)
    if not _is_utc(clock):
        # A zone's own offset of 1899 (GMT+0827 in Seoul) is today's wall clock as the spreadsheet showed it.
        nearly_local = clock.day is not None and abs(moved - literal) < 60
        return _as_padded(literal if nearly_local else moved)
    if clock.day is not None and _is_mean_time(clock, policy, clock.day):
        then = _converted(clock, literal, policy, clock.day)
        if then is None or half_of(then, policy) is not half_of(moved, policy):
            return refused("time_only_column", Reason.AMBIGUOUS_HOUR)
    plausible = [minute for minute in (literal, moved) if policy.plausible[0] <= minute < policy.plausible[1]]
    # A dateless "UTC" may be converted or be a time-only column's: only where both say the same is it certain.
    undated_utc = clock.day is None and clock.offset == 0 and plausible != [moved]
    if worded and len(plausible) == 1 and half_of(plausible[0], policy) is not half_of(literal, policy):
        return refused("time_only_column", Reason.CONTRADICTION)
    if len(plausible) == 1 and policy.opening[0] <= plausible[0] < policy.opening[1] and not undated_utc:
        return "time_only_column", (plausible[0],)
    suggestion = half_of(plausible[0], policy) if len(plausible) == 1 else None
    return refused("time_only_column", Reason.AMBIGUOUS_HOUR, suggestion)


def _is_mean_time(clock: Clock, policy: Policy, day: tuple[int, int, int]) -> bool:
    """Whether a clock's seconds are those of the zone's local mean time (Seoul 1899: +8:27:52), so the hour is too."""
    try:
        offset = datetime(*day, tzinfo=UTC).astimezone(ZoneInfo(policy.timezone)).utcoffset()
    except (ValueError, OverflowError):
        return False
    seconds = 0 if offset is None else int(offset.total_seconds()) % 60
    return seconds != 0 and ((clock.second or 0) + seconds) % 60 == 0


def _is_local(clock: Clock, policy: Policy) -> bool:
    """Whether a clock's offset is the clinic's own."""
    literal = clock.hour * 60 + clock.minute
    return _converted(clock, literal, policy, _PRESENT) == literal % MINUTES_A_DAY


def _is_utc(clock: Clock) -> bool:
    return clock.offset in ("Z", 0)


def _in_utc(clock: Clock, literal: int, day: tuple[int, int, int]) -> int | None:
    offset = clock.offset
    own = 0 if offset == "Z" else _zone_offset(offset, day, literal) if isinstance(offset, str) else offset
    return None if own is None else literal - own


def _converted(clock: Clock, literal: int, policy: Policy, day: tuple[int, int, int]) -> int | None:
    """``literal`` moved from the clock's own zone to the policy's, a minute of the day; None where there is no such."""
    utc = _in_utc(clock, literal, day)
    there = None if utc is None else _zone_offset(policy.timezone, day, utc)
    return None if utc is None or there is None else (utc + there) % MINUTES_A_DAY


@lru_cache(maxsize=4096)
def _zone_offset(name: str, day: tuple[int, int, int], minute: int) -> int | None:
    """Minutes east of UTC of a zone on a day; ``minute`` is the day's, in UTC where it matters."""
    try:
        moment = datetime(*day, tzinfo=UTC) + timedelta(minutes=minute)
        offset = moment.astimezone(ZoneInfo(name)).utcoffset()
    except (ValueError, OverflowError, ZoneInfoNotFoundError):
        return None
    return None if offset is None else round(offset.total_seconds() / 60)


@lru_cache(maxsize=_REMEMBERED)
def after(term: Term, policy: Policy, *, inclusive: bool) -> Reading:
    """``[X, close)``; ``inclusive`` is "from" (부터), which for a word starts at its beginning rather than its end."""
    reading = _bound_point(term, policy, closing=False)
    if reading.reason:
        return reading
    if reading.start is None:
        return _after_word(term, reading, policy, inclusive=inclusive)
    return _within_opening(Reading("bound", reading.lo, policy.opening[1], start=reading.start), reading, policy)


def _after_word(term: Term, reading: Reading, policy: Policy, *, inclusive: bool) -> Reading:
    if term.halves == ("half_morning",) and not inclusive:
        return refused("bound", Reason.SPANS_NOON)
    if "half_evening" in term.halves:
        return refused("bound", Reason.OUTSIDE_HOURS, Period.AFTERNOON)
    return _within_opening(Reading("bound", reading.lo, policy.opening[1]), reading, policy)


@lru_cache(maxsize=_REMEMBERED)
def before(term: Term, policy: Policy, *, inclusive: bool) -> Reading:
    """``[open, X)``; ``inclusive`` is "until" (까지), which for a word reaches to its end."""
    reading = _bound_point(term, policy, closing=True)
    if reading.reason:
        return reading
    if reading.start is None:
        if not inclusive and _AFTERNOON & set(term.halves):
            return refused("bound", Reason.AMBIGUOUS_WORD)  # 오후 전 시간 is "all afternoon"
        hi = reading.hi if inclusive else reading.lo
        return _within_opening(Reading("bound", policy.opening[0], min(hi, policy.opening[1])), reading, policy)
    return _within_opening(
        Reading("bound", policy.opening[0], min(reading.lo, policy.opening[1]), end=reading.start), reading, policy
    )


def _bound_point(term: Term, policy: Policy, *, closing: bool) -> Reading:
    """X of a bound: like a point, but it may lie anywhere in the day, and a later end may be closing time."""
    if term.clock is None and term.instant is None:
        return stretch(term, policy)
    times = candidates(term, policy)
    if isinstance(times, Reading):
        return times
    rule, minutes = times
    if len(minutes) > 1:
        opening, close = policy.opening
        minutes = tuple(m for m in minutes if opening <= m < close or (closing and m == close))
        if len(minutes) != 1:
            return refused(rule, Reason.AMBIGUOUS_HOUR)
    return Reading(rule, minutes[0], minutes[0] + 1, start=minutes[0])


def _within_opening(reading: Reading, bound: Reading, policy: Policy) -> Reading:
    lo, hi = max(reading.lo, policy.opening[0]), min(reading.hi, policy.opening[1])
    if lo >= hi:
        return refused("bound", Reason.OUTSIDE_HOURS, half_of(bound.lo, policy), reading.start)
    reading = reading._replace(lo=lo, hi=hi)
    period = reading.period(policy)
    # 오전 11시 이후 of a clinic that opens at one: what is left lies in the other half than what was said.
    if period is None or (reading.start is not None and period is not half_of(reading.start, policy)):
        return reading._replace(reason=Reason.SPANS_NOON)
    return reading


@lru_cache(maxsize=_REMEMBERED)
def between(first: Term, last: Term, policy: Policy) -> Reading:  # noqa: PLR0911 - one line a way to refuse
    """``[A, B)``. A half-day word on one end carries to the other where that keeps A before B."""
    if first.straddling or last.straddling:
        return refused("range", Reason.SPANS_NOON)
    if _offset(first) != _offset(last):
        return refused("range", Reason.AMBIGUOUS_HOUR)
    ends = _range_ends(first, last, policy)
    if isinstance(ends, Reading):
        return ends
    lo, hi, start, end = ends
    if lo >= hi:
        return refused("range", Reason.CONTRADICTION)
    reading = Reading("range", lo, hi, start=start, end=end)
    if reading.period(policy) is None:
        return reading._replace(reason=Reason.SPANS_NOON)
    opens, closes = policy.plausible
    if (start is not None and not opens <= start < closes) or (end is not None and not opens < end <= closes):
        return reading._replace(reason=Reason.OUTSIDE_HOURS, suggestion=reading.period(policy))
    return reading


def _offset(term: Term) -> int | str | None:
    return term.clock.offset if term.clock else None


def _range_ends(first: Term, last: Term, policy: Policy) -> tuple[int, int, int | None, int | None] | Reading:
    """(lo, hi, start, end) of a range, or the refusal of an end that cannot be read."""
    starts, ends = _end_minutes(first, policy, closing=False), _end_minutes(last, policy, closing=True)
    for mine, other, term in ((starts, last, first), (ends, first, last)):
        carried = _carried(term, other, policy)
        if carried is None:
            continue
        if mine is starts and not isinstance(ends, Reading) and carried < ends[1]:
            starts = (carried, carried, carried)
        elif mine is ends and not isinstance(starts, Reading) and starts[0] < carried:
            ends = (carried, carried, carried)
    if isinstance(starts, Reading):
        return starts
    if isinstance(ends, Reading):
        return ends
    if starts[0] > ends[0]:
        return refused("range", Reason.CONTRADICTION)
    return starts[0], ends[1], starts[2], ends[2]


def _carried(term: Term, other: Term, policy: Policy) -> int | None:
    """A bare end read with the other end's half-day word."""
    clock = term.clock
    if clock is None or term.halves or not other.halves or clock.hour > 12 or clock.offset is not None:
        return None
    words = candidates(Term(clock, other.halves), policy)
    return None if isinstance(words, Reading) else words[1][0]


def _end_minutes(term: Term, policy: Policy, *, closing: bool) -> tuple[int, int, int | None] | Reading:
    """(lo, hi, clock time) of one end of a range."""
    if term.clock is None and term.instant is None:
        reading = stretch(term, policy)
        if reading.reason:
            return reading
        return max(reading.lo, policy.opening[0]), min(reading.hi, max(policy.opening[1], reading.lo + 1)), None
    reading = _bound_point(term, policy, closing=closing)
    return reading if reading.reason else (reading.lo, reading.lo, reading.lo)
