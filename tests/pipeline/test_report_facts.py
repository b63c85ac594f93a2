import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from filled_workbench import Line, auto, fill

from parsers.confidence import reliability
from pipeline import audit_sample, manifest
from pipeline.answers import NOTHING, Answer, Purpose, Verdict, open_answers
from pipeline.errors import RunError
from pipeline.profile import profile
from pipeline.report_facts import REVIEW_TEXTS, ReportView, gather, gather_finished
from pipeline.settings import Settings
from pipeline.workbench import SCHEMA, open_workbench

PASSED = {"verdict": "passed", "suites": []}


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


def _gathered(workbench: duckdb.DuckDBPyConnection, lines: list[Line], checks: dict | None = PASSED) -> ReportView:
    fill(workbench, lines)
    profile(workbench)
    return gather(workbench, Settings(), "run-1", checks)


def test_every_row_has_one_fate(workbench: duckdb.DuckDBPyConnection) -> None:
    lines = [
        auto("10시", 60, "MORNING", already_set=10),
        auto("오후", 30, "AFTERNOON"),
        Line("낮", 8, already_set=1),
        Line(None, 2),
    ]
    view = _gathered(workbench, lines)
    rows = view.rows
    assert (rows.extracted, rows.auto, rows.review, rows.already_set, rows.undecided) == (100, 80, 9, 11, 0)
    assert (rows.morning, rows.afternoon) == (50, 30)
    assert rows.balanced
    assert rows.auto_share == pytest.approx(80 / 89)
    assert sum(line.rows for line in view.confidence) == 89
    assert view.reliability == reliability()
    assert sum(line.rows for line in view.reasons) == 9


def test_texts_whose_rows_are_all_set_wait_for_nobody(workbench: duckdb.DuckDBPyConnection) -> None:
    view = _gathered(workbench, [Line("낮", 8, already_set=8), auto("오후", 1, "AFTERNOON", already_set=1)])
    assert view.waiting == view.reasons == view.confidence == ()
    assert view.rows.auto_share == 0


def test_the_most_frequent_texts_wait_first(workbench: duckdb.DuckDBPyConnection) -> None:
    lines = [Line(f"낮 {number}", 100 - number, reason="ambiguous_word", confidence=0.5) for number in range(60)]
    view = _gathered(workbench, [*lines, auto("오후", 1_000, "AFTERNOON")])
    assert len(view.waiting) == REVIEW_TEXTS
    assert [line.rows for line in view.waiting] == list(range(100, 50, -1))
    assert [(line.reason, line.rows, line.texts) for line in view.reasons] == [("ambiguous_word", 4_230, 60)]


@pytest.mark.parametrize(("confidence", "number"), [(0.0, 0), (0.05, 1), (0.15, 3), (0.3, 6), (0.9, 18), (1.0, 19)])
def test_a_confidence_falls_into_its_bin(workbench: duckdb.DuckDBPyConnection, confidence: float, number: int) -> None:
    view = _gathered(workbench, [Line("낮", 1, confidence=confidence)])
    assert [line.number for line in view.confidence] == [number]


def test_texts_are_masked_visible_and_cut(workbench: duckdb.DuckDBPyConnection) -> None:
    raw = f"예약자 김하늘 010-1234-5678 kim@mail.example \x1b\u202e {'낮' * 1_000_000}"
    (line,) = _gathered(workbench, [Line(raw, 1)]).waiting
    assert line.text
    assert line.text.startswith(f"예약자 ••• {'•' * 13} {'•' * 16} ⟨U+001B⟩⟨U+202E⟩ 낮")
    assert line.text.endswith("…")
    assert len(line.text) == 100


def test_go_needs_checks_that_passed_and_rows_that_add_up(workbench: duckdb.DuckDBPyConnection) -> None:
    lines = [auto("오후", 1, "AFTERNOON")]
    assert _gathered(workbench, lines).verdict == "go"
    assert gather(workbench, Settings(), "run-1", {"verdict": "failed", "suites": []}).verdict == "no_go"
    assert gather(workbench, Settings(), "run-1", None).verdict == "not_checked"
    fill(workbench, [Line("낮", 3, disposition=None)])
    view = gather(workbench, Settings(), "run-1", PASSED)
    assert (view.rows.undecided, view.rows.balanced, view.verdict) == (3, False, "no_go")


def test_a_table_that_cannot_take_the_plan_is_no_go(workbench: duckdb.DuckDBPyConnection) -> None:
    source = {"target": {"writable": False, "why": "There is no column 'p\x1b' yet."}}
    workbench.execute("INSERT INTO facts VALUES ('source', ?)", [json.dumps(source)])
    view = _gathered(workbench, [auto("오후", 1, "AFTERNOON")])
    assert (view.verdict, view.unwritable) == ("no_go", "There is no column 'p⟨U+001B⟩' yet.")


def test_tells_where_it_comes_from(workbench: duckdb.DuckDBPyConnection) -> None:
    facts = {"source": {"kind": "csv", "file": "a\x1b.csv"}, "check": {"verdict": "passed"}, "period_column": "enum"}
    workbench.executemany(
        "INSERT INTO facts VALUES (?, ?)", [(name, json.dumps(value)) for name, value in facts.items()]
    )
    view = _gathered(workbench, [])
    assert view.provenance["source"] == {"kind": "csv", "file": "a⟨U+001B⟩.csv", "period_column": "enum"}
    assert view.provenance["settings"]["names.preferred_time"] == "preferredTime"
    assert view.provenance["versions"]["duckdb"] == duckdb.__version__


def test_a_damaged_workbench_is_a_sentence() -> None:
    with duckdb.connect() as workbench:
        workbench.execute(SCHEMA)
        workbench.execute("DROP TABLE decisions")
        with pytest.raises(RunError, match=r"could not be gathered .*\(CatalogException\)"):
            gather(workbench, Settings(), "run-1", None)


def test_what_reviewers_settled_waits_for_nobody(workbench: duckdb.DuckDBPyConnection) -> None:
    lines = [
        auto("7시", 9, "MORNING", already_set=2, rule="reviewed"),
        Line("미정", 5, rule="reviewed", reason="placeholder"),
        Line("없음", 4, rule="reviewed", reason="placeholder"),
        Line("낮", 3, reason="ambiguous_word"),
    ]
    view = _gathered(workbench, lines)
    assert [(line.reason, line.rows, line.texts) for line in view.reasons] == [("ambiguous_word", 3, 1)]
    assert [line.text for line in view.waiting] == ["낮"]
    assert (view.waiting_rows, view.waiting_texts, view.rows.review) == (3, 1, 12)
    assert [(line.verdict, line.texts, line.rows) for line in view.settled] == [("NEITHER", 2, 9), ("MORNING", 1, 7)]
    assert [(line.text, line.rows, line.verdict) for line in view.settled_texts] == [
        ("7시", 7, "MORNING"),
        ("미정", 5, "NEITHER"),
        ("없음", 4, "NEITHER"),
    ]


def test_texts_are_shown_as_written_where_asked(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, [Line("예약자 김하늘 \u202e010-1234-5678", 1, reason="no_time")])
    profile(workbench)
    view = gather(workbench, Settings(), "run-1", PASSED, masked=False)
    assert [line.text for line in view.waiting] == ["예약자 김하늘 ⟨U+202E⟩010-1234-5678"]
    assert view.profile.by_meaning[0].examples[0].text == view.waiting[0].text
    assert not view.masked


def test_tells_where_the_audit_stands_and_what_it_found_wrong(
    workbench: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    fill(workbench, [auto("3시 김하늘님", 40, "AFTERNOON"), auto("10시", 60, "MORNING")])
    profile(workbench)
    assert gather(workbench, Settings(), "run-1", PASSED).audit is None
    audit_sample.draw(workbench, "run-1", 0.001, 0.95)
    pending = gather(workbench, Settings(), "run-1", PASSED)
    assert pending.verdict == "go"
    said = Answer(
        "3시 김하늘님", Verdict.MORNING, "reviewer-1", datetime.now(UTC), "", "run-1", "T0", "", Purpose.AUDIT
    )
    with open_answers(tmp_path / "answers.sqlite") as answers:
        answers.add([said])
        view = gather(workbench, Settings(), "run-1", PASSED, words=answers.standing())
    assert view.verdict == "no_go"
    assert [(line.text, line.rows, line.decided, line.verdict, line.rule) for line in view.wrong] == [
        ("3시 •••님", 40, "AFTERNOON", "MORNING", "clock")
    ]


@pytest.mark.parametrize("content", [{}, {"run": "r"}, {"run": "r", "settings": {"noon": "yesterday"}}])
def test_a_manifest_of_another_kind_is_a_sentence(tmp_path: Path, content: dict) -> None:
    open_workbench(tmp_path).close()
    manifest.write(tmp_path, content)
    with pytest.raises(RunError, match="names no run or settings"):
        gather_finished(tmp_path, words=NOTHING)


def test_a_finished_run_without_its_workbench_is_a_sentence(tmp_path: Path) -> None:
    manifest.write(tmp_path, {"run": "r", "settings": Settings().model_dump(mode="json")})
    with pytest.raises(RunError, match=r"workbench of .* cannot be read"):
        gather_finished(tmp_path, words=NOTHING)
