"""What is still open goes out again, what was said is told, and what was said can be taken back."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from reviewed_run import finish

from pipeline.answers import Answer, Answers, Purpose, Verdict, open_answers, standing_of
from pipeline.errors import RunError, UsageError
from pipeline.review.asked import Asked, read_asked
from pipeline.review.export import export
from pipeline.review.status import Part, status_of
from pipeline.review.withdraw import withdraw
from pipeline.review_file import key

RUN = "run-1"
ROWS = {"8시": 5, "아무때나": 4, "낮": 3, "6시": 2, None: 2, "오후 3시": 20, "오전": 30}
OJEON = Path(sys.executable).with_name("ojeon")


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    return read_asked(finish(tmp_path / "runs" / RUN, ROWS))


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with open_answers(tmp_path / "runs" / "answers.sqlite") as store:
        yield store


def say(answers: Answers, text: str | None, verdict: Verdict, reviewer: str = "reviewer-1") -> None:
    whence = RUN, key(RUN, text), "test", Purpose.REVIEW
    answers.add([Answer(text, verdict, reviewer, datetime.now(UTC), "왜", *whence)])


def test_a_run_is_open_until_somebody_says_something(asked: Asked, answers: Answers) -> None:
    status = status_of(asked, answers.standing())
    assert (status.asked, status.open) == (Part(5, 16), Part(5, 16))
    assert (status.settled, status.conflict) == (Part(0, 0), Part(0, 0))
    assert status.auto_share == status.next_auto_share == pytest.approx(50 / 66)


def test_every_listed_text_is_open_settled_or_in_conflict(asked: Asked, answers: Answers) -> None:
    say(answers, "8시", Verdict.MORNING)
    say(answers, "낮", Verdict.NEITHER)
    say(answers, "6시", Verdict.MORNING)
    say(answers, "6시", Verdict.AFTERNOON, "reviewer-2")
    say(answers, "of another run", Verdict.MORNING)
    status = status_of(asked, answers.standing())
    assert (status.asked, status.open, status.settled, status.conflict) == (
        Part(5, 16),
        Part(2, 6),
        Part(2, 8),
        Part(1, 2),
    )
    assert (status.auto_share, status.next_auto_share) == (50 / 66, 55 / 66)


def test_the_next_runs_share_is_what_the_next_run_has(asked: Asked, answers: Answers, tmp_path: Path) -> None:
    """Settled, disputed and withdrawn words, and one against a parser, are counted as the next run decides them."""
    for text, verdict in {"8시": "MORNING", "낮": "NEITHER", "오후 3시": "NEITHER", None: "MORNING"}.items():
        say(answers, text, Verdict(verdict))
    say(answers, "오전", Verdict.MORNING)
    say(answers, "오전", Verdict.AFTERNOON, "reviewer-2")
    foretold = status_of(asked, answers.standing())
    then = read_asked(finish(tmp_path / "runs" / "run-2", ROWS, words=answers.standing()))
    status = status_of(then, answers.standing())
    assert status.auto_share == foretold.next_auto_share == status.next_auto_share == 5 / 66
    say(answers, "8시", Verdict.WITHDRAWN)
    say(answers, "오후 3시", Verdict.WITHDRAWN)
    assert status_of(then, answers.standing()).next_auto_share == 20 / 66


def test_a_settled_text_is_not_asked_again_and_a_disputed_one_is(
    asked: Asked, answers: Answers, tmp_path: Path
) -> None:
    say(answers, "8시", Verdict.NEITHER)
    say(answers, "오전", Verdict.MORNING)
    say(answers, "오전", Verdict.NEITHER, "reviewer-2")
    then = read_asked(finish(tmp_path / "runs" / "run-2", ROWS, words=answers.standing()))
    listed = {text.raw for text in then.shown_for(Purpose.REVIEW)}
    assert listed == {text.raw for text in asked.shown_for(Purpose.REVIEW)} - {"8시"} | {"오전"}


def exported(path: Path) -> list[list[object]]:
    if path.suffix == ".xlsx":
        return [list(line) for line in openpyxl.load_workbook(path)["검토"].iter_rows(values_only=True)]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [[cell or None for cell in line] for line in csv.reader(file)]


@pytest.mark.parametrize("name", ["open.xlsx", "open.csv"])
def test_what_is_open_goes_out_with_what_was_said(asked: Asked, answers: Answers, tmp_path: Path, name: str) -> None:
    say(answers, "8시", Verdict.MORNING)
    say(answers, "낮", Verdict.NEITHER, "=1+1")
    say(answers, "낮", Verdict.AFTERNOON, "접수2")
    assert export(asked, answers.standing(), tmp_path / name) == 4
    header, *lines = exported(tmp_path / name)
    texts = [str(line[1]).removeprefix("'") for line in lines]
    assert texts == ["아무때나", "낮", "⟨NULL⟩", "6시"]
    said = "=1+1 둘 다 아님 · 접수2 오후"
    assert [line[-1] for line in lines] == [None, said if name == "open.xlsx" else "'" + said, None, None]
    assert header[-1] == ("지금까지의 판정" if name == "open.xlsx" else "answers")


def test_a_word_can_be_taken_back_by_who_said_it(asked: Asked, answers: Answers) -> None:
    say(answers, "8시", Verdict.MORNING)
    withdrawn = withdraw(asked, key(RUN, "8시"), "reviewer-1", "잘못 눌렀음", answers)
    assert withdrawn.verdict is Verdict.MORNING
    assert answers.settled() == {}
    assert [word.verdict for word in answers.history("8시")] == ["MORNING", "WITHDRAWN"]
    assert answers.history("8시")[-1].note == "잘못 눌렀음"


def test_what_nobody_said_cannot_be_taken_back(asked: Asked, answers: Answers) -> None:
    say(answers, "8시", Verdict.MORNING)
    for name, key_ in (("reviewer-2", key(RUN, "8시")), ("reviewer-1", key(RUN, "낮"))):
        with pytest.raises(UsageError, match=f"{name} has no word about the text {key_}"):
            withdraw(asked, key_, name, "", answers)
    with pytest.raises(UsageError, match="no text 'T1'"):
        withdraw(asked, "T1", "reviewer-1", "", answers)
    withdraw(asked, key(RUN, "8시"), "reviewer-1", "", answers)
    with pytest.raises(UsageError, match="nothing to take back"):
        withdraw(asked, key(RUN, "8시"), "reviewer-1", "", answers)


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError, match="no manifest"):
        read_asked(tmp_path / "run")


# The command line, in real processes.


def ojeon(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = ("OJEON_", "PG", "DATABASE_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        [OJEON, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**inherited, "COLUMNS": "160", "OJEON_RUNS": str(folder / "runs"), **environment},
    )


def fill_in(path: Path, *decisions: str) -> None:
    book = openpyxl.load_workbook(path)
    for row, decision in zip(book["검토"].iter_rows(min_row=2), decisions, strict=False):
        row[2].value = decision
    book.save(path)


@pytest.mark.usefixtures("asked")
def test_the_commands_go_round(tmp_path: Path) -> None:
    done = ojeon(tmp_path, "review", "export", RUN)
    assert (done.returncode, done.stdout) == (0, "review-run-1.xlsx\n"), done.stderr
    assert "5 texts are open" in done.stderr
    fill_in(tmp_path / "review-run-1.xlsx", "오전", "둘 다 아님")
    done = ojeon(tmp_path, "review", "import", "runs/run-1", "review-run-1.xlsx", "--reviewer", " 접수1 ", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["new"], told["blank"], told["reviewer"], told["kept"]) == (0, 2, 3, "접수1", True)
    assert told["status"]["open"] == {"texts": 3, "rows": 7}
    assert standing_of(tmp_path / "runs" / "answers.sqlite").settled.keys() == {"8시", "아무때나"}

    done = ojeon(tmp_path, "review", "import", RUN, "review-run-1.xlsx", "--reviewer", "[red]접수2[/red]")
    assert "2 decisions" in done.stderr
    assert done.returncode == 0

    status = json.loads(ojeon(tmp_path, "review", "status", RUN, "--json").stdout)
    assert (status["settled"], status["auto_share"], status["next_auto_share"]) == (
        {"texts": 2, "rows": 9},
        50 / 66,
        55 / 66,
    )
    shown = ojeon(tmp_path, "review", "status", RUN).stdout
    assert "75.76% of the rows without a period in this run, 83.33% in the next" in shown

    history = json.loads(ojeon(tmp_path, "review", "history", "8시", "--json").stdout)
    assert [(word["reviewer"], word["verdict"], word["key"]) for word in history] == [
        ("접수1", "MORNING", key(RUN, "8시")),
        ("[red]접수2[/red]", "MORNING", key(RUN, "8시")),
    ]
    assert "[red]접수2[/red]" in ojeon(tmp_path, "review", "history", "8시").stdout
    assert "Nobody has said anything" in ojeon(tmp_path, "review", "history", "8시 ").stderr

    done = ojeon(tmp_path, "review", "withdraw", RUN, key(RUN, "8시"), "--reviewer", "접수1", "--note", "다시 봄")
    assert (done.returncode, "Withdrawn: MORNING by 접수1" in done.stderr) == (0, True)
    explained = json.loads(ojeon(tmp_path, "explain", "8시", "--json").stdout)
    assert (explained["reviewed"]["verdict"], len(explained["reviewed"]["answers"])) == ("MORNING", 1)


def test_a_refusal_lists_its_lines_and_keeps_nothing(asked: Asked, tmp_path: Path) -> None:
    keys = [text.key for text in asked.shown_for(Purpose.REVIEW)]
    lines = ["key,decision", *(f"{key_},?" for key_ in keys * 5), "T1,M"]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    done = ojeon(tmp_path, "review", "import", RUN, "a.csv", "--reviewer", "접수1", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert (told["kept"], len(told["complaints"]), told["complaints"][-1]["line"]) == (False, 26, 27)
    shown = done.stderr.splitlines()
    assert len(shown) == 21
    assert shown[0].startswith("a.csv, line 2: the decision '?' cannot be read.")
    assert shown[-1].startswith("Nothing was imported: 26 places are wrong; 6 more are not shown")
    assert standing_of(tmp_path / "runs" / "answers.sqlite").lines == 0


def test_a_file_of_another_run_names_that_run(asked: Asked, tmp_path: Path) -> None:
    finish(tmp_path / "runs" / "run-2", ROWS)
    file = asked.folder / "manual_review.xlsx"
    fill_in(file, "오전")
    done = ojeon(tmp_path, "review", "import", "run-2", file, "--reviewer", "접수1")
    assert done.returncode == 2
    assert "These are keys of the run run-1: ojeon review import run-1" in done.stderr


@pytest.mark.usefixtures("asked")
def test_a_dry_run_looks_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"key,decision\n{key(RUN, '8시')},M\n")
    done = ojeon(tmp_path, "review", "import", RUN, "a.csv", "--reviewer", "접수1", "--dry-run")
    assert (done.returncode, "would be kept" in done.stderr) == (0, True)
    assert "1 decision " in done.stderr
    assert standing_of(tmp_path / "runs" / "answers.sqlite").lines == 0


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("import", "run-9", "a.csv", "--reviewer", "접수1"), "There is no run run-9"),
        (("import", RUN, "a.csv", "--reviewer", " "), "A reviewer needs a name"),
        (("import", RUN, "a.csv"), "Missing option '--reviewer'"),
        (("export", RUN, "-o", "there.csv"), "there.csv is there already and may hold decisions"),
        (("export", RUN, "-o", "a.ods"), "a.ods is no name for a file of the format xlsx or csv. Name it *.xlsx."),
        (("export", RUN, "-o", "a.csv", "--format", "xlsx"), "a.csv is no name for a file of the format xlsx"),
        (("withdraw", RUN, "T1", "--reviewer", "접수1"), "There are no answers at"),
        (("status", RUN, "--answers", "there.csv"), "not a file of reviewers' answers"),
        (("status", RUN, "--answers", "runs"), "answers cannot be kept in runs: it is a folder"),
        (("export", RUN, "--answers", "runs"), "Name a file (setting answers)"),
        (("history", "8시", "--answers", "runs"), "Name a file (setting answers)"),
        (("audit", RUN, "--answers", "runs"), "Name a file (setting answers)"),
        (("import", RUN, "there.csv", "--reviewer", "접수1", "--answers", "runs"), "Name a file (setting answers)"),
    ],
)
def test_a_refusal_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    (tmp_path / "there.csv").write_text("mine\n" * 200)
    done = ojeon(tmp_path, "review", *arguments)
    assert done.returncode in {2, 4}
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "there.csv").read_text() == "mine\n" * 200


@pytest.mark.parametrize("command", ["import", "export", "status", "history", "withdraw", "serve"])
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    done = ojeon(tmp_path, "review", command, "--help")
    assert done.returncode == 0
    assert f"ojeon review {command}" in done.stdout.split("Example:")[1]
