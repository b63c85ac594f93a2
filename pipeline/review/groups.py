"""The texts that wait for people in one run, sorted into groups that a person can often answer with one word."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from parsers.types import Disposition, Period, Reason
from pipeline import review_file, reviewed
from pipeline.errors import RunError

_WAITING = """
SELECT d.raw, t."rows" - t.already_set, d.period, d.confidence, d.reason, t.first_seen, t.last_seen, s.meaning
FROM decisions d
JOIN texts t ON d.raw IS NOT DISTINCT FROM t.raw
JOIN text_shapes s ON d.raw IS NOT DISTINCT FROM s.raw
WHERE d.disposition = $review AND d.rule <> $reviewed AND t."rows" > t.already_set
"""
# For these no digits in a text say what should be answered: a telephone number is no time.
_WHATEVER_THE_HOUR = {Reason.EMPTY, Reason.PLACEHOLDER, Reason.NO_TIME, Reason.NO_PREFERENCE, Reason.TOO_LONG}
_COIN_TOSS = 0.5
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One text a person is asked about.

    ``raw`` byte for byte (None: the NULL), ``rows`` the rows a word about it settles, ``suggestion`` with its
    ``confidence`` 0 to 1, when it was ``first_seen`` and ``last_seen``, ``group`` the number of its group.
    """

    key: str
    raw: str | None
    rows: int
    suggestion: Period | None = None
    confidence: float = 0.0
    reason: Reason | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    group: int = 0


def likeness(text: Waiting, meaning: str) -> tuple[str, ...]:
    """What texts must share to be offered the same answer: shape (``meaning``), reason and suggestion.

    Where no suggestion is better than a coin toss the hour makes the difference, so its digits must be the same as
    well, and an hour in words stands alone.

    >>> eight, *others = (Waiting("", raw, 1) for raw in ("8시", "８시쯤", "6시", "여덟시"))
    >>> [likeness(eight, "clock") == likeness(other, "clock") for other in others]
    [True, False, False]
    """
    shared = (meaning, text.reason or "", text.suggestion or "")
    if text.raw is None:
        return "NULL", *shared  # it has no half of the day, whatever a blank text may have
    if (text.suggestion and text.confidence > _COIN_TOSS) or text.reason in _WHATEVER_THE_HOUR:
        return shared
    digits = [digits for digits in _DIGITS.findall(unicodedata.normalize("NFKC", text.raw)) if int(digits)]  # 8:00 is 8
    in_words = not digits and any(kind in meaning for kind in ("clock", "number", "time"))
    return *shared, *([text.raw] if in_words else digits)


def waiting_in(workbench: duckdb.DuckDBPyConnection, run_id: str) -> list[Waiting]:
    """Read the texts that wait in a run: the largest group first, most rows first in each.

    Raises:
        RunError: the workbench lacks a table or cannot be read.
    """
    try:
        return _grouped(_read(workbench, run_id))
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench cannot be read ({type(error).__name__}). Name the folder of a finished run."
        ) from error


def _read(workbench: duckdb.DuckDBPyConnection, run_id: str) -> Iterable[tuple[tuple[str, ...], Waiting]]:
    names = {"review": Disposition.REVIEW.value, "reviewed": reviewed.RULE}
    for raw, rows, period, confidence, why, first, last, meaning in workbench.execute(_WAITING, names).fetchall():
        suggestion, reason = Period(period) if period else None, Reason(why) if why else None
        text = Waiting(review_file.key(run_id, raw), raw, rows, suggestion, confidence, reason, first, last)
        yield likeness(text, meaning), text


def _grouped(texts: Iterable[tuple[tuple[str, ...], Waiting]]) -> list[Waiting]:
    alike: defaultdict[tuple[str, ...], list[Waiting]] = defaultdict(list)
    for shared, text in texts:
        alike[shared].append(text)
    largest_first = sorted(alike.items(), key=lambda group: (-sum(text.rows for text in group[1]), group[0]))
    return [
        replace(text, group=number)
        for number, (_, group) in enumerate(largest_first)
        for text in sorted(group, key=lambda text: (-text.rows, text.raw or ""))
    ]
