"""The rows of the sheets of an .xlsx, whichever program saved it; values only, never formulas, links or macros."""

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.errors import UsageError
from pipeline.review.csv_rows import Row

SIGNATURE = b"PK\x03\x04"
_MOST_BYTES = 2**30  # unpacked; a review list of 100,000 texts has 40 MB
_WIDEST = 100  # columns


def sheets_of_xlsx(content: bytes) -> list[tuple[str, Sequence[Row]]]:
    """Each sheet's name and its rows; those without any content are left out.

    Raises:
        UsageError: it is no .xlsx, or damaged, or far too large.
    """
    import openpyxl  # noqa: PLC0415 - 0.2 s

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked <= _MOST_BYTES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what openpyxl does not keep of a file is not read here either
                book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
                return [(sheet.title, list(_rows(sheet))) for sheet in book.worksheets]
    except Exception as error:  # a damaged file raises whatever its damage leads to
        raise UsageError(
            f"it is damaged or no .xlsx ({type(error).__name__}). Open it in a spreadsheet and save it as .xlsx."
        ) from error
    raise UsageError("it unpacks to more than a review list can hold. Fill in the file that a run wrote.")


def _rows(sheet: Any) -> Iterator[Row]:
    sheet.reset_dimensions()  # what a program claims here may be wrong
    for number, cells in enumerate(sheet.iter_rows(max_col=_WIDEST, values_only=True), start=1):
        if any(cell is not None for cell in cells):
            yield number, ["" if cell is None else str(cell) for cell in cells]
