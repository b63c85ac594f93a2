"""Days beside a time: marks that list or bound days say nothing of the time, and a day may be left without one."""

import re

from parsers.lexer import Token

DATES = {"date", "weekday_short"}
SMALL_TALK = {"filler", "particle"}
_LIST_MARKS = {"or", "and", "sign", "to_infix"}
_OPENING = {"from_prefix", "between_prefix"}
_BOUNDING = _OPENING | {"until_prefix", "after_prefix", "before_prefix"}
_JOINING = _LIST_MARKS | {"from_suffix"}
# What may belong to days rather than to the time.
_MARKS = _JOINING | _BOUNDING | {"until_suffix"}
_TIMES = ("clock", "half_", "instant_", "number", "dotted")
_SEPARATORS = ",/;"
_WEEKDAY = re.compile(
    r"요일$|욜$|曜日?$|[周週][一二三四五六日天]$|(?:星期|礼拜|禮拜).$|^(?:mon|tue|wed|thu|fri|sat|sun)(?!.*end)"
)


def speak_of_days(tokens: list[Token]) -> bool:
    """Whether dates stand in several places, with something of the time between them: 화 오후 수 아무때나."""
    days, apart = 0, True
    for token in tokens:
        if token.kind in DATES:
            days, apart = days + apart, False
        elif token.kind not in SMALL_TALK and token.kind not in _LIST_MARKS:
            apart = True
    return days > 1


def said_of_days(text: str, tokens: list[Token]) -> dict[int, str]:
    """The symbol by place of each mark that speaks of days, none where it says nothing, and of a day left alone."""
    said = {}
    for place, token in enumerate(tokens):
        if token.kind in _MARKS:
            if _of_days(tokens, place):
                said[place] = ""
            elif _bounds_a_day(tokens, place):
                said[place] = "?"
    alone = _left_alone(text, tokens)
    return said if alone is None else said | {alone: "d"}


def _of_days(tokens: list[Token], place: int) -> bool:
    """Whether a mark joins or bounds days alone: 월요일이나 화요일 오전, 월요일부터 금요일까지 오전."""
    kind = tokens[place].kind
    before, after = _said(tokens, place, -1), _said(tokens, place, 1)
    if kind in _OPENING:
        while after is not None and tokens[after].kind in DATES:
            before, after = after, _said(tokens, after, 1)
        joined = after is not None and (tokens[after].kind in _LIST_MARKS or tokens[after].kind == "until_prefix")
        return joined and after is not None and _is_date(tokens, before) and _is_date(tokens, _said(tokens, after, 1))
    if kind in {"until_suffix", "until_prefix"}:
        opened = any(other.kind == "from_suffix" and _of_days(tokens, at) for at, other in enumerate(tokens[:place]))
        opened = opened or (kind == "until_prefix" and any(other.kind in _OPENING for other in tokens[:place]))
        return opened and _is_date(tokens, before) and (kind == "until_suffix" or _is_date(tokens, after))
    return kind in _JOINING and _is_date(tokens, before) and _is_date(tokens, after)


def _bounds_a_day(tokens: list[Token], place: int) -> bool:
    """Whether a mark in front of a day bounds that day's moment and no time of day: before Friday 12pm."""
    return tokens[place].kind in _BOUNDING and _is_date(tokens, _said(tokens, place, 1))


def _left_alone(text: str, tokens: list[Token]) -> int | None:
    """The place of a second day of which no time is said: 오늘 오후, 내일.

    A day behind the time that tells the first in other words is none: 화요일 3시, 11월 4일.
    """
    days = [place for place, token in enumerate(tokens) if token.kind in DATES]
    if len(days) < 2:
        return None
    times = [place for place, token in enumerate(tokens) if token.kind.startswith(_TIMES)]
    if not times or not days[0] < times[0] or not times[-1] < days[-1]:
        return None
    second = next(place for place in days if place > times[-1])
    between = tokens[times[-1] + 1 : second]
    listed = any(token.kind in {"or", "and"} or text[token.start] in _SEPARATORS for token in between)
    first = {_way(text, tokens[place]) for place in days if place < times[0]}
    way = _way(text, tokens[second])
    return second if way in first or (listed and "number" not in {way, *first}) else None


def _way(text: str, token: Token) -> str:
    """How a day is told: by numbers, as a weekday, or by another word."""
    written = text[token.start : token.end]
    if any(char.isdigit() for char in written):
        return "number"
    return "weekday" if token.kind == "weekday_short" or _WEEKDAY.search(written) else "word"


def _said(tokens: list[Token], place: int, step: int) -> int | None:
    """The place of the next token, in steps of 1 or -1, that says something."""
    place += step
    while 0 <= place < len(tokens) and tokens[place].kind in SMALL_TALK:
        place += step
    return place if 0 <= place < len(tokens) else None


def _is_date(tokens: list[Token], place: int | None) -> bool:
    return place is not None and tokens[place].kind in DATES
