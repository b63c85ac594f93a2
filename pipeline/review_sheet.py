"""``manual_review.xlsx``: the review list as a spreadsheet that a reviewer fills in, and what it must not do.

Every cell is text or a plain number, so nothing a patient wrote is a formula, a link or a date; a save changes none of
it. Only the decision and the note can be written to: sorting or filling a single column would put decisions beside
texts that nobody judged. (There is no password: whoever must can lift the protection.)

It holds the most frequent texts, ``MOST`` at most: people answer hundreds, and a file of a million lines (a sheet ends
at 1,048,576) is slow to open. The .csv beside it has all of them, and ``ojeon review export`` the next ones.
"""

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from parsers.types import Period
from pipeline.review_file import Waiting, waiting_texts

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.cell import Cell

FILE_NAME = "manual_review.xlsx"
MOST = 100_000
"""Texts in one file."""
TITLE, GUIDE = "검토", "안내"
DECISIONS = ("오전", "오후", "둘 다 아님")
"""What the decision's drop-down offers: MORNING, AFTERNOON, NEITHER."""

_PERIODS = {Period.MORNING.value: DECISIONS[0], Period.AFTERNOON.value: DECISIONS[1]}
_FONT = "맑은 고딕"
# A spreadsheet reads _x0041_ in a cell as the letter of that number.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


class Column(NamedTuple):
    """A column: its name in the .csv, its heading here, its width in characters, whether reviewers write to it."""

    name: str
    heading: str
    width: int
    filled: bool = False


COLUMNS = (
    Column("key", "번호", 11),
    Column("text", "환자가 적은 글", 46),
    Column("decision", "판정", 13, filled=True),
    Column("note", "메모", 26, filled=True),
    Column("rows", "예약 수", 9),
    Column("suggestion", "추천", 8),
    Column("confidence", "확신", 8),
    Column("explanation", "사람이 볼 까닭", 44),
    Column("answers", "지금까지의 판정", 34),
)
BLIND = COLUMNS[:4]
"""Those that tell nothing of what was decided."""
_TEXT = COLUMNS[1]
_GUIDE = (
    "환자가 적은 희망 시간을 보고 오전인지 오후인지 정하는 목록입니다.",
    "",
    "1. ‘환자가 적은 글’을 읽고 ‘판정’ 칸에서 오전, 오후, 둘 다 아님 가운데 하나를 고릅니다.",
    "2. 오전·오후 어느 쪽도 아니거나 글만으로는 알 수 없으면 ‘둘 다 아님’을 고릅니다.",
    "3. 아직 정하지 못했으면 비워 둡니다. 빈 칸은 다음에 다시 나옵니다.",
    "4. ‘추천’은 프로그램의 짐작일 뿐입니다. 글과 다르면 따르지 마세요.",
    "5. 까닭을 남기고 싶으면 ‘메모’에 적습니다.",
    "6. 저장한 뒤 받은 곳으로 이 파일을 돌려보냅니다. 다 채우지 않아도 됩니다.",
    "",
    "• 한 글의 판정은 똑같이 적은 모든 예약(‘예약 수’)에 쓰입니다.",
    "• ‘판정’과 ‘메모’만 쓸 수 있고, 읽어 들일 때에도 번호·판정·메모만 봅니다.",
    "• 글에 개인정보가 있을 수 있으니 다른 곳에 보내지 마세요.",
    "",
)


def write(workbench: duckdb.DuckDBPyConnection, folder: Path, run_id: str) -> int:
    """Write the file into ``folder``, most rows first, and return how many texts are in it.

    Raises:
        OSError: the file cannot be written.
        duckdb.Error: the workbench cannot be read.
    """
    return write_lines(folder / FILE_NAME, waiting_texts(workbench, run_id), run_id)


def write_lines(path: Path, waiting: Iterable[Waiting], run_id: str, *, with_answers: bool = False) -> int:
    """Write a file of this kind and return how many texts are in it, ``MOST`` at most.

    Raises:
        OSError: the file cannot be written.
    """
    return write_book(path, waiting, run_id, columns=COLUMNS if with_answers else COLUMNS[:-1], guide=_GUIDE)


def write_book(
    path: Path, texts: Iterable[Waiting], run_id: str, *, columns: tuple[Column, ...], guide: tuple[str, ...]
) -> int:
    """Write texts to be decided, with the first of ``COLUMNS`` and a sheet that tells how; returns how many are in it.

    Raises:
        OSError: the file cannot be written.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - 0.2 s, and only a file that is written pays for it

    book = Workbook(write_only=True)
    book.properties.creator = "ojeon"
    lines = iter(texts)
    written = _write_list(book, columns, islice(lines, MOST))
    left_out = sum(1 for _ in lines)
    numbers = f"이 파일: 글 {written:,}개, 실행 {run_id}"
    rest = f"나머지 {left_out:,}개는 함께 있는 {path.stem}.csv에 있습니다." if left_out else ""
    _write_guide(book, (*guide, numbers, rest))
    book.save(path)
    return written


def _write_list(book: "Workbook", columns: tuple[Column, ...], waiting: Iterable[Waiting]) -> int:
    sheet: Any = book.create_sheet(TITLE)
    sheet.freeze_panes = "A2"
    for letter, column in zip("ABCDEFGHI", columns, strict=False):
        sheet.column_dimensions[letter].width = column.width
    cells = [_Cells(sheet, column) for column in columns]
    sheet.append([cell.heading() for cell in cells])
    texts = 0
    for line in waiting:
        sheet.append([cell.of(line) for cell in cells])
        texts += 1
    last = "ABCDEFGHI"[len(columns) - 1]
    sheet.auto_filter.ref = f"A1:{last}{texts + 1}"
    _offer_decisions(sheet, texts)
    _protect(sheet)
    return texts


class _Cells:
    """Makes the cells of one column; a cell is written before the next of its column is made, so one serves for all."""

    def __init__(self, sheet: Any, column: Column) -> None:
        self._sheet, self._column = sheet, column
        self._cell = _text_cell(sheet, column)
        self._is_number = column.name in {"rows", "confidence"}
        if self._is_number:
            self._cell.number_format = "#,##0" if column.name == "rows" else "0%"
            self._cell.quotePrefix = False

    def heading(self) -> "Cell":
        from openpyxl.styles import Font, PatternFill  # noqa: PLC0415

        cell = _text_cell(self._sheet, self._column)
        cell.font = Font(name=_FONT, bold=True)
        cell.fill = PatternFill("solid", fgColor="E8EEF4")
        return _filled(cell, self._column.heading)

    def of(self, line: Waiting) -> "Cell":
        if self._is_number:
            self._cell.value = line.rows if self._column.name == "rows" else round(line.confidence, 2)
            return self._cell
        return _filled(self._cell, _value(line, self._column.name))


def _value(line: Waiting, name: str) -> str:
    if name in {"decision", "note"}:
        return ""
    if name == "suggestion":
        return _PERIODS.get(line.suggestion or "", "")
    return str({"text": line.shown}.get(name) or getattr(line, name))


def _text_cell(sheet: Any, column: Column) -> "Cell":
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Alignment, Font, PatternFill, Protection  # noqa: PLC0415

    cell = WriteOnlyCell(sheet)
    cell.number_format = "@"
    cell.font = Font(name=_FONT, color="8A939B" if column.name == "key" else None)
    cell.alignment = Alignment(vertical="top", wrap_text=column is _TEXT)
    cell.protection = Protection(locked=not column.filled)
    if column.filled:
        cell.fill = PatternFill("solid", fgColor="FFF9E0")
    cell.quotePrefix = not column.filled  # shows an apostrophe where somebody types
    return cell


def _filled(cell: "Cell", text: str) -> "Cell":
    cell.value = _ESCAPE.sub("_x005F_", text)
    cell.data_type = "s"  # whatever it looks like
    return cell


def _offer_decisions(sheet: Any, texts: int) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    words = ", ".join(DECISIONS)
    offer = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True)
    offer.errorTitle, offer.error = "판정", f"{words} 가운데 하나를 고르거나 비워 두세요."
    offer.promptTitle, offer.prompt = "판정", f"{words}. 모르면 비워 두세요."
    offer.showErrorMessage = offer.showInputMessage = True
    offer.add(f"C2:C{max(texts, 1) + 1}")
    sheet.data_validations.append(offer)


def _protect(sheet: Any) -> None:
    rules = sheet.protection
    rules.sheet = True
    # False allows it, in the format's own words.
    rules.autoFilter = rules.formatColumns = rules.formatRows = False


def _write_guide(book: "Workbook", lines: tuple[str, ...]) -> None:
    sheet: Any = book.create_sheet(GUIDE)
    sheet.column_dimensions["A"].width = 100
    sheet.protection.sheet = True
    column = Column("guide", "", 100)
    for line in lines:
        sheet.append([_filled(_text_cell(sheet, column), line)])
