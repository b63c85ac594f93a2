"""The rows of a .csv as whatever program saved it: its encoding and its separator are found out."""

import codecs
import csv
import io
from collections.abc import Iterator

from pipeline.errors import UsageError

Row = tuple[int, list[str]]
"""The line a row starts in, counted from 1, and its cells."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = ",;\t"


def rows_of_csv(content: bytes) -> Iterator[Row]:
    """Read UTF-8 (with or without a mark), UTF-16 or cp949, separated by commas, semicolons or tabs.

    Raises:
        UsageError: it is none of these, or a quote is not closed.
    """
    text = _decoded(content)
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    starts = 1
    try:
        for cells in reader:
            yield starts, cells
            starts = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(
            f"line {starts} cannot be read ({error}). Save the file again from the spreadsheet."
        ) from error


def _decoded(content: bytes) -> str:
    marked = [encoding for mark, encoding in _MARKS if content.startswith(mark)]
    for encoding in marked or ["utf-8", "cp949"]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError("its letters are neither UTF-8, UTF-16 nor cp949. Save it as .xlsx or as .csv UTF-8.")
