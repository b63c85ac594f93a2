"""Take back what a reviewer said of one text; the history keeps both."""

from datetime import UTC, datetime

from pipeline.answers import Answer, Answers, Purpose, Verdict
from pipeline.errors import UsageError
from pipeline.review.asked import Asked

SOURCE = "ojeon review withdraw"


def withdraw(asked: Asked, key: str, reviewer: str, note: str, answers: Answers) -> Answer:
    """Take back the word of ``reviewer`` (as ``reviewer_name`` gives it) about the text ``key`` and return that word.

    Raises:
        UsageError: the run has no such text, or the reviewer has no word about it.
        RunError: the store cannot be read or written.
    """
    text = asked.find(key)
    if text is None:
        raise UsageError(f"The run {asked.run_id} has no text {key!r}. Its review file names the keys.")
    said = [word for word in answers.history(text.raw) if word.reviewer == reviewer]
    if not said or said[-1].verdict is Verdict.WITHDRAWN:
        raise UsageError(f"{reviewer} has no word about the text {key}, so there is nothing to take back.")
    purpose = text.purpose or Purpose.REVIEW
    whence = asked.run_id, key, SOURCE, purpose
    answers.add([Answer(text.raw, Verdict.WITHDRAWN, reviewer, datetime.now(UTC), note, *whence)])
    return said[-1]
