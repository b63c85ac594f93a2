"""Write what is still open of a run's review list, with what reviewers have said so far, to be filled in."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from pipeline import review_sheet
from pipeline.answers import Answer, Standing
from pipeline.errors import RunError
from pipeline.review.asked import Asked
from pipeline.review.decision_words import IN_KOREAN
from pipeline.review_file import Waiting, waiting_texts, write_lines
from pipeline.visible import visible
from pipeline.workbench import read_workbench

_SHOWN = 200


def export(asked: Asked, words: Standing, path: Path) -> int:
    """Write the open texts to ``path``, an .xlsx or by any other name a .csv, and return how many are in it.

    Raises:
        RunError: the run's workbench cannot be read.
        OSError: the file cannot be written.
    """
    try:
        with read_workbench(asked.folder) as workbench:
            lines = list(_open(asked, words, waiting_texts(workbench, asked.run_id)))
    except duckdb.Error as error:
        raise RunError(f"The workbench of {asked.folder} cannot be read ({type(error).__name__}).") from error
    if path.suffix.lower() == ".xlsx":
        return review_sheet.write_lines(path, lines, asked.run_id, with_answers=True)
    return write_lines(path, lines, with_answers=True)[0]


def _open(asked: Asked, words: Standing, waiting: Iterable[Waiting]) -> Iterator[Waiting]:
    for line in waiting:
        raw = asked.texts[line.key].raw
        if raw not in words.settled:
            yield line._replace(answers=_told(words.conflicts.get(raw, ())))


def _told(answers: Iterable[Answer]) -> str:
    said = (f"{answer.reviewer} {IN_KOREAN[answer.verdict]}" for answer in answers)
    return visible(" · ".join(said), _SHOWN)
