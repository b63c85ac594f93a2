"""Cut a cleaned text into tokens so that every character belongs to one.

Numbers are read by the shapes below; words come from the lexicon, longest first. What neither knows becomes an
``unknown`` token: it is never skipped.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from parsers.lexicon import lexicon


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


class _Node:
    """A place in the trie: what may follow, whether a space may stand before it, whether a word ends here."""

    __slots__ = ("ends", "following", "spaced")

    def __init__(self) -> None:
        self.following: dict[str, _Node] = {}
        self.spaced = self.ends = False

    def pattern(self) -> str:
        branches = [
            (" ?" if child.spaced else "") + re.escape(char) + child.pattern()
            for char, child in sorted(self.following.items())
        ]
        if not branches:
            return ""
        body = branches[0] if len(branches) == 1 and not self.ends else f"(?:{'|'.join(branches)})"
        return body + "?" if self.ends else body


def _trie(words: Iterable[str]) -> str:
    """Regular expression for the longest of ``words``; a space that one has is optional for all that share it."""
    root = _Node()
    for word in words:
        node, spaced = root, False
        for char in word:
            if char == " ":
                spaced = True
                continue
            node = node.following.setdefault(char, _Node())
            node.spaced |= spaced
            spaced = False
        node.ends = True
    return root.pattern()


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", " ?") for word in sorted(set(words), key=len, reverse=True) if word)


# Latin letters with their accents: no word of ours is found inside one of another language (tháng).
_LATIN = "a-z\u00df-\u024f\u0300-\u036f\u1e00-\u1eff"
_LATIN_END = f"(?![{_LATIN}])"


def _shapes() -> str:
    """Every token's shape, in the order they are tried: numbers by what stands around them, then words."""
    lex = lexicon()
    units = {name: _any(entries) for name, entries in lex.units.items()}
    numeral, minutes = _trie(lex.numerals), _trie({**lex.numerals, **lex.minute_numerals})
    later = _any([*lex.units["duration.later"], *lex.units["duration.ago"]])
    hour = f"(?:{units['clock.hour']}){_LATIN_END}(?!(?:{units['clock.not_after_hour']}))"
    minute, second = f"(?:{units['clock.minute']})", f"(?:{units['clock.second']})"
    half = f"(?:{units['clock.half']})(?!{units['clock.not_after_half']})"
    months = f"(?:{units['date.months']})"
    year, month, day = (f"(?:{units[f'date.{name}']})" for name in ("year", "month", "day"))
    ordinal = "(?:st|nd|rd|th)"
    hours_in_a_row = "|".join(f"{hour}/{hour % 12 + 1}" for hour in range(1, 13))  # 2/3 pm: two or three, no date
    offset = r"z(?![a-z])|[+-]\d{2}(?::?\d{2})?"
    first = [
        (
            "spoken",
            rf"(?P<hh>\d{{1,2}}|{numeral}) ?{hour}"
            rf"(?: ?(?:(?P<hx>{_any(lex.quarters)})|(?P<hm>\d{{1,2}}|{minutes}) ?{minute}|(?P<hf>{half})"
            rf"|(?P<hb>\d{{2}})(?!\d| ?(?:{hour}|[:/.~-]|{month}|{day})))"
            rf"(?: ?(?P<hs>\d{{1,2}}) ?{second})?)?",
        ),
    ]
    digits_first = [
        (
            "colon",
            r"(?P<ch>\d{1,2}) ?: ?(?P<cm>\d{2})"
            r"(?: ?: ?(?P<cs>\d{2})(?:[.,:]\d{3,9}|[.,]\d{1,9})?(?P<co>\+\d{2}(?!\d|:)| [+-]\d{4}(?!\d))?)?(?![\d:])"
            rf"(?! ?(?:{units['duration.unit']}))"
            rf"(?: ?(?:{minute}|{hour}))?(?P<cp>[ap](?![a-z.]))?",
        ),
        (
            "iso",
            r"(?P<iy>\d{4})-(?P<im>\d{2})-(?P<id>\d{2})t(?P<ih>\d{2}):(?P<in>\d{2})(?::(?P<is>\d{2})(?:[.,]\d+)?)?"
            rf" ?(?P<io>{offset})?(?![\d:])",
        ),
        (
            "spaced_iso",
            r"(?P<jy>\d{4})-(?P<jm>\d{2})-(?P<jd>\d{2}) (?P<jh>\d{2}):(?P<jn>\d{2}):(?P<js>\d{2})(?:[.,]\d+)?"
            rf" ?(?P<jo>{offset})(?![\d:])",
        ),
        (
            "basic",
            r"(?P<by>\d{4})(?P<bm>\d{2})(?P<bd>\d{2})t(?P<bh>\d{2})(?P<bn>\d{2})(?P<bs>\d{2})?(?:[.,]\d+)?"
            rf"(?P<bo>{offset})?(?![\d:])",
        ),
        ("unknown_phone", r"(?:82[-. ]?1|0)\d{1,2}[-. ]?\d{3,4}[-. ]?\d{4}(?!\d)"),
        ("epoch", r"1\d{9}(?:\d{3})?(?:\.\d+)?(?!\d)"),
        ("compact_date", r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"),
        ("full_date", r"(?P<fy>\d{4}) ?[-./] ?(?P<fm>\d{1,2}) ?[-./] ?(?P<fd>\d{1,2})(?![\d:])\.?"),
        ("tail_date", r"(?P<ta>\d{1,2}) ?[-./] ?(?P<tb>\d{1,2}) ?[-./] ?(?P<ty>\d{4})(?![\d:])\.?"),
        ("unit_date", rf"(?:(?P<uy>\d{{2,4}}) ?{year} ?)?(?P<um>\d{{1,2}}) ?{month} ?(?P<ud>\d{{1,2}}) ?{day}"),
        ("part_date", rf"(?:\d{{2,4}} ?{year} ?)?\d{{1,2}} ?{month}(?! ?\d)|\d{{2,4}} ?{year}|\d{{1,2}} ?{day}"),
        ("spaced_year_date", rf"\d{{2}}\. ?\d{{1,2}}\. \d{{1,2}}(?![\d:]| ?{hour})\.?"),
        ("spaced_date", r"(?:1[0-2]|[1-9])\. (?:3[01]|[12]\d|[1-9])\.(?!\d)"),
        (
            "slash_date",
            rf"(?!(?:{hours_in_a_row}) ?[ap]\.? ?m(?![a-z]))\d{{1,2}}/\d{{1,2}}(?:/\d{{2}})?(?![\d/:])(?! ?{hour})",
        ),
    ]
    either = [
        (
            "named_date",
            rf"(?P<na>{months})\.? (?P<nb>\d{{1,2}}){ordinal}?(?![\d:a-z])(?:,? (?P<nc>\d{{4}})(?![\d:]))?"
            rf"|(?P<nd>\d{{1,2}}){ordinal}?[ -]?(?:of )?(?P<ne>{months}){_LATIN_END}\.?"
            r"(?:,?[ -]?(?P<nf>\d{4})(?![\d:])|-\d{2}(?!\d)| \d{2}(?= \d{1,2}:))?"
            rf"|\d{{1,2}}{ordinal}{_LATIN_END}",
        ),
        (
            "duration",
            rf"(?:(?:\d+(?:[.:]\d+)?|{numeral}) ?(?:{units['duration.unit']}){_LATIN_END}"
            rf"(?: ?(?:{units['clock.half']}))?"
            r"|(?:half )?an? (?:hour|minute|day|week))"
            rf"(?: ?(?:{later}))?",
        ),
        ("lone_minutes", rf"(?:\d{{1,3}}|{minutes}) ?{minute}(?: ?(?:{later}))?"),
    ]
    digits_last = [
        ("military", rf"(?P<xh>\d{{2}})(?P<xm>\d{{2}}) ?(?:{hour}|(?:h|hrs|hours){_LATIN_END})"),
        ("french", rf"(?P<gh>\d{{1,2}}) ?h ?(?P<gm>\d{{2}})(?!\d)|(?P<gx>\d{{1,2}}) ?h{_LATIN_END}"),
        ("letter", r"(?P<lh>\d{1,2})(?P<lm>\d{2})?(?P<lp>[ap])(?![a-z.])"),
        ("dotted", r"(?P<dh>\d{1,2})\.(?P<dm>\d{1,2})(?:\.(?P<ds>\d{2})(?:\.\d{3,9})?)?(?!\.?\d)"),
        ("number", r"\d+(?:\.\d+)?"),
    ]
    words = [
        ("word", _trie(lex.phrases.values()) + f"(?!(?<=[a-z])[{_LATIN}])"),
        (
            "past",
            rf"(?:(?P<q30>{units['clock.half_before']})|(?P<q15>{units['clock.quarter_past']})"
            rf"|(?P<q45>{units['clock.quarter_to']})|(?P<qp>[1-9]|[12]\d|{minutes}) (?:{units['clock.minutes_past']}))"
            rf" (?P<qh>\d{{1,2}}|{numeral}){_LATIN_END}(?! ?[:.]\d)",
        ),
        (
            "zone",
            r"(?:[a-z]+ ){1,3}(?:standard|daylight|summer) time(?![a-z])"
            r"|(?:gmt|utc) ?[+-] ?\d{1,2}(?::?\d{2})?|\+\d{2}:?\d{2}(?!\d)|(?:gmt|utc|z)(?![a-z])"
            r"|(?:africa|america|asia|atlantic|australia|europe|indian|pacific|etc)/[a-z_]+(?:/[a-z_]+)?(?![a-z/])",
        ),
        (
            "number_word",
            rf"(?P<eh>{_any(word for word in lex.numerals if word.isascii())}){_LATIN_END}"
            rf"(?: (?P<em>{_any(word for word in lex.minute_numerals if word.isascii())}){_LATIN_END})?",
        ),
    ]
    return (
        _any_of(first)
        + "|"
        + _led_by_digit(digits_first)
        + "|"
        + _any_of(either)
        + "|"
        + _led_by_digit(digits_last)
        + "|"
        + _any_of(words)
    )


def _any_of(shapes: list[tuple[str, str]]) -> str:
    return "|".join(f"(?P<{name}>{shape})" for name, shape in shapes)


def _led_by_digit(shapes: list[tuple[str, str]]) -> str:
    """Shapes that start with a digit: passed over at once where there is none."""
    return rf"(?=\d)(?:{_any_of(shapes)})"


@cache
def _master() -> re.Pattern[str]:
    return re.compile(rf" *(?:{_shapes()}|(?P<sign>-+|~+|[,/;]|[.:'?@]+)|(?P<unknown>[{_LATIN}']+|.))", re.DOTALL)


_DATES = {
    "spaced_year_date",
    "compact_date",
    "full_date",
    "tail_date",
    "unit_date",
    "part_date",
    "named_date",
    "spaced_date",
    "slash_date",
}
# 1h30 is as likely an hour and a half as half past one.
_FRENCH_FROM = 7
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def lex(text: str) -> list[Token]:
    """Cut a cleaned text (:func:`parsers.clean.clean`) into tokens; together they cover every character but spaces."""
    tokens = []
    words = lexicon().words
    for match in _master().finditer(text):
        kind = match.lastgroup
        if kind is None:
            continue
        start, end = match.span(kind)
        if kind == "word":
            tokens.append(Token(words[text[start:end].replace(" ", "")], None, start, end))
        elif kind in _READERS:
            tokens.append(_READERS[kind](match, start, end))
        elif kind == "unknown_phone":
            tokens.append(Token("unknown", text[start:end], start, end))
        elif kind in _DATES:
            tokens.append(Token("date", _day(kind, match), start, end))
        else:
            tokens.append(Token(kind, text[start:end], start, end))
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


def _day(kind: str, match: re.Match[str]) -> tuple[int, int, int] | None:
    """(year, month, day) where the token gives all three; year 0 where a month's name and a day stand without one."""
    group = match.group
    if kind == "full_date":
        return int(group("fy")), int(group("fm")), int(group("fd"))
    if kind == "tail_date":
        first, second = int(group("ta")), int(group("tb"))
        return int(group("ty")), *((second, first) if first > 12 else (first, second))
    if kind == "unit_date" and group("uy") and len(group("uy")) == 4:
        return int(group("uy")), int(group("um")), int(group("ud"))
    if kind == "named_date":
        for name, day, year in (("na", "nb", "nc"), ("ne", "nd", "nf")):
            if group(name):
                return int(group(year) or 0), _MONTHS.index(group(name)[:3]) + 1, int(group(day))
    return None


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


def _read_iso(match: re.Match[str], start: int, end: int) -> Token:
    prefix = "i" if match["iso"] else "j" if match["spaced_iso"] else "b"
    year, month, day, hour, minute, second, offset = (match[prefix + part] for part in "ymdhnso")
    clock = Clock(int(hour), int(minute), "padded", _second(second), _offset(offset), (int(year), int(month), int(day)))
    return Token("clock", clock, start, end)


def _read_colon(match: re.Match[str], start: int, end: int) -> Token:
    hour, minute, second = match["ch"], match["cm"], match["cs"]
    clock = Clock(int(hour), int(minute), _style(hour, marked=True), _second(second), _offset(match["co"]))
    return Token("clock", (clock, match["cp"]) if match["cp"] else clock, start, end)


def _read_spoken(match: re.Match[str], start: int, end: int) -> Token:
    hour, minute = match["hh"], 0
    if match["hx"]:
        minute = lexicon().quarters[match["hx"].replace(" ", "")]
    elif match["hm"] or match["hb"]:
        minute = _numeral(match["hm"] or match["hb"])
    elif match["hf"]:
        minute = 30
    clock = Clock(_numeral(hour), minute, _style(hour, marked=False), _second(match["hs"]))
    return Token("clock_minutes" if match["hm"] else "clock", clock, start, end)


def _read_military(match: re.Match[str], start: int, end: int) -> Token:
    return Token("clock", Clock(int(match["xh"]), int(match["xm"]), "padded"), start, end)


def _read_french(match: re.Match[str], start: int, end: int) -> Token:
    if match["gx"]:
        hour = int(match["gx"])
        if hour < 13:
            return Token("duration", None, start, end)
        return Token("clock", Clock(hour, 0, "padded"), start, end)
    if int(match["gh"]) < _FRENCH_FROM:
        return Token("duration", None, start, end)
    return Token("clock", Clock(int(match["gh"]), int(match["gm"]), _style(match["gh"], marked=True)), start, end)


def _read_past(match: re.Match[str], start: int, end: int) -> Token:
    hour = _numeral(match["qh"])
    minute = _numeral(match["qp"]) if match["qp"] else 30 if match["q30"] else 15
    ago = 0
    if match["q45"]:
        minute, ago = 0, 15
    return Token("clock", Clock(hour, minute, _style(match["qh"], marked=False), ago=ago), start, end)


def _read_letter(match: re.Match[str], start: int, end: int) -> Token:
    clock = Clock(int(match["lh"]), int(match["lm"] or 0), _style(match["lh"], marked=False))
    return Token("clock", (clock, match["lp"]), start, end)


def _read_dotted(match: re.Match[str], start: int, end: int) -> Token:
    hour, minute = match["dh"], match["dm"]
    style = "dotted" if len(minute) == 2 else "decimal"
    return Token("dotted", Clock(int(hour), int(minute), style, _second(match["ds"])), start, end)


def _read_number_word(match: re.Match[str], start: int, end: int) -> Token:
    minute = _numeral(match["em"]) if match["em"] else 0
    clock = Clock(_numeral(match["eh"]), minute, "bare" if match["em"] else "number")
    return Token("clock" if match["em"] else "number", clock if match["em"] else str(clock.hour), start, end)


_READERS = {
    "iso": _read_iso,
    "spaced_iso": _read_iso,
    "basic": _read_iso,
    "colon": _read_colon,
    "spoken": _read_spoken,
    "military": _read_military,
    "french": _read_french,
    "past": _read_past,
    "letter": _read_letter,
    "dotted": _read_dotted,
    "number_word": _read_number_word,
}
