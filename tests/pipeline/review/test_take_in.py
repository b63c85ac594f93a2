"""Importing what reviewers filled in: every file a spreadsheet may make of ours, and every reason to take nothing."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reviewed_run import finish

from pipeline import arrived
from pipeline.answers import Answer, Answers, Purpose, Verdict, open_answers
from pipeline.errors import RunError
from pipeline.review import filled, xlsx_rows
from pipeline.review.asked import Asked, read_asked
from pipeline.review.decision_words import verdict_of
from pipeline.review.take_in import Refused, Taken, take_in
from pipeline.review_file import key

RUN = "run-1"
ROWS = {"8시": 5, "아무때나": 4, "낮": 3, "6시": 2, None: 2, "오후 3시": 20, "오전": 30}
WAITING = ["8시", "아무때나", "낮", "6시", None]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return read_asked(finish(tmp_path_factory.mktemp("runs") / RUN, ROWS, audited=True))


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with open_answers(tmp_path / "answers.sqlite") as store:
        yield store


@pytest.fixture
def imported(asked: Asked, answers: Answers) -> Callable[..., Taken]:
    def take(*paths: Path, reviewer: str = "reviewer-1", **more: bool) -> Taken:
        found = take_in(asked, paths, reviewer, answers, **more)
        assert isinstance(found, Taken), found
        return found

    return take


@pytest.fixture
def refused(asked: Asked, answers: Answers) -> Callable[..., list[tuple[str, int | None, str]]]:
    """Import files that must be refused: what is complained of, by file, line and why. Nothing may have been kept."""

    def take(*paths: Path) -> list[tuple[str, int | None, str]]:
        found = take_in(asked, paths, "reviewer-1", answers)
        assert isinstance(found, Refused), found
        assert answers.standing().lines == 0
        return [(Path(complaint.file).name, complaint.line, complaint.why) for complaint in found.complaints]

    return take


def sheet(path: Path, asked: Asked, decisions: dict[str | None, object], note: str = "") -> Path:
    """The run's own .xlsx with the decisions filled in."""
    book = openpyxl.load_workbook(asked.folder / "manual_review.xlsx")
    wanted = {key(RUN, raw): decision for raw, decision in decisions.items()}
    for row in book["검토"].iter_rows(min_row=2):
        if row[0].value in wanted:
            row[2].value, row[3].value = wanted[row[0].value], note
    book.save(path)
    return path


def table(asked: Asked, decisions: dict[str | None, str]) -> list[list[str]]:
    """The run's own .csv with the decisions filled in."""
    with (asked.folder / "manual_review.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    wanted = {key(RUN, raw): decision for raw, decision in decisions.items()}
    return [lines[0], *([*line[:7], wanted.get(line[0], ""), line[8]] for line in lines[1:])]


def text_of(lines: list[list[str]], separator: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(lines)
    return out.getvalue()


def saved(path: Path, lines: list[list[str]], encoding: str = "utf-8-sig", separator: str = ",") -> Path:
    path.write_bytes(text_of(lines, separator).encode(encoding))
    return path


def a_csv(path: Path, *lines: tuple[object, ...], header: tuple[str, ...] = ("key", "decision", "note")) -> Path:
    return saved(path, [list(header), *(list(map(str, line)) for line in lines)])


K = {raw: key(RUN, raw) for raw in ROWS}


def test_the_runs_own_spreadsheet_comes_back(asked, answers, imported, tmp_path) -> None:
    path = sheet(tmp_path / "접수1.xlsx", asked, {"8시": "오전", "낮": "둘 다 아님"}, note="전화로 확인")
    assert imported(path) == Taken(new=2, changed=0, repeated=0, blank=3, missing=(), conflicts=())
    assert {text: found.verdict for text, found in answers.settled().items()} == {"8시": "MORNING", "낮": "NEITHER"}
    (answer,) = answers.history("8시")
    assert (answer.reviewer, answer.note, answer.run_id, answer.key) == ("reviewer-1", "전화로 확인", RUN, K["8시"])
    assert answer.source.startswith("접수1.xlsx ")
    assert answer.purpose is Purpose.REVIEW


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_comes_back_however_it_was_saved(  # noqa: PLR0917 - four fixtures, two values
    asked, answers, imported, tmp_path, encoding, separator
) -> None:
    lines = table(asked, {"8시": "오전", "아무때나": "둘 다 아님", None: "neither"})
    if encoding == "cp949":  # it has no ⟨⟩: a spreadsheet writes question marks, and the text is not read anyway
        path = tmp_path / "cp949.csv"
        path.write_bytes(text_of(lines, separator).encode(encoding, "replace"))
    else:
        path = saved(tmp_path / "saved.csv", lines, encoding, separator)
    found = imported(path)
    assert (found.new, found.blank, found.missing) == (3, 2, ())
    assert {text: word.verdict for text, word in answers.settled().items()} == {
        "8시": "MORNING",
        "아무때나": "NEITHER",
        None: "NEITHER",
    }


def test_utf_16_of_either_order_is_read(imported, tmp_path) -> None:
    content = text_of([["key", "decision"], [K["8시"], "M"]])
    (tmp_path / "big.csv").write_bytes(b"\xfe\xff" + content.encode("utf-16-be"))
    assert imported(tmp_path / "big.csv").new == 1


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        *(
            (word, Verdict.MORNING)
            for word in ("오전", "MORNING", "morning", "AM", "am", "a.m.", "m", "M", " 오전 ", "ＡＭ")
        ),
        *((word, Verdict.AFTERNOON) for word in ("오후", "Afternoon", "PM", "p.m.", "a", "A")),
        *((word, Verdict.NEITHER) for word in ("둘 다 아님", "둘다아님", "둘다 아님", "Neither", "n", "N")),
        *(
            (word, None)
            for word in ("모름", "오전?", "오전/오후", "p", "아침", "1", "true", "MORNING AFTERNOON", "withdrawn")
        ),
        ("\u110b\u1169\u110c\u1165\u11ab", Verdict.MORNING),  # 오전 as a Macintosh writes it
    ],
)
def test_decisions_are_read_in_korean_english_and_letters(word: str, verdict: Verdict | None) -> None:
    assert verdict_of(word) is verdict


def test_the_texts_in_a_file_may_say_anything(asked, answers, imported, tmp_path) -> None:
    lines = table(asked, {"8시": "오전"})
    for line in lines[1:]:
        line[1:7] = ["45724", "x", "=1+1", "?", "#REF!", ""]
    imported(saved(tmp_path / "changed.csv", lines))
    assert set(answers.settled()) == {"8시"}


def test_columns_and_lines_may_stand_in_any_order(answers, imported, tmp_path) -> None:
    header = ("판정", "x", "메모", "KEY ")
    found = imported(a_csv(tmp_path / "a.csv", ("N", "", "왜", K["낮"]), ("", "", "", K["8시"]), header=header))
    assert (found.new, found.blank) == (1, 1)
    assert answers.history("낮")[0].note == "왜"


def test_lines_that_are_missing_are_named_unless_settled(imported, tmp_path) -> None:
    imported(a_csv(tmp_path / "a.csv", (K["8시"], "M", "")))
    found = imported(a_csv(tmp_path / "b.csv", (K["낮"], "", "")), reviewer="reviewer-2")
    assert found.missing == (K["아무때나"], K[None], K["6시"])


def test_the_same_file_again_changes_nothing(asked, answers, imported, tmp_path) -> None:
    path = sheet(tmp_path / "a.xlsx", asked, {"8시": "오전", "낮": "오후"})
    imported(path)
    before = answers.standing()
    assert imported(path) == Taken(new=0, changed=0, repeated=2, blank=3, missing=(), conflicts=())
    (tmp_path / "copy.xlsx").write_bytes(path.read_bytes())
    assert imported(tmp_path / "copy.xlsx").new == 0
    assert answers.standing() == before
    assert imported(path, reviewer="reviewer-2").new == 2


def test_the_same_word_in_another_file_is_no_new_word(answers, imported, tmp_path) -> None:
    imported(a_csv(tmp_path / "a.csv", (K["8시"], "M", "왜")))
    assert imported(a_csv(tmp_path / "b.csv", (K["8시"], "오전", "다른 말"))).repeated == 1
    assert answers.standing().lines == 1


def test_an_old_file_brings_nothing_back(answers, imported, tmp_path) -> None:
    old = a_csv(tmp_path / "old.csv", (K["8시"], "M", ""))
    imported(old)
    assert imported(a_csv(tmp_path / "new.csv", (K["8시"], "A", ""))).changed == 1
    assert imported(old) == Taken(0, 0, 1, 0, (K["아무때나"], K["낮"], K[None], K["6시"]), ())
    assert answers.settled()["8시"].verdict is Verdict.AFTERNOON
    assert imported(a_csv(tmp_path / "newer.csv", (K["8시"], "m", "다시"))).changed == 1  # said anew, it counts
    assert answers.settled()["8시"].verdict is Verdict.MORNING


def test_reviewers_who_differ_leave_the_text_open(answers, imported, tmp_path) -> None:
    imported(a_csv(tmp_path / "a.csv", (K["8시"], "M", ""), (K["낮"], "N", "")))
    found = imported(a_csv(tmp_path / "b.csv", (K["8시"], "A", ""), (K["낮"], "N", "")), reviewer="reviewer-2")
    assert (found.new, found.conflicts) == (2, (K["8시"],))
    assert set(answers.settled()) == {"낮"}


def test_a_look_keeps_nothing(answers, imported, tmp_path) -> None:
    assert imported(a_csv(tmp_path / "a.csv", (K["8시"], "M", "")), keep=False).new == 1
    assert answers.standing().lines == 0


def test_a_list_may_come_back_in_parts(imported, tmp_path) -> None:
    one = a_csv(tmp_path / "a.csv", (K["8시"], "M", ""), (K["낮"], "", ""))
    two = a_csv(tmp_path / "b.csv", (K["8시"], "", ""), (K["낮"], "N", ""))
    assert imported(one, two).new == 2


def test_the_audit_sample_comes_in_as_an_audit(asked, answers, imported, tmp_path) -> None:
    lines = (asked.folder / "audit_sample.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3
    (tmp_path / "audit.csv").write_text("\n".join([lines[0], *(line[:-1] + "A," for line in lines[1:])]), "utf-8-sig")
    assert imported(tmp_path / "audit.csv").missing == ()
    assert {answer.purpose for answer in answers.current()} == {Purpose.AUDIT}
    assert set(answers.settled()) == {"오후 3시", "오전"}


def test_a_word_said_in_review_is_said_again_in_an_audit(answers, imported, tmp_path) -> None:
    at = datetime(2025, 11, 3, tzinfo=UTC)
    answers.add([Answer("오전", Verdict.MORNING, "reviewer-1", at, "", "run-0", "T0", "test", Purpose.REVIEW)])
    assert imported(a_csv(tmp_path / "a.csv", (K["오전"], "M", ""))).new == 1
    assert answers.current()[0].purpose is Purpose.AUDIT
    assert imported(a_csv(tmp_path / "b.csv", (K["오전"], "오전", ""))).repeated == 1


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([("Tffffffffffffffff", "M", "")], "its key is none of the run run-1"),
        ([("", "M", "")], "it has no key"),
        ([(K["8시"], "모름", "")], "the decision '모름' cannot be read. Write 오전, 오후 or 둘 다 아님"),
        ([(K["8시"], '=IF(1,"오전")', "")], "cannot be read"),
        ([(K["8시"], "withdrawn", "")], "cannot be read"),
        ([(key("run-2", "8시"), "M", "")], "its key is none of the run"),
        ([(K["8시"].lower(), "M", "")], "its key is none of the run"),
        ([(K[None], "M", "")], "names no half of the day"),
        ([(K["8시"], "M", "")] * 2, "its key stands in"),
        ([(K["8시"], "M", ""), (K["8시"], "A", "")], "line 3 already. Leave one of the two"),
        ([(K["8시"], "M", ""), (K["8시"], "", "")], "its key stands in"),
        ([(K["8시"], "M", "", "x")], "more cells than the first line has headings"),
    ],
)
def test_one_wrong_line_and_nothing_is_taken(refused, tmp_path, lines, why) -> None:
    (found,) = refused(a_csv(tmp_path / "a.csv", (K["낮"], "N", ""), *lines))
    assert found[:2] == ("a.csv", len(lines) + 2)
    assert why in found[2]


def test_every_wrong_line_of_every_file_is_named(refused, tmp_path) -> None:
    one = a_csv(tmp_path / "a.csv", ("T1", "M", ""), (K["낮"], "?", "두\n줄"), (K["8시"], "?", ""))
    two = a_csv(tmp_path / "b.csv", (K["6시"], "M", ""), ("T2", "", ""))
    found = refused(one, two, tmp_path / "c.csv")
    assert [place[:2] for place in found] == [("a.csv", 2), ("a.csv", 3), ("a.csv", 5), ("b.csv", 3), ("c.csv", None)]
    assert found[-1][2] == "it cannot be read: No such file or directory."


def test_two_files_that_decide_one_text_are_refused(refused, tmp_path) -> None:
    one, two = (a_csv(tmp_path / name, (K["8시"], "M", "")) for name in ("a.csv", "b.csv"))
    ((file, line, why),) = refused(one, two)
    assert (file, line) == ("b.csv", 2)
    assert "a.csv, line 2 already" in why


def test_texts_that_a_sync_wrote_down_come_in_as_well(tmp_path, answers) -> None:
    run = finish(tmp_path / RUN, ROWS)
    (run / "moves").mkdir()
    late = "  늦게 온 글 8시\n"
    arrived.write(run / "moves" / "review_0001.csv", [(late, 3), ("7시", 1)])
    asked = read_asked(run)
    found = take_in(
        asked, [a_csv(tmp_path / "a.csv", (key(RUN, late), "M", ""), (key(RUN, "7시"), "", ""))], "r", answers
    )
    assert found == Taken(new=1, changed=0, repeated=0, blank=1, missing=(), conflicts=())
    assert answers.settled()[late].verdict is Verdict.MORNING
    (run / "moves" / "review_0002.jsonl").write_text('{"raw": 1')
    with pytest.raises(RunError, match=r"review_0002\.jsonl cannot be read"):
        read_asked(run)


def test_a_text_that_nobody_was_asked_about_is_refused(tmp_path, answers) -> None:
    asked = read_asked(finish(tmp_path / RUN, ROWS))
    found = take_in(asked, [a_csv(tmp_path / "a.csv", (K["오전"], "A", ""))], "reviewer-1", answers)
    assert isinstance(found, Refused)
    assert "was not given to people" in found.complaints[0].why


def test_a_wrong_decision_is_shown_short_and_masked(refused, tmp_path) -> None:
    ((_, _, why),) = refused(a_csv(tmp_path / "a.csv", (K["8시"], "010-1234-5678 " + "x" * 99 + "\x1b[31m", "")))
    assert "1234" not in why
    assert "\x1b" not in why
    assert "x" * 21 not in why


def xlsx(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, lines in sheets.items():
        made = book.create_sheet(title)
        for line in lines:
            made.append(line)
    book.save(path)
    return path


def test_any_sheet_with_the_columns_is_read(imported, tmp_path) -> None:
    lines = {"메모장": [["x"], [1]], "Sheet1": [["번호", "판정"], [K["8시"], "오후"], [None, None], [K["낮"], "n"]]}
    assert imported(xlsx(tmp_path / "a.xlsx", **lines, 빈시트=[])).new == 2


def test_lines_of_a_sheet_are_named_as_the_spreadsheet_counts_them(refused, tmp_path) -> None:
    path = xlsx(tmp_path / "a.xlsx", 검토=[["key", "decision"], [None, None], [K["8시"], 45724], [K["낮"], True]])
    assert [found[:2] for found in refused(path)] == [("a.xlsx", 3), ("a.xlsx", 4)]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
@pytest.mark.parametrize(
    ("header", "why"),
    [
        (("번호", "메모"), "lacks the column decision (판정)"),
        (("decision",), "lacks the column key (번호)"),
        ((), "lacks the column key (번호) and decision (판정)"),
        (("key", "decision", "판정"), "has the column decision twice"),
        (("key", "번호", "decision"), "has the column key twice"),
    ],
)
def test_a_table_needs_its_columns_once(refused, tmp_path, name, header, why) -> None:
    path = tmp_path / name
    if name == "a.csv":
        a_csv(path, (K["8시"], "M"), header=header)
    else:
        xlsx(path, 검토=[list(header), [K["8시"], "M"]] if header else [])
    ((file, line, found),) = refused(path)
    assert (file, line) == (name, None)
    assert why in found


def damaged(asked: Asked) -> bytes:
    content = bytearray((asked.folder / "manual_review.xlsx").read_bytes())
    content[200:2_000] = b"\0" * 1_800
    return bytes(content)


def test_files_that_are_none_of_ours_are_refused_with_what_to_do(refused, asked, tmp_path) -> None:
    cases = {
        "empty.csv": (b"", "lacks the column"),
        "old.xls": (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old .xls or has a password"),
        "damaged.xlsx": (damaged(asked), "damaged or no .xlsx"),
        "short.xlsx": ((asked.folder / "manual_review.xlsx").read_bytes()[:3_000], "damaged or no .xlsx"),
        "other.zip": (zipped(**{"a.txt": "x"}), "damaged or no .xlsx"),
        "image.csv": (b"\x89PNG\r\n\x1a\n\xff\xff\xfe", "neither UTF-8, UTF-16 nor cp949"),
        "open.csv": (b'key,decision\r\nT1,"M\r\n', "line 2 cannot be read"),
    }
    for name, (content, why) in cases.items():
        (tmp_path / name).write_bytes(content)
        ((file, _, found),) = refused(tmp_path / name)
        assert (file, why in found, found.endswith(".")) == (name, True, True), found


@pytest.mark.parametrize("limit", ["MOST_PACKED", "_MOST_UNPACKED", "_MOST_ROWS", "_MOST_CELLS"])
def test_what_is_larger_than_any_list_is_not_read(refused, asked, monkeypatch, limit) -> None:
    monkeypatch.setattr(xlsx_rows, limit, 4)
    ((_, _, found),) = refused(asked.folder / "manual_review.xlsx")
    assert found == "it holds more than a review list can. Fill in the file that a run wrote."


def test_a_file_larger_than_any_list_is_not_read_to_its_end(refused, asked, monkeypatch) -> None:
    monkeypatch.setattr(filled, "_MOST_OF_CSV", 100)
    monkeypatch.setattr(filled, "MOST_PACKED", 100)
    assert len(filled.read_filled(asked.folder / "manual_review.xlsx").content) < 110
    assert len(filled.read_filled(asked.folder / "manual_review.csv").content) < 110
    ((_, _, found),) = refused(asked.folder / "manual_review.csv")
    assert "more than a review list can" in found


def test_a_line_far_below_all_others_is_not_waited_for(refused, tmp_path) -> None:
    path = xlsx(tmp_path / "a.xlsx", 검토=[["key", "decision"], [K["8시"], "M"]])
    replaced(path, '<row r="2"', '<row r="2000000000"')
    ((_, _, found),) = refused(path)
    assert "more than a review list can" in found


def replaced(path: Path, old: str, new: str) -> None:
    """Change the first sheet's own XML; ``old`` is a pattern."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode() for name in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name], changed = re.subn(old, new, parts[name])
    assert changed == 1
    path.write_bytes(zipped(**parts))


@pytest.mark.parametrize("cells", ["C2:C4", "B3:C3", "C2:D2", "A4:A5"])
def test_merged_cells_are_refused_by_their_name(refused, asked, tmp_path, cells) -> None:
    path = sheet(tmp_path / "a.xlsx", asked, {"8시": "오전", "낮": "오후"})
    book = openpyxl.load_workbook(path)
    book["검토"].merge_cells(cells)
    book.save(path)
    (_, line, found), *_ = refused(path)
    assert line == int(cells[1])
    assert found.startswith(f"the cells {cells} are merged, so only the first of them has a value. Unmerge them")


def test_cells_merged_where_nothing_is_read_do_not_matter(imported, asked, tmp_path) -> None:
    path = sheet(tmp_path / "a.xlsx", asked, {"8시": "오전"})
    book = openpyxl.load_workbook(path)
    book["검토"].merge_cells("E2:F4")
    book["안내"].merge_cells("A1:C9")
    book.save(path)
    assert imported(path).new == 1


def test_a_formula_that_nobody_calculated_is_no_empty_cell(refused, asked, tmp_path) -> None:
    path = sheet(tmp_path / "a.xlsx", asked, {"8시": '=IF(TRUE,"오전")', "낮": "오후"})
    assert refused(path) == [
        ("a.xlsx", 2, "it has a formula without a value. Write the value itself in its place."),
    ]


@pytest.mark.parametrize(("value", "new"), [("오전", 1), ("", 0)])
def test_a_formula_counts_by_the_value_that_the_spreadsheet_gave_it(imported, tmp_path, value, new) -> None:
    path = xlsx(tmp_path / "a.xlsx", 검토=[["key", "decision"], [K["8시"], '=IF(TRUE,"오전")']])
    replaced(path, '<c r="B2".*?</c>', f'<c r="B2" t="str"><f>IF(TRUE,"오전")</f><v>{value}</v></c>')
    found = imported(path)
    assert (found.new, found.blank) == (new, 1 - new)


def zipped(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def test_a_bomb_of_entities_is_not_unpacked(refused, asked, tmp_path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    with (
        zipfile.ZipFile(asked.folder / "manual_review.xlsx") as ours,
        zipfile.ZipFile(tmp_path / "a.xlsx", "w") as made,
    ):
        for name in ours.namelist():
            content = ours.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                content = bomb + "]>" + content.replace("<t>번호</t>", "<t>&j;</t>")
            made.writestr(name, content)
    ((_, _, why),) = refused(tmp_path / "a.xlsx")
    assert "damaged or no .xlsx" in why


@settings(max_examples=15)
@given(
    said=st.lists(
        st.tuples(st.sampled_from(WAITING[:4]), st.sampled_from(["M", "A", "N", ""]), st.sampled_from(["r1", "r2"])),
        max_size=8,
    )
)
def test_whatever_is_imported_the_latest_word_of_each_counts(
    said: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory, asked: Asked
) -> None:
    folder = tmp_path_factory.mktemp("said")
    latest: dict[tuple[str, str], str] = {}
    with open_answers(folder / "answers.sqlite") as answers:
        for number, (text, word, reviewer) in enumerate(said):
            path = a_csv(folder / f"{number}.csv", (K[text], word, number))
            for _ in range(2):
                found = take_in(asked, [path], reviewer, answers)
                assert isinstance(found, Taken)
            assert found.new == 0
            if word:
                latest[text, reviewer] = word
        words = {
            (a.text, a.reviewer): {"MORNING": "M", "AFTERNOON": "A"}.get(a.verdict, "N") for a in answers.current()
        }
    assert words == latest
