"""A dump of the table in a file: its columns found, its faults named without repeating what stands in it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.columns import absent_columns, missing_column, named
from pipeline.dump_formats import Reading, looks_like_a_column, reading_of
from pipeline.errors import UsageError
from pipeline.settings import TableNames

# Days and moments in ISO form. What carries an offset from UTC is converted to UTC, everything else stands as it is.
_DAY = "coalesce(TRY_CAST(left({0}, 10) AS DATE), error('ojeon: date {1}'))"
_MOMENT = r"""coalesce(CASE WHEN regexp_matches({0}, ':\d\d.*(Z|[+-]\d\d(:?\d\d)?)$')
    THEN (TRY_CAST({0} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')::TIMESTAMP
    ELSE TRY_CAST({0} AS TIMESTAMP) END, error('ojeon: date {1}'))"""
_NEVER = "CASE WHEN {{0}} NOT IN ('', 'infinity', '-infinity') THEN {} END"
_TEXT = "CASE WHEN contains({0}, chr(0)) THEN error('ojeon: nul {1}') ELSE {0} END"
_TARGETS = {
    "id": ("id", _TEXT),
    "preferred_time": ("raw", _TEXT),
    "preferred_date": ("preferred_date", _NEVER.format(_DAY)),
    "created_at": ("created_at", _NEVER.format(_MOMENT)),
    "period": ("current_period", _TEXT),
}
# DuckDB's own messages repeat the line they complain about, which is patients' text: only their kind is told.
_FAULTS = (
    (r"NOT NULL constraint", "has a row without an id. Every row needs its own."),
    (
        r"ojeon: date (\w+)",
        "holds in the column {column!r} a date not written like 2025-10-30. Write it so, or set {variable} to nothing.",
    ),
    (
        r"ojeon: nul (\w+)",
        "holds in the column {column!r} a NUL character, which no text of PostgreSQL can. Take it out and dump again.",
    ),
)
_DAMAGED = {
    "csv": "cannot be read as CSV: it is damaged, or its line endings are mixed.",
    "parquet": "cannot be read as Parquet: it is damaged. Dump it again.",
}


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that has been looked at: ``select`` reads it, with ``parameters``, as the workbench's reservations."""

    path: Path
    names: TableNames
    select: str
    parameters: dict[str, Any]
    rows: int
    facts: dict[str, Any]
    notices: tuple[str, ...]

    def fault(self, error: duckdb.Error) -> str | None:
        """A sentence about what is wrong in the file, or None where the error is not about it."""
        words = str(error)
        line = re.search(r"Line: (\d+)", words)
        place = f"The dump {self.path}" + (f", line {line[1]}," if line else "")
        for pattern, sentence in _FAULTS:
            if found := re.search(pattern, words):
                return f"{place} {sentence.format(**self._column(*found.groups()))}"
        if line or isinstance(error, duckdb.InvalidInputException) or _is_of_parquet(error):
            return f"{place} {_DAMAGED[self.facts['kind']]}"
        return None

    def _column(self, setting: str = "") -> dict[str, str]:
        return {"column": getattr(self.names, setting, ""), "variable": f"OJEON_NAMES__{setting.upper()}"}


def _is_of_parquet(error: duckdb.Error) -> bool:
    """Whether it is one of the nameless errors that bytes changed inside a Parquet file lead to."""
    return type(error) in {duckdb.Error, duckdb.InternalException} or "Could not read" in str(error)


def open_dump(path: Path, names: TableNames) -> Dump:
    """Look at the dump's columns.

    Raises:
        UsageError: the file cannot be read, is neither CSV in UTF-8 nor Parquet, or lacks a column.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError(f"The dump {path} cannot be read: it is no regular file. Write it into one first.")
        reading = reading_of(path, names)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"The dump {path} cannot be read: {error.strerror}. Check the path and its rights.") from error
    if sentence := missing_column(names, reading.columns, f"The dump {path}"):
        raise UsageError(sentence if all(map(looks_like_a_column, reading.columns)) else _no_header(path, reading))
    places = {setting: reading.columns.get(name) for setting, name in named(names).items()}
    selected = ", ".join(
        f"{expression.format(f'{place}::VARCHAR', setting) if (place := places.get(setting)) else 'NULL'} AS {target}"
        for setting, (target, expression) in _TARGETS.items()
    )
    return Dump(
        path=path,
        names=names,
        select=f"SELECT {selected} FROM {reading.source}",
        parameters=reading.parameters,
        rows=reading.rows,
        facts={"kind": reading.kind, "file": path.name, "sha256": digest},
        notices=absent_columns(names, reading.columns),
    )


def _no_header(path: Path, reading: Reading) -> str:
    """What is not repeated, because it may be the first patient's row."""
    return (
        f"The dump {path} begins with {len(reading.columns)} values that do not all look like names of columns, and "
        "the columns it needs are not among them. Its first line must name the columns; their names are set with "
        "OJEON_NAMES__ID, OJEON_NAMES__PREFERRED_TIME and so on."
    )
