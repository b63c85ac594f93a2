"""Cut a cleaned text into tokens so that every character belongs to one.

Numbers are read by their shapes (:mod:`parsers.shapes`); words come from the lexicon, longest first. What neither knows
becomes an ``unknown`` token: it is never skipped.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from parsers.lexicon import lexicon
from parsers.shapes import master


class Token(NamedTuple):
    """A piece of the cleaned text: its kind, its value, and where it stands (half-open)."""

    kind: str
    value: Any
    start: int
    end: int


class Clock(NamedTuple):
    """A clock as written.

    ``style``: ``padded`` is read as 24-hour, ``bare`` as 12-hour of either half, ``number`` and ``dotted`` are digits
    that are a clock only beside other evidence. ``offset`` is minutes east of UTC, or ``"Z"``; ``day`` is (year, month,
    day) where the text gives all three; ``ago`` the minutes to subtract (3시 10분 전).
    """

    hour: int
    minute: int
    style: str
    second: int | None = None
    offset: int | str | None = None
    day: tuple[int, int, int] | None = None
    ago: int = 0


class _Read(NamedTuple):
    """The kind and the value of a token as its shape reads it."""

    kind: str
    value: Any


# 1h30 is as likely an hour and a half as half past one.
_FRENCH_FROM = 7
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Shapes that say nothing more than their kind.
_KINDS = {"unknown_phone": "unknown", "year_date": "date"}


def lex(text: str) -> list[Token]:
    """Cut a cleaned text (:func:`parsers.clean.clean`) into tokens; together they cover every character but spaces."""
    tokens = []
    words, pattern, readers = lexicon().words, master(), _readers()
    for match in pattern.finditer(text):
        shape = match.lastgroup
        if shape is None:
            continue
        start, end = match.span(shape)
        kind: str = shape
        value: Any = None
        if shape == "word":
            kind = words[text[start:end].replace(" ", "")]
        elif shape in readers:
            groups, read = readers[shape]
            kind, value = read(*match.group(*groups))
        elif shape in _KINDS:
            kind = _KINDS[shape]
        else:
            value = text[start:end]
        tokens.append(Token(kind, value, start, end))
    return tokens


def _offset(text: str | None) -> int | str | None:
    """Minutes east of UTC of ``z``, ``+0900``, ``+09:00``, ``-9``."""
    if not text:
        return None
    if text == "z":
        return "Z"
    digits = re.sub(r"\D", "", text)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return (hours * 60 + minutes) * (-1 if "-" in text else 1)


def _numeral(text: str) -> int:
    lex_ = lexicon()
    if text.isdigit():
        return int(text)
    key = text if text in lex_.numerals or text in lex_.minute_numerals else text.replace(" ", "")
    return lex_.numerals[key] if key in lex_.numerals else lex_.minute_numerals[key]


def _second(text: str | None) -> int | None:
    return None if text is None else int(text)


def _style(hour: str, *, marked: bool) -> str:
    """``marked`` is a form that writes two digits anyway (HH:MM), so 10 to 12 count as padded."""
    if hour.isdigit() and ((hour.startswith("0") and len(hour) == 2) or (marked and len(hour) == 2)):
        return "padded"
    return "padded" if _numeral(hour) > 12 else "bare"


def is_day(month: int, day: int, year: int = 2000) -> bool:
    """Whether the calendar has that day; without a year, in some year.

    >>> is_day(2, 29), is_day(2, 29, 2025), is_day(13, 1)
    (True, False, False)
    """
    return 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def _iso(  # noqa: PLR0913, PLR0917 - the parts of a timestamp
    year: str, month: str, day: str, hour: str, minute: str, second: str | None, offset: str | None
) -> _Read:
    written = (int(year), int(month), int(day))
    if not is_day(written[1], written[2], written[0]):
        return _Read("unknown", None)
    return _Read("clock", Clock(int(hour), int(minute), "padded", _second(second), _offset(offset), written))


def _colon(hour: str, minute: str, second: str | None, offset: str | None, letter: str | None) -> _Read:
    clock = Clock(int(hour), int(minute), _style(hour, marked=True), _second(second), _offset(offset))
    return _Read("clock", (clock, letter) if letter else clock)


def _spoken(  # noqa: PLR0913, PLR0917 - the ways to say minutes
    hour: str, quarters: str | None, minutes: str | None, behind: str | None, half: str | None, second: str | None
) -> _Read:
    minute = 0
    if quarters:
        minute = lexicon().quarters[quarters.replace(" ", "")]
    elif minutes or behind:
        minute = _numeral(minutes or behind or "")
    elif half:
        minute = 30
    clock = Clock(_numeral(hour), minute, _style(hour, marked=False), _second(second))
    return _Read("clock_minutes" if minutes else "clock", clock)


def _military(hour: str, minute: str, spoken: str | None) -> _Read:
    if spoken and int(hour) < int(minute) <= 24:
        return _Read("unknown", None)  # 1011시: ten to eleven as likely as 10:11
    return _Read("clock", Clock(int(hour), int(minute), "padded"))


def _french(hour: str | None, minute: str | None, full: str | None) -> _Read:
    if full:
        return _Read("clock", Clock(int(full), 0, "padded")) if int(full) > 12 else _Read("duration", None)
    if hour is None or minute is None or int(hour) < _FRENCH_FROM:
        return _Read("duration", None)
    return _Read("clock", Clock(int(hour), int(minute), _style(hour, marked=True)))


def _past(half: str | None, quarter_to: str | None, minutes: str | None, minutes_to: str | None, hour: str) -> _Read:
    minute, ago = (_numeral(minutes) if minutes else 30 if half else 15), 0
    if quarter_to or minutes_to:
        minute, ago = 0, _numeral(minutes_to) if minutes_to else 15
    return _Read("clock", Clock(_numeral(hour), minute, _style(hour, marked=False), ago=ago))


def _letter(hour: str, minute: str | None, letter: str) -> _Read:
    return _Read("clock", (Clock(int(hour), int(minute or 0), _style(hour, marked=False)), letter))


def _dotted(hour: str, minute: str, second: str | None) -> _Read:
    style = "dotted" if len(minute) == 2 else "decimal"
    return _Read("dotted", Clock(int(hour), int(minute), style, _second(second)))


def _number_word(hour: str, minute: str | None, hyphened: str | None) -> _Read:
    minute = minute or hyphened
    if minute is None:
        return _Read("number", str(_numeral(hour)))
    return _Read("clock", Clock(_numeral(hour), _numeral(minute), "bare"))


def _full_date(year: str, month: str, day: str) -> _Read:
    return _day(int(year), int(month), int(day))


def _day(year: int, month: int, day: int) -> _Read:
    """A complete date; one that no calendar has explains nothing."""
    return _Read("date", (year, month, day)) if is_day(month, day, year) else _Read("unknown", None)


def _tail_date(first: str, second: str, year: str) -> _Read:
    month, day = (int(second), int(first)) if int(first) > 12 else (int(first), int(second))
    return _day(int(year), month, day)


def _unit_date(year: str | None, month: str, day: str) -> _Read:
    if year and len(year) == 4:
        return _day(int(year), int(month), int(day))
    return _some_day(int(month), int(day))


def _some_day(month: int, day: int) -> _Read:
    return _Read("date" if is_day(month, day) else "unknown", None)


def _month_day(month: str, day: str) -> _Read:
    return _some_day(int(month), int(day))


def _part_date(month: str | None, day: str | None) -> _Read:
    return _some_day(int(month or 1), int(day or 1))


def _slash_date(first: str, second: str, third: str | None) -> _Read:
    """Month and day in either order; with a third number, a year of two digits at either end."""
    pairs = ((first, second), (second, first)) + (((second, third), (third, second)) if third else ())
    written = any(is_day(int(month), int(day)) for month, day in pairs)
    return _Read("date" if written else "unknown", None)


def _named_date(*groups: str | None) -> _Read:
    """Month, day and year, in front or behind; year 0 where a month's name and a day stand without one."""
    month, day, year = groups[:3] if groups[0] else groups[3:]
    if not month or not day:
        return _Read("date", None)
    number = _MONTHS.index(month[:3]) + 1
    if not is_day(number, int(day), int(year or 2000)):
        return _Read("unknown", None)
    return _Read("date", (int(year or 0), number, int(day)))


# What the groups of a shape mean: a function from their texts to the token's kind and value.
_READERS: tuple[tuple[str, str, Callable[..., _Read]], ...] = (
    ("iso", "iy im id ih in is io", _iso),
    ("spaced_iso", "jy jm jd jh jn js jo", _iso),
    ("basic", "by bm bd bh bn bs bo", _iso),
    ("colon", "ch cm cs co cp", _colon),
    ("spoken", "hh hx hm hb hf hs", _spoken),
    ("military", "xh xm xs", _military),
    ("french", "gh gm gx", _french),
    ("past", "q30 q45 qp qt qh", _past),
    ("letter", "lh lm lp", _letter),
    ("dotted", "dh dm ds", _dotted),
    ("number_word", "eh em ex", _number_word),
    ("full_date", "fy fm fd", _full_date),
    ("tail_date", "ta tb ty", _tail_date),
    ("unit_date", "uy um ud", _unit_date),
    ("part_date", "pm pd", _part_date),
    ("slash_date", "sa sb sc", _slash_date),
    ("spaced_date", "sm sd", _month_day),
    ("spaced_year_date", "vm vd", _month_day),
    ("compact_date", "ky km kd", _full_date),
    ("named_date", "na nb nc ne nd nf", _named_date),
)


@cache
def _readers() -> dict[str, tuple[tuple[int, ...], Callable[..., _Read]]]:
    """By shape: the numbers of its groups, and their reader, which works out each hour and minute once."""
    number = master().groupindex
    return {
        shape: (tuple(number[group] for group in groups.split()), lru_cache(maxsize=4096)(read))
        for shape, groups, read in _READERS
    }
