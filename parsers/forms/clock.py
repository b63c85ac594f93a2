"""A term by itself: 14:00, 오후 3시, 정오, 오전."""

from parsers.policy import Policy
from parsers.readings import Reading, point
from parsers.sentence import Item

PATTERN = r"t"


def read(items: list[Item], policy: Policy) -> Reading:
    """The point or stretch the one term denotes."""
    term = items[0].term
    if term is None:
        raise ValueError("a clock phrase has a term")
    return point(term, policy)
