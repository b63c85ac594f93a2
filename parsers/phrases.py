"""Reading whole sentences with the grammar: one phrase, or alternatives that must agree."""

from parsers.forms import read_phrase
from parsers.policy import Policy
from parsers.readings import Reading
from parsers.sentence import Item
from parsers.types import Reason
from parsers.verdict import Verdict, from_reading, review

_OR = ",|&!"


def read_one(items: list[Item], policy: Policy) -> Verdict | None:
    """The verdict on items that are one phrase; None where no form has their shape."""
    reading = read_phrase(items, policy)
    return None if reading is None else from_reading(reading, reading.period(policy), _span(items))


def read_several(items: list[Item], policy: Policy) -> Verdict | None:
    """The verdict on phrases joined by "or", commas or nothing: a period only where all lie in the same half."""
    readings = [read_phrase(part, policy) for part in _parts(items)]
    if None in readings:
        return None
    return _agree([reading for reading in readings if reading is not None], items, policy)


def read_any(items: list[Item], policy: Policy) -> Verdict | None:
    """One phrase or several; None where the grammar does not reach."""
    if not items:
        return None
    return read_one(items, policy) or read_several(items, policy)


def _agree(readings: list[Reading], items: list[Item], policy: Policy) -> Verdict:
    periods = {reading.period(policy) for reading in readings}
    if len(periods) == 1 and None not in periods:
        starts = [reading.start for reading in readings if reading.start is not None]
        period = periods.pop()
        return Verdict("alternatives", period, None, min(starts) if starts else None, None, _span(items))
    decided = periods - {None}
    if len(decided) > 1:
        return review("alternatives", Reason.CONFLICTING)
    refusals = [reading.reason for reading in readings if reading.reason]
    reason = refusals[0] if refusals else Reason.CONFLICTING
    return review("alternatives", reason, decided.pop() if decided else None)


def _parts(items: list[Item]) -> list[list[Item]]:
    """Split at or-marks; times side by side (14:00 오후 2시, afternoon after 1pm) are alternatives too."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if item.symbol in _OR:
            parts.append([])
        elif _starts_another(item, parts[-1]):
            parts.append([item])
        else:
            parts[-1].append(item)
    return parts


def _starts_another(item: Item, part: list[Item]) -> bool:
    """Whether a time, or a bound in front of one, begins another phrase behind one that is complete."""
    complete = bool(part) and part[-1].symbol in "tAB"
    return complete and item.symbol in "tab"


def _span(items: list[Item]) -> tuple[int, int]:
    return items[0].start, items[-1].end
