"""What a decision is made of."""

from dataclasses import dataclass
from enum import StrEnum


class Period(StrEnum):
    """The half of the clinic's day, as the ``period`` column stores it."""

    MORNING = "MORNING"
    AFTERNOON = "AFTERNOON"


class Disposition(StrEnum):
    """Whether a decision may be written by itself or waits for a person."""

    AUTO = "AUTO"
    REVIEW = "REVIEW"


class Reason(StrEnum):
    """Why a text went to review: the policy's closed list."""

    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    NO_TIME = "no_time"
    BARE_NUMBER = "bare_number"
    INVALID_CLOCK = "invalid_clock"
    AMBIGUOUS_HOUR = "ambiguous_hour"
    AMBIGUOUS_WORD = "ambiguous_word"
    NOON_OR_MIDNIGHT = "noon_or_midnight"
    PLACEHOLDER_MIDNIGHT = "placeholder_midnight"
    OUTSIDE_HOURS = "outside_hours"
    CONTRADICTION = "contradiction"
    CONFLICTING = "conflicting"
    SPANS_NOON = "spans_noon"
    NEGATION = "negation"
    NO_PREFERENCE = "no_preference"
    RELATIVE_OR_DURATION = "relative_or_duration"
    UNEXPLAINED_TEXT = "unexplained_text"
    FALLBACK_ONLY = "fallback_only"
    LOW_CONFIDENCE = "low_confidence"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one text means for one clinic.

    ``period`` of a REVIEW is a suggestion only and is never written to the database. ``start`` and ``end`` are
    ``"HH:MM"`` where the text gives them. ``confidence`` is the probability, 0 to 1, that ``period`` is what the
    writer meant. ``rule`` names the parser's rule that decided; ``seen`` is the part of the cleaned text it used.
    """

    disposition: Disposition
    period: Period | None
    start: str | None
    end: str | None
    confidence: float
    rule: str
    reason: Reason | None
    seen: str = ""
