"""Zones and clocks: each zone goes to the clock it stands beside, and zoned clocks get the date of their text."""

from parsers.lexer import Clock, Token
from parsers.lexicon import lexicon

# Stands for a date that is not complete: a clock beside one is no time-only column.
_SOME_DAY = (2026, 1, 1)


def is_zoned(tokens: list[Token]) -> bool:
    """Whether there is any zone."""
    for kind, value, _, _ in tokens:  # noqa: SIM110 - any() is twice as slow
        if kind == "zone" or (type(value) is Clock and value.offset is not None):
            return True
    return False


def with_zones(text: str, tokens: list[Token]) -> list[Token]:
    """Give each zone to the clock beside it, and every zoned clock the complete date of the text."""
    out: list[Token] = []
    leading: int | str | None = None
    for token in tokens:
        if token.kind != "zone":
            leads = leading is not None and _offset_of(token) is None and type(token.value) is Clock
            out.append(_zoned(text, token, leading) if leads else token)
            leading = None if leads else leading
            continue
        offset = _zone_offset(text[token.start : token.end])
        place = _clock_before(out)
        if place is None and offset is not None and (number := _number_before(out)) is not None:
            out[number] = _zoned_number(out[number], offset)
        elif place is None and offset is not None and leading is None:
            leading = offset
        elif place is None or (offset is None and _offset_of(out[place]) is None):
            out.append(token._replace(kind="unknown"))
        elif _offset_of(out[place]) is None:
            out[place] = _zoned(text, out[place], offset)
        elif _contradict(_offset_of(out[place]), offset):
            out.append(token._replace(kind="unknown"))
    if leading is not None:
        return [token._replace(kind="unknown") if token.kind == "zone" else token for token in tokens]
    days = [token.value for token in tokens if token.kind == "date"]
    day = next((value for value in days if value and value[0]), _SOME_DAY if days else None)
    return [
        token._replace(value=token.value._replace(day=token.value.day or day))
        if day and _offset_of(token) is not None
        else token
        for token in out
    ]


def _zoned(text: str, token: Token, offset: int | str | None) -> Token:
    """The clock with its zone; digits and a zone are what machines write, so they are read as a 24-hour clock."""
    clock = token.value._replace(offset=offset)
    digits = ":" in text[token.start : token.end]
    return token._replace(value=clock._replace(style="padded") if digits else clock)


def _number_before(tokens: list[Token]) -> int | None:
    """The place of the number that a half-day word and then a zone follow: 10 am KST."""
    place = len(tokens) - 1
    while place >= 0 and tokens[place].kind.startswith("half_"):
        place -= 1
    if not 0 <= place < len(tokens) - 1 or tokens[place].kind != "number":
        return None
    return place if tokens[place].value.isdigit() and len(tokens[place].value) <= 2 else None


def _zoned_number(token: Token, offset: int | str) -> Token:
    return token._replace(kind="clock", value=Clock(int(token.value), 0, "number", offset=offset))


def _contradict(first: int | str | None, second: int | str | None) -> bool:
    """Whether two zones of one clock differ; by under an hour they do not: GMT+0827 was Korea's in 1899."""
    offsets = [0 if offset == "Z" else offset for offset in (first, second)]
    minutes = [offset for offset in offsets if isinstance(offset, int)]
    return len(minutes) == 2 and abs(minutes[0] - minutes[1]) >= 60


def _offset_of(token: Token) -> int | str | None:
    return token.value.offset if type(token.value) is Clock else None


def _clock_before(tokens: list[Token]) -> int | None:
    """The place of the clock that a zone behind ``tokens`` belongs to; half-day words may stand between."""
    place = len(tokens) - 1
    while place >= 0 and tokens[place].kind.startswith(("half_", "filler", "sign")):
        place -= 1
    return place if place >= 0 and type(tokens[place].value) is Clock else None


def _zone_offset(name: str) -> int | str | None:
    """Minutes east of UTC, an IANA name, ``"Z"``, or None for a zone nobody knows."""
    compact = name.replace(" ", "")
    if compact in lexicon().zones:
        return lexicon().zones[compact]
    if compact.endswith(("standardtime", "daylighttime", "summertime")):
        return None
    if compact in ("z", "gmt", "utc"):
        return "Z" if compact == "z" else 0
    if "/" in compact:
        return "/".join("_".join(part.capitalize() for part in piece.split("_")) for piece in compact.split("/"))
    sign = -1 if "-" in compact else 1
    digits = "".join(char for char in compact if char.isdigit())
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    return sign * (hours * 60 + minutes) if hours <= 14 and minutes < 60 else None


def with_trailing_year(tokens: list[Token]) -> list[Token]:
    """Mon Dec 01 15:00:00 KST 2025: a year at the end belongs to the day and month at the start."""
    last = tokens[-1] if tokens else None
    if last is None or last.kind != "number" or not isinstance(last.value, str) or not last.value.isdigit():
        return tokens
    place = next((i for i, token in enumerate(tokens) if token.kind == "date" and token.value), None)
    if place is None or tokens[place].value[0] or len(last.value) != 4 or not 1900 <= int(last.value) <= 2099:
        return tokens
    day = (int(last.value), *tokens[place].value[1:])
    rest = tokens[:-1]
    rest[place] = rest[place]._replace(value=day, end=tokens[place].end)
    return rest
