"""How DuckDB has to read a dump, strictly and every value as text: CSV and Parquet.

CSV is UTF-8 (a byte order mark may stand first) with a header, separated by comma, semicolon, tab or bar, quoted by
``"``, which is doubled inside quotes. As PostgreSQL's COPY writes it, an empty value is NULL and ``""`` is empty text.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import UsageError
from pipeline.settings import TableNames

_SEPARATORS = ",;\t|"
_LONGEST_LINE = 64 << 20  # bytes
_CSV = """read_csv($path, auto_detect = false, header = true, delim = $separator, quote = '"', escape = '"',
    columns = {columns}, nullstr = '', allow_quoted_nulls = false, strict_mode = true, parallel = false,
    max_line_size = $longest, hive_partitioning = false)"""
_PARQUET = "read_parquet($path, binary_as_string = true, hive_partitioning = false)"
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FOREIGN = {
    b"\x1f\x8b": "compressed; unpack it first (gunzip)",
    b"PK\x03\x04": "a zip archive or a spreadsheet; save it as CSV in UTF-8",
    b"\xff\xfe": "UTF-16; save it as CSV in UTF-8",
    b"\xfe\xff": "UTF-16; save it as CSV in UTF-8",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """SQL that reads a dump, its parameters, SQL for each column by its name in the dump, and the number of rows."""

    kind: str
    source: str
    parameters: dict[str, Any]
    columns: dict[str, str]
    rows: int


def reading_of(path: Path, names: TableNames) -> Reading:
    """Look at the dump's first bytes and its columns.

    Raises:
        UsageError: the file is neither CSV in UTF-8 nor Parquet.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return _parquet(path)
    for sign, sentence in _FOREIGN.items():
        if start.startswith(sign):
            raise UsageError(f"The dump {path} is {sentence}.")
    return _csv(path, names)


def _csv(path: Path, names: TableNames) -> Reading:
    separator, header = _header(path, names)
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if repeated:
        which = f"column {repeated[0]!r}" if looks_like_a_column(repeated[0]) else "column of the same name"
        raise UsageError(f"The dump {path} has more than one {which}. Rename or leave out all but one.")
    columns = {name: f"c{number}" for number, name in enumerate(header)}
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns.values())
    parameters = {"path": _literally(path), "separator": separator, "longest": _LONGEST_LINE}
    rows = _count(path, separator, len(header))
    return Reading("csv", _CSV.format(columns=f"{{{types}}}"), parameters, columns, rows)


def looks_like_a_column(name: str) -> bool:
    """Whether a value of the first line may be repeated: without a header it is what a patient wrote."""
    return _COLUMN.fullmatch(name) is not None


def _header(path: Path, names: TableNames) -> tuple[str, list[str]]:
    """The separator under which the first line reads best, and the columns' names."""
    headers: dict[str, list[str]] = {}
    for separator in _SEPARATORS:
        with suppress(csv.Error), _records(path, separator) as records:
            headers[separator] = next(records, [])
    best = max(headers, key=lambda separator: (names.id in headers[separator], len(headers[separator])), default="")
    if not headers.get(best):
        raise UsageError(f"The dump {path} is empty or no CSV. Its first line must name the columns.")
    return best, headers[best]


def _count(path: Path, separator: str, width: int) -> int:
    """Read the whole file once, strictly, and count its rows: DuckDB can drop a last line that is not whole.

    Raises:
        UsageError: a line has too many or too few values, or its quotes do not match.
    """
    rows = -1  # the header is none
    with _records(path, separator) as records:
        try:
            for record in records:
                if record and len(record) != width:
                    raise UsageError(
                        f"The dump {path}, line {records.line_num}, has {len(record)} values where the header names "
                        f"{width} columns. Dump it again, with texts in quotes."
                    )
                rows += bool(record)
        except csv.Error as error:
            raise UsageError(
                f"The dump {path}, line {records.line_num}, has a quote that is not closed, or text behind a closing "
                "quote. Dump it again, with quotes in texts doubled."
            ) from error
    return rows


@contextmanager
def _records(path: Path, separator: str) -> Iterator[Any]:
    """The file's lines as Python's own CSV reader sees them."""
    limit = csv.field_size_limit(_LONGEST_LINE)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield csv.reader(file, delimiter=separator, strict=True)
    except UnicodeDecodeError:
        raise UsageError(
            f"The dump {path} is not UTF-8. If it is Korean Windows text, `iconv -f CP949 -t UTF-8 OLD > NEW` converts "
            "it."
        ) from None
    finally:
        csv.field_size_limit(limit)


def _parquet(path: Path) -> Reading:
    parameters = {"path": _literally(path)}
    try:
        with duckdb.connect() as connection:
            described = connection.execute(f"DESCRIBE SELECT * FROM {_PARQUET}", parameters).fetchall()
            [(rows,)] = connection.execute(f"SELECT count(*) FROM {_PARQUET}", parameters).fetchall()
    except duckdb.Error as error:
        raise UsageError(f"The dump {path} begins as Parquet but cannot be read as such: dump it again.") from error
    columns = {name: '"{}"'.format(name.replace('"', '""')) for name, *_ in described}
    return Reading("parquet", _PARQUET, parameters, columns, rows)


def _literally(path: Path) -> str:
    """The path as DuckDB, which takes ``*``, ``?`` and ``[`` for patterns, needs it."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.resolve()))
