import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.types import Reason
from pipeline import review_file
from pipeline.review_file import COLUMNS, EXPLANATIONS, KEY_SQL, cell
from pipeline.workbench import open_workbench

CELLS: dict[str, list[str]] = json.loads((Path(__file__).parent / "spreadsheet_cells.json").read_text(encoding="utf-8"))
FORMULA_SIGNS = tuple("=+-@＝＋－＠\t\r")


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


Line = tuple[str | None, int, int, str | None, str | None]  # text, rows, of them already set, suggestion, reason


@pytest.fixture
def written(workbench: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., list[dict[str, str]]]:
    """Write the review file of the given texts, and read it as a spreadsheet would."""

    def write(lines: list[Line], run_id: str = "run-1") -> list[dict[str, str]]:
        for raw, rows, already_set, suggestion, reason in lines:
            workbench.execute(
                "INSERT INTO reservations (id, raw, current_period) SELECT uuid()::VARCHAR, $1, "
                "CASE WHEN range < $3 THEN 'MORNING' END FROM range($2)",
                [raw, rows, already_set],
            )
            workbench.execute(
                "INSERT INTO decisions VALUES ($1, $2, $3, NULL, NULL, 0.456, 'rule', $4, '')",
                [raw, "REVIEW" if reason else "AUTO", suggestion, reason],
            )
        counted = review_file.write(workbench, tmp_path, run_id)
        with (tmp_path / "manual_review.csv").open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
        assert counted == (len(found), sum(int(line["rows"]) for line in found))
        return found

    return write


def test_one_line_a_text_most_rows_first(written: Callable[..., list[dict[str, str]]]) -> None:
    lines = written(
        [
            ("낮", 2, 0, None, "ambiguous_word"),
            ("첫 타임", 5, 2, "MORNING", "ambiguous_word"),
            ("오전", 9, 0, "MORNING", None),
            ("밤", 4, 4, "AFTERNOON", "outside_hours"),
            ("", 2, 0, None, "empty"),
            (None, 2, 0, None, "empty"),
        ]
    )
    assert [(line["text"], line["rows"], line["suggestion"], line["reason"]) for line in lines] == [
        ("첫 타임", "3", "MORNING", "ambiguous_word"),
        ("⟨NULL⟩", "2", "", "empty"),
        ("⟨빈 글⟩", "2", "", "empty"),
        ("낮", "2", "", "ambiguous_word"),
    ]
    assert {(line["confidence"], line["decision"], line["note"]) for line in lines} == {("0.46", "", "")}
    assert lines[0]["explanation"] == "오전·오후 어느 쪽도 될 수 있는 말"


def test_the_file_is_utf_8_with_a_mark_for_spreadsheets(
    written: Callable[..., list[dict[str, str]]], tmp_path: Path
) -> None:
    written([("낮, 밤", 1, 0, None, "ambiguous_word")])
    content = (tmp_path / "manual_review.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfkey,text,rows,suggestion,confidence,reason,explanation,decision,note\r\n")
    assert content.endswith('"낮, 밤",1,,0.46,ambiguous_word,오전·오후 어느 쪽도 될 수 있는 말,,\r\n'.encode())


def test_nothing_to_review_is_a_file_too(written: Callable[..., list[dict[str, str]]], tmp_path: Path) -> None:
    assert written([("오전", 1, 0, "MORNING", None)]) == []
    assert (tmp_path / "manual_review.csv").read_text(encoding="utf-8-sig").strip() == ",".join(COLUMNS)


def test_keys_find_their_texts_again_and_belong_to_one_run(
    written: Callable[..., list[dict[str, str]]], workbench: duckdb.DuckDBPyConnection
) -> None:
    texts = ["", None, "NULL", "=", "⟨NULL⟩", "낮\0", "낮"]
    lines = written([(raw, 1, 0, None, "empty") for raw in texts])
    keys = [line["key"] for line in lines]
    assert all(key.startswith("T") and len(key) == 17 and key.isalnum() for key in keys)
    found = workbench.execute(f"SELECT {KEY_SQL}, raw FROM decisions", {"run_id": "run-1"}).fetchall()
    assert {key: raw for key, raw in found if key in keys} == dict(found)
    assert set(dict(found).values()) == set(texts)
    other = workbench.execute(f"SELECT {KEY_SQL} FROM decisions", {"run_id": "run-2"}).fetchall()
    assert not {key for (key,) in other} & set(keys)


def test_a_long_text_is_shortened_visibly(written: Callable[..., list[dict[str, str]]], tmp_path: Path) -> None:
    (line,) = written([("가나" * 524_288, 1, 0, None, "too_long")])
    assert line["text"] == "가나" * 100 + "… ⟨전체 1,048,576자⟩"
    assert (tmp_path / "manual_review.csv").stat().st_size < 2_000


def test_every_reason_is_explained() -> None:
    assert set(EXPLANATIONS) == set(Reason)
    assert len(set(EXPLANATIONS.values())) == len(Reason)


@pytest.mark.parametrize("text", CELLS["left as they are"])
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("text", CELLS["not a formula"] + CELLS["not a date, time or number"])
def test_what_a_spreadsheet_would_change_is_guarded(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", CELLS["not a formula behind a separator"])
@pytest.mark.parametrize("separator", list(';,"|'))
def test_no_formula_starts_where_another_locale_splits_cells(text: str, separator: str) -> None:
    assert not any(part.strip().startswith(FORMULA_SIGNS) for part in cell(text).split(separator))


@pytest.mark.parametrize("text", CELLS["shown on one line"] + CELLS["made visible"])
def test_what_cannot_be_seen_is_shown_on_one_line(text: str) -> None:
    assert cell(text).isprintable()
    assert cell(text) != text


@given(text=st.text())
def test_no_cell_is_a_formula_or_breaks_its_line(text: str) -> None:
    shown = cell(text)
    assert shown.strip()
    assert not shown.lstrip(" ").startswith(FORMULA_SIGNS)
    assert shown.splitlines() == [shown]


@given(text=st.from_regex(r"\A[=+\-@;,\"' \t\r\n0-9a-z]*\Z"))
def test_no_cell_of_awkward_signs_is_a_formula_in_any_locale(text: str) -> None:
    for separator in ';,"|':
        assert not any(part.lstrip(" ").startswith(FORMULA_SIGNS) for part in cell(text).split(separator))


@pytest.mark.parametrize("raw", [None, "", "NULL", "8시", "=1+1", "오전\x1f10시", "👩‍⚕️ \\ '"])
def test_a_key_is_the_same_wherever_it_is_made(workbench: duckdb.DuckDBPyConnection, raw: str | None) -> None:
    query = f"SELECT {review_file.KEY_SQL} FROM (SELECT $raw::VARCHAR AS raw)"
    made = workbench.execute(query, {"run_id": "run-1", "raw": raw}).fetchone()
    assert made == (review_file.key("run-1", raw),)
