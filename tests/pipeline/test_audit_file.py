"""The audit's file is blind: a key and the text, and nothing that tells what was decided."""

import csv
import zipfile

import duckdb
import openpyxl
import pytest
from filled_workbench import auto, fill

from pipeline import audit_file, audit_sample, review_file, review_sheet
from pipeline.workbench import SCHEMA

RUN = "20261123-101500-3f2a"


def written(folder):
    with (folder / audit_file.FILE_NAME).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def drawn():
    lines = [
        auto(f"{hour}시 {minute}분", hour, "MORNING" if hour < 12 else "AFTERNOON", rule=f"rule_{hour}")
        for hour in range(9, 18)
        for minute in range(60)
    ]
    with duckdb.connect() as workbench:
        workbench.execute(SCHEMA)
        known = auto("아홉시 반", 5_000, "MORNING", rule="reviewed")
        fill(workbench, [*lines, auto("=1+1", 5_000, "MORNING", rule="formula"), known])
        return audit_sample.draw(workbench, RUN, 0.02, 0.95)


def test_it_holds_each_text_once_under_the_key_that_import_knows(drawn, tmp_path):
    audit_file.write(drawn, tmp_path, RUN, "12:00")
    lines = written(tmp_path)
    assert [line["key"] for line in lines] == [review_file.key(RUN, line.raw) for line in drawn.asked]
    assert len({line["key"] for line in lines}) == len(lines) > 20
    assert [line["text"] for line in lines] == [review_file.cell(line.raw) for line in drawn.asked]


def test_what_reviewers_have_answered_is_not_asked_again(drawn, tmp_path):
    audit_file.write(drawn, tmp_path, RUN, "12:00")
    assert "아홉시 반" in {line.raw for line in drawn.lines}
    assert "아홉시 반" not in {line["text"] for line in written(tmp_path)}


def test_it_tells_nothing_but_the_text(drawn, tmp_path):
    audit_file.write(drawn, tmp_path, RUN, "12:00")
    assert {(line["decision"], line["note"]) for line in written(tmp_path)} == {("", "")}
    assert list(written(tmp_path)[0]) == ["key", "text", "decision", "note"]
    content = (tmp_path / audit_file.FILE_NAME).read_text(encoding="utf-8-sig")
    for word in ("MORNING", "AFTERNOON", "AUTO", "오전", "오후", "rule", "formula", "5000", "0.99"):
        assert word not in content


def test_a_formula_is_guarded_and_excel_is_told_the_encoding(drawn, tmp_path):
    audit_file.write(drawn, tmp_path, RUN, "12:00")
    content = (tmp_path / audit_file.FILE_NAME).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert b",'=1+1," in content


def test_the_sheet_holds_the_same_and_no_more(drawn, tmp_path):
    audit_file.write(drawn, tmp_path, RUN, "12:30")
    book = openpyxl.load_workbook(tmp_path / audit_file.SHEET_NAME)
    assert book.sheetnames == [review_sheet.TITLE, review_sheet.GUIDE]
    head, *lines = book[review_sheet.TITLE].iter_rows(values_only=True)
    assert head == ("번호", "환자가 적은 글", "판정", "메모")
    assert lines == [(review_file.key(RUN, line.raw), line.raw, None, None) for line in drawn.asked]
    (offered,) = book[review_sheet.TITLE].data_validations.dataValidation
    assert offered.formula1 == '"오전,오후,둘 다 아님"'
    guide = "\n".join(str(cell) for (cell,) in book[review_sheet.GUIDE].iter_rows(values_only=True))
    assert "12:30부터 오후입니다" in guide
    assert f"글 {len(lines):,}개, 실행 {RUN}" in guide
    with zipfile.ZipFile(tmp_path / audit_file.SHEET_NAME) as parts:
        content = "".join(parts.read(name).decode() for name in parts.namelist())
    for word in ("MORNING", "AFTERNOON", "rule_", "formula<", "halfday"):
        assert word not in content


def test_a_sample_of_nothing_is_a_file_with_its_head_only(tmp_path):
    audit_file.write(audit_sample.Sample(0, 0, ()), tmp_path, RUN, "12:00")
    assert (tmp_path / audit_file.FILE_NAME).read_text(encoding="utf-8-sig") == "key,text,decision,note\n"
