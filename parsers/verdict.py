"""What a parser of the chain answers."""

from typing import NamedTuple

from parsers.readings import Reading
from parsers.types import Period, Reason


class Verdict(NamedTuple):
    """A parser's claim on a text: AUTO with a period, or a reason for review with perhaps a suggestion.

    ``start`` and ``end`` are minutes of the day that the text gives; ``span`` is the part of the cleaned text used.
    """

    rule: str
    period: Period | None
    reason: Reason | None
    start: int | None = None
    end: int | None = None
    span: tuple[int, int] | None = None


def review(rule: str, reason: Reason, suggestion: Period | None = None) -> Verdict:
    """A claim that sends the text to a person."""
    return Verdict(rule, suggestion, reason)


def from_reading(reading: Reading, period: Period | None, span: tuple[int, int] | None) -> Verdict:
    """A claim made of a reading; ``period`` is the half it lies in."""
    if reading.reason:
        return Verdict(reading.rule, reading.suggestion, reading.reason, reading.start, reading.end, span)
    return Verdict(reading.rule, period, None if period else Reason.SPANS_NOON, reading.start, reading.end, span)
