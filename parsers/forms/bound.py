"""An open-ended bound: 3시 이후, 11시 전, 10시부터, until noon, 오전 10시~, ~11시."""

from parsers.policy import Policy
from parsers.readings import Reading, after, before, point, refused
from parsers.sentence import UNSURE_MARK, Item
from parsers.types import Reason

PATTERN = r"X*[af]?t(?:[AF]+~*|~+)X*|X*[af]tX*|X*[bu~]?t[BU]+X*|X*[bu~]tX*"


def read(items: list[Item], policy: Policy) -> Reading:
    """From the term to closing time, or from opening time to the term."""
    symbols = "".join(item.symbol for item in items)
    place = symbols.index("t")
    term = items[place].term
    if term is None:
        raise ValueError("a bound has a term")
    marks = symbols.replace("t", "").replace("X", "")
    if any(mark in "afAF" for mark in marks) or symbols[place + 1 : place + 2] == "~":
        return after(term, policy, inclusive=not any(mark in "aA" for mark in marks))
    until = before(term, policy, inclusive=not any(mark in "bB" for mark in marks))
    if any(item.token.kind == UNSURE_MARK for item in items) and until.period(policy) is not point(term, policy).period(
        policy
    ):
        return refused("bound", Reason.SPANS_NOON)
    return until
