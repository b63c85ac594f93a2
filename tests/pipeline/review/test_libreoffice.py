"""A real spreadsheet, set to Korean, opens our files and saves them: no text changes, and every decision comes in."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from libreoffice import find_libreoffice, saved_by
from reviewed_run import finish

from pipeline.answers import Answer, Purpose, Verdict, open_answers
from pipeline.review.asked import Asked, read_asked
from pipeline.review.decision_words import IN_KOREAN
from pipeline.review.take_in import Taken, take_in
from pipeline.review_file import shown

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("libreoffice")]

CELLS = json.loads((Path(__file__).parents[1] / "spreadsheet_cells.json").read_text(encoding="utf-8"))
HOSTILE = json.loads((Path(__file__).parents[1] / "hostile_texts.json").read_text(encoding="utf-8"))
MORE = [
    "_x0041_",
    "_x000D_8시",
    "3-4",
    "1/2",
    "10-12",
    "007",
    "1e5",
    "#N/A",
    "TRUE",
    "'8시",
    "  8시  ",
    "\x01",
    "가" * 300,
]
VERDICTS = [Verdict.MORNING, Verdict.AFTERNOON, Verdict.NEITHER]


@pytest.fixture(scope="module")
def program() -> str:
    return find_libreoffice()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A run in which every text waits, for reviewers differ about each."""
    texts = dict.fromkeys([*MORE, *HOSTILE.values(), *(text for group in CELLS.values() for text in group), "", None])
    folder, at = tmp_path_factory.mktemp("runs"), datetime(2025, 11, 3, tzinfo=UTC)
    with open_answers(folder / "before.sqlite") as answers:
        answers.add(
            Answer(text, verdict, f"reviewer-{verdict}", at, "", "run-0", "T0", "test")
            for text in texts
            for verdict in VERDICTS
        )
        return read_asked(finish(folder / "run-1", dict.fromkeys(texts, 1), words=answers.standing()))


def decided(asked: Asked) -> dict[str, Verdict]:
    """Each word in turn; NEITHER for the NULL."""
    texts = asked.shown_for(Purpose.REVIEW)
    return {
        text.key: Verdict.NEITHER if text.raw is None else VERDICTS[number % 3] for number, text in enumerate(texts)
    }


def unescaped(value: object) -> str:
    return str(value).replace("_x005F_", "_")


def imported(asked: Asked, file: Path, store: Path) -> dict[str | None, Verdict]:
    with open_answers(store) as answers:
        found = take_in(asked, [file], "reviewer-1", answers)
        assert isinstance(found, Taken), found
        assert (found.blank, found.missing) == (0, ())
        return {text: settled.verdict for text, settled in answers.settled().items()}


def test_an_xlsx_comes_back_with_every_text_and_every_decision(program: str, asked: Asked, tmp_path: Path) -> None:
    words = decided(asked)
    book = openpyxl.load_workbook(asked.folder / "manual_review.xlsx")
    for row in book["검토"].iter_rows(min_row=2):
        row[2].value, row[3].value = IN_KOREAN[words[row[0].value]], "3-4"
    book.save(tmp_path / "manual_review.xlsx")
    saved = saved_by(program, tmp_path / "manual_review.xlsx", tmp_path / "saved", "--convert-to", "xlsx")

    lines = list(openpyxl.load_workbook(saved)["검토"].iter_rows(min_row=2))
    texts = {str(row[0].value): row[1] for row in lines}
    # Longer texts are cut by the run; what it shows of them is what must come back.
    given = {
        str(row[0].value): row[1]
        for row in openpyxl.load_workbook(tmp_path / "manual_review.xlsx")["검토"].iter_rows(min_row=2)
    }
    assert len(texts) == len(words) > 100
    assert {key: unescaped(cell.value) for key, cell in texts.items()} == {
        key: unescaped(cell.value) for key, cell in given.items()
    }
    short = {text.key: shown(text.raw) for text in asked.texts.values() if text.raw is None or len(text.raw) <= 200}
    assert {key: unescaped(texts[key].value) for key in words if key in short} == {
        key: unescaped(short[key]) for key in words if key in short
    }
    assert {cell.data_type for cell in texts.values()} == {"s"}
    assert {row[3].value for row in lines} == {"3-4"}
    assert imported(asked, saved, tmp_path / "answers.sqlite") == {
        asked.texts[key].raw: word for key, word in words.items()
    }


def test_what_the_reviewer_may_do_survives_a_save(program: str, asked: Asked, tmp_path: Path) -> None:
    saved = saved_by(program, asked.folder / "manual_review.xlsx", tmp_path / "saved", "--convert-to", "xlsx")
    sheet = openpyxl.load_workbook(saved)["검토"]
    (offer,) = sheet.data_validations.dataValidation
    assert (offer.type, offer.formula1) == ("list", '"오전,오후,둘 다 아님"')
    assert sheet.protection.sheet
    assert (sheet["C2"].protection.locked, sheet["B2"].protection.locked) == (False, True)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_comes_back_with_every_decision(program: str, asked: Asked, tmp_path: Path, separator: str) -> None:
    words = decided(asked)
    with (asked.folder / "manual_review.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    with (tmp_path / "manual_review.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *([*line[:7], IN_KOREAN[words[line[0]]], ""] for line in lines)])
    how = f"csv:Text - txt - csv (StarCalc):{ord(separator)},34,76,1"
    options = ("--infilter=CSV:44,34,76,1,,1042,false,true", "--convert-to", how)
    saved = saved_by(program, tmp_path / "manual_review.csv", tmp_path / "saved", *options)
    assert imported(asked, saved, tmp_path / "answers.sqlite") == {
        asked.texts[key].raw: word for key, word in words.items()
    }
