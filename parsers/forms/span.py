"""A range: 2시~4시, 오후 2시부터 4시까지, from 2 to 4pm, between 2pm and 4pm, after 2 before 4pm, 2시 이후 4시 이전."""

from parsers.policy import Policy
from parsers.readings import Reading, between
from parsers.sentence import Item

PATTERN = r"X?f?t(?:~+|F~*|o|u)tU?[WIB]?X?|X?w?t(?:&|~|o)tWX?|X?wt(?:&|~|o)tX?|tA,?t[UB]X?|X?[af]t[,&]?[bu]tX?"


def read(items: list[Item], policy: Policy) -> Reading:
    """The interval from the first term to the last."""
    terms = [item.term for item in items if item.term]
    return between(terms[0], terms[-1], policy)
