"""Take one person's word about one text of a run, whether it was given to people there or not."""

from datetime import UTC, datetime

from pipeline import review_file
from pipeline.answers import Answer, Answers, Purpose
from pipeline.errors import UsageError
from pipeline.review.asked import Asked, Text
from pipeline.review.decision_words import ALLOWED, verdict_of

SOURCE = "ojeon review judge"


def judge(  # noqa: PLR0913 - all that an answer is made of
    asked: Asked, raw: str, decision: str, reviewer: str, answers: Answers, *, note: str
) -> Text:
    """Keep the ``decision`` of ``reviewer`` (as ``reviewer_name`` gives it) about ``raw``; returns the run's text.

    Raises:
        UsageError: the run has no such text, or the decision is none.
        RunError: the store cannot be read or written.
    """
    text = asked.find(review_file.key(asked.run_id, raw))
    if text is None:
        raise UsageError(
            f"The run {asked.run_id} has no row without a period that says exactly this. Copy the text from the table, "
            "with its spaces."
        )
    verdict = verdict_of(decision)
    if verdict is None:
        raise UsageError(f"That is no decision. Give {ALLOWED}.")
    whence = asked.run_id, text.key, SOURCE, text.purpose or Purpose.REVIEW
    answers.add([Answer(raw, verdict, reviewer, datetime.now(UTC), note, *whence)])
    return text
