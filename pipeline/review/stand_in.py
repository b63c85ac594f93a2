"""A review by somebody who knows the answers: the run's own spreadsheet filled in, and taken in as any other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline import review_sheet
from pipeline.answers import Purpose, Verdict, open_answers
from pipeline.errors import RunError
from pipeline.review.asked import Asked, read_asked
from pipeline.review.decision_words import IN_KOREAN
from pipeline.review.take_in import Taken, take_in

REVIEWER = "stand-in"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How many of the ``listed`` texts were answered, the rows of these, and those of them that got a period."""

    listed: int
    texts: int
    rows: int
    rows_with_period: int


def review(folder: Path, said: Mapping[str | None, Verdict], filled: Path, store: Path) -> Reviewed:
    """Fill in a copy of the spreadsheet of the run in ``folder``, to be written to ``filled``, and import it.

    Raises:
        RunError: the import refused the file or took another number of decisions.
    """
    asked = read_asked(folder)
    words = {text.key: said[text.raw] for text in asked.shown_for(Purpose.REVIEW) if text.raw in said}
    _fill_in(folder / review_sheet.FILE_NAME, words, filled)
    with open_answers(store) as answers:
        taken = take_in(asked, [filled], REVIEWER, answers)
    if not isinstance(taken, Taken) or taken.new != len(words):
        raise RunError(f"The filled {review_sheet.FILE_NAME} was not taken in as it was filled: {taken}.")
    return _added_up(asked, words)


def _fill_in(sheet: Path, words: Mapping[str, Verdict], filled: Path) -> None:
    from openpyxl import load_workbook  # noqa: PLC0415 - 0.2 s

    book = load_workbook(sheet)
    for key, _, decision, *_ in book[review_sheet.TITLE].iter_rows(min_row=2):
        if word := words.get(str(key.value)):
            decision.value = IN_KOREAN[word]
    book.save(filled)


def _added_up(asked: Asked, words: Mapping[str, Verdict]) -> Reviewed:
    rows = {key: asked.texts[key].rows for key in words}
    with_period = sum(rows[key] for key, word in words.items() if word is not Verdict.NEITHER)
    return Reviewed(len(asked.shown_for(Purpose.REVIEW)), len(words), sum(rows.values()), with_period)
