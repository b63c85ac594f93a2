import io
import unicodedata

import pytest
from filled_workbench import Line, auto, fill
from rich.console import Console

from parsers.types import Disposition
from pipeline.insight.browse import found_table, search, texts_of_rule, texts_of_shape
from pipeline.shapes import By
from pipeline.workbench import open_workbench

LINES = [
    auto("오후 3시", 9, "AFTERNOON", "15:00"),
    auto(unicodedata.normalize("NFD", "오후 2시"), 5, "AFTERNOON", "14:00"),
    auto("3 PM", 4, "AFTERNOON", "15:00", rule="english"),
    Line("예약자 김하늘 오후?", 7, period="AFTERNOON", confidence=0.5),
    Line("100%_", 2),
    Line("", 3),
    Line(None, 1),
]


@pytest.fixture
def workbench(tmp_path):
    with open_workbench(tmp_path) as connection:
        fill(connection, LINES)
        connection.execute(
            "INSERT INTO text_shapes SELECT raw, CASE WHEN raw LIKE '%3%' THEN 'three' ELSE 'other' END, 'x' FROM texts"
        )
        yield connection


def found(lines):
    return [(line.text, line.rows) for line in lines]


def test_search_finds_pieces_however_composed_and_masks_them(workbench):
    assert found(search(workbench, "오후")) == [("오후 3시", 9), ("예약자 ••• 오후?", 7), (LINES[1].raw, 5)]
    assert found(search(workbench, unicodedata.normalize("NFD", "오후"), limit=1)) == [("오후 3시", 9)]
    assert found(search(workbench, "pm")) == [("3 PM", 4)]


def test_what_is_sought_is_text_and_no_pattern(workbench):
    assert found(search(workbench, "%_")) == [("100%_", 2)]
    assert search(workbench, "'; DROP TABLE texts; --") == ()
    assert found(search(workbench, ""))[-1] == ("100%_", 2)  # everything but the NULL


def test_by_shape_and_by_rule(workbench):
    assert found(texts_of_shape(workbench, "three")) == [("오후 3시", 9), ("3 PM", 4)]
    assert found(texts_of_shape(workbench, "other"))[-1] == ("⟨NULL⟩", 1)
    assert ("⟨empty⟩", 3) in found(texts_of_shape(workbench, "other"))
    assert len(texts_of_shape(workbench, "x", By.PATTERN, limit=4)) == 4
    [line] = texts_of_rule(workbench, "english")
    assert (line.disposition, line.period, line.start) == (Disposition.AUTO, "AFTERNOON", "15:00")


def test_the_table_marks_suggestions_and_can_be_empty(workbench):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(found_table(search(workbench, "오후")))
    console.print(found_table(()))
    text = console.export_text()
    assert "AFTERNOON?" in text
    assert "0.500" in text
    assert "No text of this run is like that." in text
