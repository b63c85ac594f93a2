"""Files that reviewers filled in, read down to key, decision and note; the text is never read back."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline import review_sheet
from pipeline.answers import Verdict
from pipeline.errors import UsageError
from pipeline.masking import mask
from pipeline.review.csv_rows import Row, rows_of_csv
from pipeline.review.decision_words import ALLOWED, verdict_of
from pipeline.review.xlsx_rows import MOST_PACKED, SIGNATURE, UNCALCULATED, Merged, sheets_of_xlsx
from pipeline.visible import visible

_OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"  # .xls of old, and every file with a password
_HEADINGS = {column.heading: column.name for column in review_sheet.COLUMNS}
_NEEDED = ("key", "decision")
_SHOWN = 20
_MOST_OF_CSV = 1 << 30  # bytes; a list of a million texts has 150 MB


class Complaint(NamedTuple):
    """What is wrong with a file, or with one of its lines (counted from 1), and the key of the line."""

    file: str
    line: int | None
    why: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.why}" if self.line else f"{self.file}: {self.why}"


class Filled(NamedTuple):
    """One line: ``verdict`` is None where the decision was left empty. ``place`` names the file and the line."""

    place: Complaint
    key: str
    verdict: Verdict | None
    note: str


@dataclass(frozen=True, slots=True)
class FilledFile:
    """What one file says, and everything that is wrong with it."""

    path: Path
    content: bytes
    lines: tuple[Filled, ...]
    complaints: tuple[Complaint, ...]


def read_filled(path: Path) -> FilledFile:
    """Read one file, .xlsx or .csv; nothing is raised, all that is wrong becomes a complaint."""
    try:
        content = _content(path)
    except OSError as error:
        return FilledFile(path, b"", (), (Complaint(str(path), None, f"it cannot be read: {error.strerror}."),))
    lines: list[Filled] = []
    complaints: list[Complaint] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl does not keep of a file is not read here either
            for found in _read(str(path), content):
                (complaints if isinstance(found, Complaint) else lines).append(found)  # type: ignore[arg-type]
    except UsageError as error:
        complaints.append(Complaint(str(path), None, str(error)))
    return FilledFile(path, content, tuple(lines), tuple(complaints))


def _content(path: Path) -> bytes:
    """The file, or one byte more of it than is taken."""
    with path.open("rb") as file:
        start = file.read(len(SIGNATURE))
        return start + file.read((MOST_PACKED if start == SIGNATURE else _MOST_OF_CSV) + 1)


def _read(name: str, content: bytes) -> Iterator[Filled | Complaint]:
    if content.startswith(_OLD_OR_LOCKED):
        raise UsageError("it is an old .xls or has a password. Save it as .xlsx without one.")
    if not content.startswith(SIGNATURE):
        if len(content) > _MOST_OF_CSV:
            raise UsageError("it holds more than a review list can. Fill in the file that a run wrote.")
        yield from _table(name, rows_of_csv(content))
        return
    lists = 0
    for sheet in sheets_of_xlsx(content):
        try:
            yield from _table(name, sheet.rows, sheet.merged)
            lists += 1
        except _NoListError:
            if sheet.title == review_sheet.TITLE:
                raise
    if not lists:
        raise _NoListError(_NEEDED)


class _NoListError(UsageError):
    """A table lacks a column."""

    def __init__(self, missing: Iterable[str]) -> None:
        headings = {name: heading for heading, name in _HEADINGS.items()}
        named = " and ".join(f"{name} ({headings[name]})" for name in missing)
        super().__init__(f"its first line lacks the column {named}. Fill in the file that the run wrote.")


def _table(name: str, rows: Iterable[Row], merged: Iterable[Merged] = ()) -> Iterator[Filled | Complaint]:
    lines = iter(rows)
    _, header = next(lines, (1, []))
    columns = _columns(header)
    yield from (Complaint(name, cells.line, _only_the_first(cells)) for cells in merged if _touch(cells, columns))
    for line, cells in lines:
        values = [cell.strip() for cell in cells]
        if not any(values):
            continue
        if any(values[len(header) :]):
            yield Complaint(name, line, "it has more cells than the first line has headings.")
        else:
            yield _line(name, line, {column: values[at] for column, at in columns.items() if at < len(values)})


def _touch(cells: Merged, columns: Mapping[str, int]) -> bool:
    return any(at in cells.columns for at in columns.values())


def _only_the_first(cells: Merged) -> str:
    return (
        f"the cells {cells.name} are merged, so only the first of them has a value. Unmerge them and fill in each line."
    )


def _columns(header: list[str]) -> dict[str, int]:
    """Where key, decision and note stand, by either file's headings."""
    names = [_HEADINGS.get(heading.strip(), heading.strip().casefold()) for heading in header]
    if missing := [needed for needed in _NEEDED if needed not in names]:
        raise _NoListError(missing)
    if twice := [needed for needed in (*_NEEDED, "note") if names.count(needed) > 1]:
        raise UsageError(f"its first line has the column {twice[0]} twice. Leave one.")
    return {name: names.index(name) for name in (*_NEEDED, "note") if name in names}


def _line(file: str, line: int, values: dict[str, str]) -> Filled | Complaint:
    key, word, note = (values.get(column, "") for column in ("key", "decision", "note"))
    if not key:
        return Complaint(file, line, "it has no key, so nobody knows which text it is about.")
    if UNCALCULATED in {key, word, note}:
        return Complaint(file, line, "it has a formula without a value. Write the value itself in its place.")
    verdict = verdict_of(word) if word else None
    if word and verdict is None:
        shown = visible(mask(word), _SHOWN)
        return Complaint(file, line, f"the decision {shown!r} cannot be read. Write {ALLOWED}, or leave it empty.")
    return Filled(Complaint(file, line, "", key), key, verdict, note)
