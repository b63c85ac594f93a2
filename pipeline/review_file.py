"""``manual_review.csv``: one line per text that waits for a person, safe to open in a spreadsheet.

A reviewer writes 오전, 오후 or 둘 다 아님 (or MORNING, AFTERNOON, NEITHER) under ``decision`` and leaves it empty where
it is not certain; ``note`` is free. Only ``key``, ``decision`` and ``note`` are ever read back, so ``text`` may be
shown rather than quoted: on one line, with what the eye cannot see spelled out, and so that no spreadsheet takes it for
a formula, a date or a number.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from parsers.types import Disposition, Reason
from pipeline.reviewed import RULE
from pipeline.visible import visible

FILE_NAME = "manual_review.csv"
COLUMNS = ("key", "text", "rows", "suggestion", "confidence", "reason", "explanation", "decision", "note")
ANSWERS = "answers"
"""The column of what reviewers have said so far, where it is shown."""
SHOWN = 200  # characters of a text

# The letter keeps a spreadsheet from reading the key as a number; the run keeps keys of two runs apart.
KEY_SQL = "'T' || left(sha256($run_id || chr(31) || coalesce('=' || raw, 'NULL')), 16)"

_WAITING = f"""
WITH waiting AS (
    SELECT raw, {KEY_SQL} AS key, count(*) AS rows FROM reservations WHERE current_period IS NULL GROUP BY raw
)
SELECT w.key, left(w.raw, {SHOWN}), length(w.raw), w.rows, d.period, d.confidence, d.reason
FROM waiting w JOIN decisions d ON w.raw IS NOT DISTINCT FROM d.raw
WHERE d.disposition = $review AND d.rule <> $reviewed
ORDER BY w.rows DESC, w.raw NULLS FIRST
"""

EXPLANATIONS: dict[Reason, str] = {
    Reason.EMPTY: "내용이 비어 있음",
    Reason.PLACEHOLDER: "시간 대신 적은 말(미정, 없음 등)",
    Reason.NO_TIME: "시간이 적혀 있지 않음",
    Reason.BARE_NUMBER: "숫자만 있어 시각인지 알 수 없음",
    Reason.INVALID_CLOCK: "있을 수 없는 시각",
    Reason.AMBIGUOUS_HOUR: "오전인지 오후인지 정할 수 없는 시각",
    Reason.AMBIGUOUS_WORD: "오전·오후 어느 쪽도 될 수 있는 말",
    Reason.NOON_OR_MIDNIGHT: "낮 12시인지 밤 12시인지 알 수 없음",
    Reason.PLACEHOLDER_MIDNIGHT: "자정: 입력하지 않은 값일 수 있음",
    Reason.OUTSIDE_HOURS: "진료 시간 밖의 시각",
    Reason.CONTRADICTION: "오전·오후 표시와 시각이 서로 맞지 않음",
    Reason.CONFLICTING: "오전과 오후가 함께 적혀 있음",
    Reason.SPANS_NOON: "정오를 넘는 시간대",
    Reason.NEGATION: "안 되는 시간이나 조건을 적은 글",
    Reason.NO_PREFERENCE: "특별히 원하는 시간이 없음",
    Reason.RELATIVE_OR_DURATION: "시각이 아니라 걸리는 시간이나 지금부터의 시간",
    Reason.UNEXPLAINED_TEXT: "뜻을 알 수 없는 글자가 남음",
    Reason.FALLBACK_ONLY: "일반 날짜 해석기로만 읽힘",
    Reason.LOW_CONFIDENCE: "확신이 기준보다 낮음",
    Reason.TOO_LONG: "글이 너무 김(200자 초과)",
}

# A formula may also start behind what another program, or another country's settings, takes for the end of a cell.
_FORMULA = re.compile(r"(?P<before>(?:^|[;,|\"])\s*)(?P<sign>[=+\-@＝＋－＠])")
# What spreadsheets turn into a date, a time, a number or a truth value: digits with the words of dates and clocks.
_WORDS = r"jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|true|false|오전|오후|am?|pm?|[년월일시분초etz]"
_CONVERTIBLE = re.compile(rf"(?=.*\d|true|false)(?>[\d\s:./,+\-~%$₩￦\\()]|{_WORDS})++", re.IGNORECASE)


class Waiting(NamedTuple):
    """A text that waits: at least its first ``SHOWN`` characters, how many it has, the rows that hold it, and why.

    ``answers`` is what reviewers have said of it so far, fit to be shown.
    """

    key: str
    text: str | None
    length: int | None
    rows: int
    suggestion: str | None
    confidence: float
    reason: str | None
    answers: str = ""

    @property
    def shown(self) -> str:
        """The text for people: on one line, shortened, and with what the eye cannot see spelled out."""
        return shown(self.text if self.text is None else self.text[:SHOWN], self.length)

    @property
    def explanation(self) -> str:
        """Why it waits, in Korean."""
        return EXPLANATIONS[Reason(self.reason)] if self.reason else ""


def key(run_id: str, raw: str | None) -> str:
    """The key of a text, as ``KEY_SQL`` makes it.

    >>> key("20261123-101500-3f2a", "8시"), key("20261123-101500-3f2a", None)
    ('Te31046b6bb354a18', 'T6c43ab9b69294092')
    """
    said = f"{run_id}\x1f{'NULL' if raw is None else '=' + raw}"
    return "T" + hashlib.sha256(said.encode()).hexdigest()[:16]


def shown(text: str | None, length: int | None = None) -> str:
    """Show a text on one line; ``length`` tells how long it is where ``text`` is only its beginning.

    >>> shown("아무때나"), shown("=1+1"), shown(None), shown("")
    ('아무때나', '=1+1', '⟨NULL⟩', '⟨빈 글⟩')
    """
    if text is None:
        return "⟨NULL⟩"
    if not text:
        return "⟨빈 글⟩"
    line = visible(text.replace("\r\n", "⏎").replace("\n", "⏎"), limit=12 * len(text))
    return f"{line}… ⟨전체 {length:,}자⟩" if length is not None and length > len(text) else line


def cell(text: str | None, length: int | None = None) -> str:
    """Show a text in a cell of a .csv, where no spreadsheet can take it for anything but text.

    >>> cell("아무때나"), cell("=1+1"), cell("3-4"), cell(None), cell("")
    ('아무때나', "'=1+1", "'3-4", '⟨NULL⟩', '⟨빈 글⟩')
    """
    return guarded(shown(text, length))


def guarded(line: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, a date, a number or a truth value."""
    safe = _FORMULA.sub(r"\g<before>'\g<sign>", line)
    return "'" + line if safe == line and _CONVERTIBLE.fullmatch(line) else safe


def write(workbench: duckdb.DuckDBPyConnection, folder: Path, run_id: str) -> tuple[int, int]:
    """Write the file into ``folder``, most rows first.

    Returns:
        How many texts, and how many rows, wait for a person.

    Raises:
        OSError: the file cannot be written.
    """
    return write_lines(folder / FILE_NAME, waiting_texts(workbench, run_id))


def waiting_texts(workbench: duckdb.DuckDBPyConnection, run_id: str) -> Iterator[Waiting]:
    """The texts of a run that wait for a person, most rows first; all are read before the connection is used again.

    Raises:
        duckdb.Error: the workbench cannot be read.
    """
    result = workbench.execute(_WAITING, {"run_id": run_id, "review": Disposition.REVIEW.value, "reviewed": RULE})
    while lines := result.fetchmany(10_000):
        for line in lines:
            yield Waiting(*line)


def write_lines(path: Path, waiting: Iterable[Waiting], *, with_answers: bool = False) -> tuple[int, int]:
    """Write a file of this kind; returns how many texts and rows are in it.

    ``with_answers`` adds a column of what reviewers have said so far, which is not read back.

    Raises:
        OSError: the file cannot be written.
    """
    texts = rows = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS + (ANSWERS,) * with_answers)
        for line in waiting:
            suggested = line.suggestion, f"{line.confidence:.2f}", line.reason
            values = line.key, guarded(line.shown), line.rows, *suggested, line.explanation, "", ""
            writer.writerow(values + (guarded(line.answers),) * with_answers)
            texts += 1
            rows += line.rows
    return texts, rows


def keys_in(path: Path) -> set[str]:
    """The keys of the texts in a file of this kind; none where there is no file.

    Raises:
        OSError: the file cannot be read.
    """
    if not path.exists():
        return set()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {line["key"] for line in csv.DictReader(file)}
