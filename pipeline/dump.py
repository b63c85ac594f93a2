"""A dump of the table in a file: its columns found, its faults named without repeating what stands in it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.columns import absent_columns, missing_column, named
from pipeline.dump_formats import reading_of
from pipeline.errors import UsageError
from pipeline.settings import TableNames

# Days and moments in ISO form. What carries an offset from UTC is converted to UTC, everything else stands as it is.
_DAY = "CASE WHEN {0} NOT IN ('', 'infinity', '-infinity') THEN left({0}, 10)::DATE END"
_MOMENT = r"""CASE WHEN {0} IN ('', 'infinity', '-infinity') THEN NULL
    WHEN regexp_matches({0}, ':\d\d.*(Z|[+-]\d\d(:?\d\d)?)$') THEN ({0}::TIMESTAMPTZ AT TIME ZONE 'UTC')::TIMESTAMP
    ELSE {0}::TIMESTAMP END"""
_TARGETS = {
    "id": ("id", "{0}"),
    "preferred_time": ("raw", "{0}"),
    "preferred_date": ("preferred_date", _DAY),
    "created_at": ("created_at", _MOMENT),
    "period": ("current_period", "{0}"),
}
# DuckDB's own messages repeat the line they complain about, which is patients' text: only their kind is told.
_FAULTS = (
    (r"NOT NULL constraint", "has a row without an id. Every row needs its own."),
    (
        r"Conversion Error",
        "holds a date not written like 2025-10-30. Write it so, or set the column's OJEON_NAMES__… to nothing.",
    ),
)


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that has been looked at: ``select`` reads it, with ``parameters``, as the workbench's reservations."""

    path: Path
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
            if re.search(pattern, words):
                return f"{place} {sentence}"
        if line or isinstance(error, duckdb.InvalidInputException):
            return f"{place} cannot be read as {self.facts['kind']}: it is damaged, or its line endings are mixed."
        return None


def open_dump(path: Path, names: TableNames) -> Dump:
    """Look at the dump's columns.

    Raises:
        UsageError: the file cannot be read, is neither CSV in UTF-8 nor Parquet, or lacks a column.
    """
    try:
        reading = reading_of(path, names)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"The dump {path} cannot be read: {error.strerror}. Check the path and its rights.") from error
    if sentence := missing_column(names, reading.columns, f"The dump {path}"):
        raise UsageError(sentence)
    places = {setting: reading.columns.get(name) for setting, name in named(names).items()}
    selected = ", ".join(
        f"{expression.format(f'{place}::VARCHAR') if (place := places.get(setting)) else 'NULL'} AS {target}"
        for setting, (target, expression) in _TARGETS.items()
    )
    return Dump(
        path=path,
        select=f"SELECT {selected} FROM {reading.source}",
        parameters=reading.parameters,
        rows=reading.rows,
        facts={"kind": reading.kind, "file": path.name, "sha256": digest},
        notices=absent_columns(names, reading.columns),
    )
