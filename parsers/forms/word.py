"""A stretch of the day with words that narrow it without leaving it: 오후 아무때나, 오전 첫 타임, 오전 중에."""

from parsers.policy import Policy
from parsers.readings import Reading, before, half_of, point, refused
from parsers.sentence import Item
from parsers.types import Period, Reason

# 퇴근 후, before work: they lie in one half, whatever stands beside them. 첫 타임 or 일찍 may be of either half.
_OUTINGS = {"outing_morning": Period.MORNING, "outing_afternoon": Period.AFTERNOON}

PATTERN = r"[XV]*t[XVI]+|[XV]+tI?"


def read(items: list[Item], policy: Policy) -> Reading:
    """The term's reading, where the words beside it cannot lead out of its half."""
    term = next(item.term for item in items if item.term)
    if term.clock is not None or term.instant is not None:
        if all(item.symbol in "tI" for item in items):
            return before(term, policy, inclusive=True)
        suggestion = point(term, policy).period(policy)
        beside = Reason.NO_PREFERENCE if any(item.symbol == "X" for item in items) else Reason.AMBIGUOUS_WORD
        return refused("narrowed_clock", beside, suggestion)
    reading = point(term, policy)
    if reading.reason:
        return reading
    if any(item.token.kind == "both" for item in items):
        return refused("narrowed_word", Reason.NO_PREFERENCE, reading.period(policy))
    for item in items:
        outing = _OUTINGS.get(item.token.kind)
        if outing is not None and outing is not half_of(reading.lo, policy):
            return refused("narrowed_word", Reason.AMBIGUOUS_WORD, reading.period(policy))
    return reading
