"""The rows of the sheets of an .xlsx, whichever program saved it; values only, never formulas, links or macros.

A small archive may unpack to very much, so it is measured before it is read, and read row by row.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pipeline.errors import UsageError
from pipeline.review.csv_rows import Row

SIGNATURE = b"PK\x03\x04"
MOST_PACKED = 64 << 20  # bytes; a review list of 100,000 texts has 4 MB
UNCALCULATED = "=⟨formula without a value⟩"
"""Stands for a formula of which the file has no value: it is neither empty nor what a reviewer chose."""
_MOST_UNPACKED = 256 << 20  # bytes; a review list of 100,000 texts has 40 MB
_MOST_ROWS, _MOST_CELLS = 1_048_576, 16_384  # of a sheet, of a row: what spreadsheets can have
_WIDEST = 100  # columns
_XML = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _FORMULA, _VALUE, _MERGED = (f"{_XML}{name}" for name in ("row", "c", "f", "v", "mergeCell"))


class Merged(NamedTuple):
    """Cells shown as one, of which only the first has a value: their name (``C2:C9``), first line, columns from 0."""

    name: str
    line: int
    columns: range


class Sheet(NamedTuple):
    """A sheet: its title, its merged cells and its rows, which can be read once; empty rows are left out."""

    title: str
    merged: tuple[Merged, ...]
    rows: Iterator[Row]


class _TooLargeError(UsageError):
    def __init__(self) -> None:
        super().__init__("it holds more than a review list can. Fill in the file that a run wrote.")


def sheets_of_xlsx(content: bytes) -> Iterator[Sheet]:
    """Each sheet; the rows of one must be read before the next.

    Raises:
        UsageError: it is no .xlsx, or damaged, or far too large; the rows raise it as well.
    """
    with _damage_as_sentence():
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if len(content) > MOST_PACKED or unpacked > _MOST_UNPACKED:
            raise _TooLargeError
        sheets = _opened(content, data_only=True)
    for number, sheet in enumerate(sheets):
        with _damage_as_sentence():
            merged, calculated = _looked_through(sheet)
            written = None if calculated else _opened(content, data_only=False)[number]
        yield Sheet(sheet.title, merged, _rows_with_formulas(sheet, written) if written else _rows(sheet))


def _opened(content: bytes, *, data_only: bool) -> list[Any]:
    """The sheets, with the values of formulas or with the formulas themselves."""
    import openpyxl  # noqa: PLC0415 - 0.2 s

    return list(openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data_only).worksheets)


@contextmanager
def _damage_as_sentence() -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # a damaged file raises whatever its damage leads to
        raise UsageError(
            f"it is damaged or no .xlsx ({type(error).__name__}). Open it in a spreadsheet and save it as .xlsx."
        ) from error


def _looked_through(sheet: Any) -> tuple[tuple[Merged, ...], bool]:
    """The merged cells of a sheet, which openpyxl does not tell row by row, and whether its formulas have values."""
    from openpyxl.xml.functions import iterparse  # noqa: PLC0415

    merged, calculated, rows, cells = [], True, 0, 0
    with sheet._get_source() as part:  # noqa: SLF001 - there is no other way to a sheet's own part
        for _, element in iterparse(part):
            if element.tag == _CELL:
                cells += 1
                calculated &= _has_its_value(element)
            elif element.tag == _ROW:
                rows, cells = max(rows + 1, int(float(element.get("r", 0)))), 0
                element.clear()
            elif element.tag == _MERGED:
                merged.append(_merged(element.get("ref", "")))
            if rows > _MOST_ROWS or cells > _MOST_CELLS:
                raise _TooLargeError
    return tuple(merged), calculated


def _has_its_value(cell: Any) -> bool:
    """False for a formula that no program has calculated; one that gives an empty text says that it is a text."""
    return cell.find(_FORMULA) is None or bool(cell.findtext(_VALUE)) or cell.get("t") == "str"


def _merged(name: str) -> Merged:
    from openpyxl.utils import range_boundaries  # noqa: PLC0415

    left, top, right, _ = (bound or 1 for bound in range_boundaries(name))
    return Merged(name, top, range(left - 1, right))


def _rows(sheet: Any) -> Iterator[Row]:
    for number, cells in enumerate(_cells(sheet), start=1):
        if any(cell is not None for cell in cells):
            yield number, ["" if cell is None else str(cell) for cell in cells]


def _rows_with_formulas(sheet: Any, written: Any) -> Iterator[Row]:
    for number, both in enumerate(zip(_cells(sheet), _cells(written), strict=True), start=1):
        if any(cell is not None for cell in both[1]):
            yield number, [_value(*cell) for cell in zip(*both, strict=True)]


def _value(value: Any, written: Any) -> str:
    if value is None:
        return "" if written is None else UNCALCULATED
    return str(value)


def _cells(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """A tuple a line, the lines that are not in the file among them."""
    sheet.reset_dimensions()  # what a program claims here may be wrong
    with _damage_as_sentence():
        yield from sheet.iter_rows(max_col=_WIDEST, values_only=True)
