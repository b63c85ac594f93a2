"""What reviewers say goes before every parser, and is accounted for wherever rows are counted."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from filled_workbench import Line, fill
from hypothesis import given
from hypothesis import strategies as st

import parsers
from parsers import Policy
from parsers.types import Disposition, Period, Reason
from pipeline import dictionary, review_file
from pipeline.answers import NOTHING, Answer, Standing, Verdict, open_answers, standing_of
from pipeline.conservation import count_rows
from pipeline.facts import read_facts
from pipeline.normalize import normalize
from pipeline.reviewed import DISPUTED, RULE, decide
from pipeline.suggest import suggest
from pipeline.workbench import open_workbench

POLICY = Policy()
TEXTS = ["8시", "아무때나", "오후 3시", "가", "\u1100\u1161", "", None, "x" * 300]


def words(folder: Path, *said: tuple[str | None, Verdict] | tuple[str | None, Verdict, str]) -> Standing:
    with open_answers(folder / "answers.sqlite") as answers:
        answers.add(
            Answer(text, verdict, *(who or ["reviewer-1"]), datetime.now(UTC), "", "run-1", "T0", "test")
            for text, verdict, *who in said
        )
        return answers.standing()


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


@pytest.mark.parametrize("period", Period)
@pytest.mark.parametrize("text", ["8시", "오전 9시", "", "x" * 300])
def test_a_settled_period_is_the_decision_whatever_the_parsers_say(tmp_path: Path, text: str, period: Period) -> None:
    decision = decide(text, POLICY, words(tmp_path, (text, Verdict(period))))
    assert (decision.disposition, decision.period, decision.rule) == (Disposition.AUTO, period, RULE)
    assert (decision.start, decision.end, decision.confidence, decision.reason) == (None, None, 1.0, None)


@pytest.mark.parametrize(("text", "reason"), [("8시", Reason.AMBIGUOUS_HOUR), ("오전 9시", Reason.LOW_CONFIDENCE)])
def test_neither_is_settled_without_a_period(tmp_path: Path, text: str, reason: Reason) -> None:
    decision = decide(text, POLICY, words(tmp_path, (text, Verdict.NEITHER)))
    assert (decision.disposition, decision.period, decision.start, decision.rule) == ("REVIEW", None, None, RULE)
    assert (decision.confidence, decision.reason) == (1.0, reason)


@pytest.mark.parametrize("text", ["8시", "오전 9시"])
def test_where_reviewers_differ_a_person_decides_even_if_the_parsers_are_sure(tmp_path: Path, text: str) -> None:
    said = words(tmp_path, (text, Verdict.MORNING), (text, Verdict.AFTERNOON, "reviewer-2"))
    decision, alone = decide(text, POLICY, said), parsers.decide(text, POLICY)
    assert (decision.disposition, decision.period, decision.rule) == ("REVIEW", alone.period, alone.rule)
    assert decision.confidence <= DISPUTED < POLICY.auto_threshold
    assert decision.reason == (alone.reason or Reason.LOW_CONFIDENCE)


def test_only_exactly_the_text_that_was_seen_is_settled(tmp_path: Path) -> None:
    said = words(tmp_path, ("가", Verdict.MORNING), ("8시", Verdict.MORNING))
    for other in ("\u1100\u1161", "8시 ", "８시", "8시\n"):
        assert decide(other, POLICY, said) == parsers.decide(other, POLICY)
    assert decide("가", POLICY, said).rule == RULE


def test_a_null_never_gets_a_period(tmp_path: Path) -> None:
    assert decide(None, POLICY, words(tmp_path, (None, Verdict.MORNING))) == parsers.decide(None, POLICY)
    neither = decide(None, POLICY, words(tmp_path, (None, Verdict.NEITHER)))
    assert (neither.disposition, neither.rule, neither.reason) == ("REVIEW", RULE, Reason.EMPTY)


@given(text=st.none() | st.text(max_size=20))
def test_without_words_the_parsers_decide(text: str | None) -> None:
    assert decide(text, POLICY, NOTHING) == parsers.decide(text, POLICY)


def test_a_store_that_is_not_there_says_nothing_and_is_not_made(tmp_path: Path) -> None:
    assert standing_of(tmp_path / "answers.sqlite") == NOTHING
    assert list(tmp_path.iterdir()) == []


def decided(workbench: duckdb.DuckDBPyConnection) -> dict[str | None, tuple[str, str | None, str]]:
    lines = workbench.execute("SELECT raw, disposition, period, rule FROM decisions").fetchall()
    return {raw: tuple(line) for raw, *line in lines}


def a_clinic(workbench: duckdb.DuckDBPyConnection) -> None:
    """Four rows of each text, one of them with a period."""
    fill(workbench, [Line(text, 4, 1, disposition=None) for text in TEXTS])


def test_a_run_uses_what_is_settled_and_counts_every_row(workbench: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    a_clinic(workbench)
    said = words(
        tmp_path,
        ("8시", Verdict.MORNING),
        ("아무때나", Verdict.NEITHER),
        ("가", Verdict.AFTERNOON),
        ("오후 3시", Verdict.MORNING),
        ("오후 3시", Verdict.AFTERNOON, "reviewer-2"),
        ("of another run", Verdict.MORNING),
    )
    report = normalize(workbench, POLICY, words=said)
    assert (report.texts, report.auto, report.review, report.reviewed) == (8, 2, 6, 3)
    found = decided(workbench)
    assert found["8시"] == ("AUTO", "MORNING", RULE)
    assert found["가"] == ("AUTO", "AFTERNOON", RULE)
    assert found["아무때나"] == ("REVIEW", None, RULE)
    assert found["오후 3시"][:2] == ("REVIEW", "AFTERNOON")
    assert found["\u1100\u1161"][2] != RULE
    rows = count_rows(workbench)
    assert (rows.extracted, rows.auto, rows.review, rows.already_set, rows.neither) == (32, 6, 18, 8, 3)
    assert rows.waiting == 15
    assert rows.equation == "extracted 32 = auto 6 + review 18 (3 settled as neither half) + already_set 8"
    state = {"lines": 6, "sha256": said.sha256, "settled": 3, "disputed": 1}
    assert read_facts(workbench)["answers"] == state


def test_settled_texts_are_in_the_plan_or_nowhere(workbench: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    a_clinic(workbench)
    unknown = "쀍 3시"
    fill(workbench, [Line(unknown, 2, disposition=None)])
    normalize(workbench, POLICY)
    assert [found.word for found in suggest(workbench, POLICY)] == ["쀍"]
    said = [("8시", Verdict.MORNING), ("아무때나", Verdict.NEITHER), (unknown, Verdict.NEITHER)]
    normalize(workbench, POLICY, words=words(tmp_path, *said))
    assert dictionary.write(workbench, tmp_path) == 6
    entries = {entry.raw: (entry.period, entry.rule, entry.confidence) for entry in dictionary.read(tmp_path)}
    assert entries["8시"] == ("MORNING", "reviewed", 1.0)
    texts, rows = review_file.write(workbench, tmp_path, "run-1")
    assert (texts, rows) == (5, 15) == (5, count_rows(workbench).waiting)
    with (tmp_path / review_file.FILE_NAME).open(encoding="utf-8-sig", newline="") as file:
        listed = {line["key"] for line in csv.DictReader(file)}
    assert not listed & {review_file.key("run-1", text) for text, _ in said}
    assert suggest(workbench, POLICY) == []


def test_a_run_without_answers_says_so(workbench: duckdb.DuckDBPyConnection) -> None:
    a_clinic(workbench)
    assert normalize(workbench, POLICY).reviewed == 0
    used = read_facts(workbench)["answers"]
    assert used == {"lines": 0, "sha256": NOTHING.sha256, "settled": 0, "disputed": 0}
    assert json.loads(json.dumps(used)) == used
