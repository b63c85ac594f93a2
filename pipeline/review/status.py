"""Where the review of a run stands: what is open, settled and in conflict, and what the next run would make of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from parsers.types import Disposition
from pipeline import reviewed
from pipeline.answers import Purpose, Standing
from pipeline.review.asked import Asked, Text


@dataclass(frozen=True, slots=True)
class Part:
    """Distinct texts, and their rows without a period."""

    texts: int
    rows: int

    @classmethod
    def of(cls, texts: Iterable[Text]) -> "Part":
        """Add them up."""
        rows = [text.rows for text in texts]
        return cls(len(rows), sum(rows))


@dataclass(frozen=True, slots=True)
class Status:
    """A run's review list: each of its texts is open, settled or in conflict.

    The AUTO shares are of the rows without a period, 0 to 1: as the run has it, and as one of the same rows would have
    it by the same settings with the answers of now.
    """

    run_id: str
    asked: Part
    open: Part
    settled: Part
    conflict: Part
    auto_share: float
    next_auto_share: float


def status_of(asked: Asked, words: Standing) -> Status:
    """Compare a run with what reviewers say now."""
    listed = asked.shown_for(Purpose.REVIEW)
    rows = sum(text.rows for text in asked.texts.values())
    auto = sum(text.rows for text in asked.texts.values() if text.auto)
    then = sum(text.rows for text in asked.texts.values() if _auto_next(text, asked, words))
    return Status(
        run_id=asked.run_id,
        asked=Part.of(listed),
        open=Part.of(text for text in listed if text.raw not in words.settled and text.raw not in words.conflicts),
        settled=Part.of(text for text in listed if text.raw in words.settled),
        conflict=Part.of(text for text in listed if text.raw in words.conflicts),
        auto_share=auto / rows if rows else 0.0,
        next_auto_share=then / rows if rows else 0.0,
    )


def _auto_next(text: Text, asked: Asked, words: Standing) -> bool:
    if not text.settled and text.raw not in words.settled and text.raw not in words.conflicts:
        return text.auto
    return reviewed.decide(text.raw, asked.policy, words).disposition is Disposition.AUTO
