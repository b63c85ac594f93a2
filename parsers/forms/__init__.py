"""What one phrase can be: each form is a shape of symbols and the reading it denotes.

A form module has ``PATTERN``, matched against the whole of a phrase's symbols, and ``read(items, policy)``. The tuple
is the order in which they are tried; no two of them match the same symbols.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from parsers.forms import bound, clock, span, word
from parsers.policy import Policy
from parsers.readings import Reading
from parsers.sentence import Item


class Form(NamedTuple):
    """A named shape of a phrase."""

    name: str
    pattern: re.Pattern[str]
    read: Callable[[list[Item], Policy], Reading]


def _form(name: str, pattern: str, read: Callable[[list[Item], Policy], Reading]) -> Form:
    compiled = re.compile(pattern)
    if compiled.fullmatch(""):
        raise ValueError(f"form {name!r} would claim an empty phrase")
    return Form(name, compiled, read)


FORMS: tuple[Form, ...] = (
    _form("clock", clock.PATTERN, clock.read),
    _form("word", word.PATTERN, word.read),
    _form("range", span.PATTERN, span.read),
    _form("bound", bound.PATTERN, bound.read),
)


def read_phrase(items: list[Item], policy: Policy) -> Reading | None:
    """The reading of the first form that claims the phrase, or None."""
    form = _form_of("".join([item.symbol for item in items]))
    return None if form is None else form.read(items, policy)


@lru_cache(maxsize=4096)
def _form_of(symbols: str) -> Form | None:
    return next((form for form in FORMS if form.pattern.fullmatch(symbols)), None)
