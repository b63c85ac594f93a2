"""The gate: which law fails when, what is told about it, and what never is."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from pipeline.check import FACT, CheckReport, check
from pipeline.errors import RunError
from pipeline.settings import Settings
from pipeline.suite_results import ExpectationResult, Status, SuiteResult
from pipeline.suites import load_suite, run_suite
from pipeline.workbench import FILE_NAME, open_workbench

pytestmark = pytest.mark.xdist_group("great_expectations")  # where groups are kept together, it is imported once

CASES = tomllib.loads((Path(__file__).parent / "broken_laws.toml").read_text(encoding="utf-8"))["case"]
LAWS = {
    expectation["meta"]["law"]
    for name in ("extracted", "decided", "planned")
    for expectation in load_suite(name)["expectations"]
}
# raw, rows, of them already set; then the decision.
SOUND = [
    (None, 4, 1, "REVIEW", None, None, None, 0.0, "nothing", "empty"),
    ("오후 3시", 120, 10, "AUTO", "AFTERNOON", "15:00", None, 0.99, "halfday_clock", None),
    ("오전", 60, 0, "AUTO", "MORNING", None, None, 0.97, "halfday", None),
    ("AM", 10, 0, "AUTO", "MORNING", None, None, 0.97, "halfday", None),
    ("9:30-10:30", 5, 0, "AUTO", "MORNING", "09:30", "10:30", 0.95, "range", None),
    ("무관", 1, 0, "REVIEW", None, None, None, 0.0, "words", "no_preference"),
]


@pytest.fixture(scope="module", autouse=True)
def same_frame_same_result() -> Iterator[None]:
    """Run a suite once on frames that are equal: a broken law leaves most frames as they were."""
    known: dict[str, SuiteResult] = {}

    def run_once(suite: dict[str, Any], frame: pd.DataFrame, parameters: dict[str, Any]) -> SuiteResult:
        key = repr((suite["name"], frame.to_dict("list"), parameters))
        if key not in known:
            known[key] = run_suite(suite, frame, parameters)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.check.run_suite", run_once)
        yield


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """Six texts on 200 rows, 11 already set; 185 of the others are AUTO, 110 of these AFTERNOON. All is sound."""
    monkeypatch.chdir(tmp_path)
    with open_workbench(tmp_path) as connection:
        for raw, rows, already_set, *decision in SOUND:
            connection.execute(
                "INSERT INTO reservations (id, raw, current_period) SELECT coalesce($raw, '') || ' ' || i, $raw, "
                "CASE WHEN i < $set THEN 'MORNING' END FROM range($rows) AS t(i)",
                {"raw": raw, "rows": rows, "set": already_set},
            )
            connection.execute("INSERT INTO texts VALUES (?, ?, ?, NULL, NULL)", [raw, rows, already_set])
            connection.execute("INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')", [raw, *decision])
        yield connection


def results(report: CheckReport) -> dict[str, ExpectationResult]:
    return {result.law: result for suite in report.suites for result in suite.results}


def laws(report: CheckReport, status: Status) -> set[str]:
    return {law for law, result in results(report).items() if result.status is status}


def test_a_sound_workbench_passes(workbench: duckdb.DuckDBPyConnection) -> None:
    report = check(workbench, Settings())
    assert laws(report, Status.PASSED) == LAWS
    assert report.passed
    assert report.verdict == "passed"
    assert list(report.failures()) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_law_fails_alone(workbench: duckdb.DuckDBPyConnection, case: dict[str, Any]) -> None:
    workbench.execute(case["sql"])
    report = check(workbench, Settings())
    assert laws(report, Status.FAILED) == set(case["fails"])
    assert laws(report, Status.NOT_EVALUATED) == set()
    assert not report.passed
    assert report.verdict == "failed"
    assert {result.law for _, result in report.failures()} == set(case["fails"])


def test_every_law_is_broken_by_some_case() -> None:
    assert {law for case in CASES for law in case["fails"]} == LAWS


@pytest.mark.parametrize(
    ("settings", "fails"),
    [
        ({"min_auto": 196 / 200, "max_period_share": 110 / 185, "auto_threshold": 0.95}, None),
        ({"min_auto": 196.0001 / 200}, "enough_auto"),
        ({"max_period_share": 109.9999 / 185}, "afternoon_not_all"),
        ({"auto_threshold": 0.9501}, "auto_confident"),
        ({"noon": "09:30"}, "auto_period_fits_start"),
    ],
    ids=str,
)
def test_thresholds_come_from_the_settings(
    workbench: duckdb.DuckDBPyConnection, settings: dict[str, Any], fails: str | None
) -> None:
    assert laws(check(workbench, Settings(**settings)), Status.FAILED) == ({fails} if fails else set())


def test_an_empty_table_fails_for_being_empty_only(workbench: duckdb.DuckDBPyConnection) -> None:
    workbench.execute("DELETE FROM reservations; DELETE FROM texts; DELETE FROM decisions")
    report = check(workbench, Settings())
    assert [(suite, result.law) for suite, result in report.failures()] == [("extracted", "rows_extracted")]
    assert results(report)["rows_extracted"].found == "rows = 0"
    assert results(report)["enough_auto"].found == "nothing to check"


def test_a_table_of_nulls_fails_for_leaving_all_to_people(workbench: duckdb.DuckDBPyConnection) -> None:
    for table in ("reservations", "texts", "decisions"):
        workbench.execute(f"DELETE FROM {table} WHERE raw IS NOT NULL")
    report = check(workbench, Settings())
    assert laws(report, Status.FAILED) == {"enough_auto"}
    assert results(report)["enough_auto"].observed == {"settled_share": 0.25}
    assert results(report)["morning_not_all"].observed == {"morning_share": None}


@pytest.mark.parametrize(("rows", "fails"), [(1, set()), (99, set()), (100, {"afternoon_not_all"})])
def test_a_share_of_a_few_rows_says_nothing(workbench: duckdb.DuckDBPyConnection, rows: int, fails: set[str]) -> None:
    for table in ("reservations", "texts", "decisions"):
        workbench.execute(f"DELETE FROM {table} WHERE raw IS DISTINCT FROM '오후 3시'")
    workbench.execute("DELETE FROM reservations WHERE current_period IS NOT NULL")
    workbench.execute(f"DELETE FROM reservations WHERE id NOT IN (SELECT id FROM reservations LIMIT {rows})")
    workbench.execute(f"UPDATE texts SET rows = {rows}, already_set = 0")
    assert laws(check(workbench, Settings()), Status.FAILED) == fails


def test_a_table_that_is_all_set_passes_with_nothing_to_do(workbench: duckdb.DuckDBPyConnection) -> None:
    workbench.execute("UPDATE reservations SET current_period = 'MORNING'; UPDATE texts SET already_set = rows")
    report = check(workbench, Settings())
    assert report.passed
    assert results(report)["rows_accounted"].observed == {"accounted": 200, "rows": 200}
    assert results(report)["enough_auto"].found == "settled_share = 1"


def test_a_run_after_the_first_was_applied_passes_though_all_that_is_open_waits(
    workbench: duckdb.DuckDBPyConnection,
) -> None:
    auto = "SELECT raw FROM decisions WHERE disposition = 'AUTO'"
    workbench.execute(f"UPDATE reservations SET current_period = 'MORNING' WHERE raw IN ({auto})")
    workbench.execute(f"UPDATE texts SET already_set = rows WHERE raw IN ({auto})")
    report = check(workbench, Settings())
    assert results(report)["rows_accounted"].observed == {"accounted": 200, "rows": 200}
    assert results(report)["enough_auto"].found == "settled_share = 0.98"
    assert laws(report, Status.FAILED) == set()


def test_what_was_found_is_told_in_numbers(workbench: duckdb.DuckDBPyConnection) -> None:
    workbench.execute("UPDATE decisions SET period = 'EVENING' WHERE raw IN ('AM', '오전')")
    report = check(workbench, Settings(min_auto=0.99))
    broken = results(report)["period_known"]
    assert (broken.checked, broken.unexpected, broken.rows) == (4, 2, 70)
    assert broken.expected == "A period is one of MORNING, AFTERNOON."
    assert broken.found == "2 of 4 texts break it, on 70 rows"
    share = results(report)["enough_auto"]
    assert share.expected == "At least 0.99 of the rows wait for no person."
    assert share.found == "settled_share = 0.98"
    assert results(report)["auto_period_fits_start"].found == "all 2 texts"


def test_an_exception_is_told_from_a_failure(workbench: duckdb.DuckDBPyConnection) -> None:
    workbench.execute("ALTER TABLE decisions ALTER confidence TYPE VARCHAR; UPDATE decisions SET confidence = 'high'")
    report = check(workbench, Settings())
    assert laws(report, Status.NOT_EVALUATED) == {"auto_confident", "confidence_probability"}
    assert laws(report, Status.FAILED) == set()
    assert results(report)["auto_confident"].found == "could not be evaluated (TypeError)"
    assert report.verdict == "failed"


MARKER = "홍길동 010-1234-5678"
MARKED = {
    "the rows and texts": "UPDATE reservations SET id = $it, raw = $it, current_period = $it;"
    "UPDATE texts SET raw = $it; UPDATE decisions SET raw = $it, seen = $it, rule = $it",
    "AUTO": "UPDATE decisions SET period = $it, start_time = $it, end_time = $it, reason = $it",
    "REVIEW": "UPDATE decisions SET disposition = $it, reason = $it, confidence = 7 WHERE disposition = 'REVIEW'",
    "what cannot be evaluated": "ALTER TABLE decisions ALTER confidence TYPE VARCHAR;"
    "UPDATE decisions SET confidence = $it",
}


@pytest.mark.parametrize("sql", MARKED.values(), ids=MARKED)
def test_no_text_reaches_the_results(
    workbench: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    sql: str,
) -> None:
    workbench.execute(sql.replace("$it", f"'{MARKER}'"))
    report = check(workbench, Settings())
    assert not report.passed
    written = json.dumps(report.to_dict(), ensure_ascii=False) + repr(report)
    for part in MARKER.split():
        assert part not in written
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""
    assert {file.name for file in tmp_path.iterdir()} <= {FILE_NAME, FILE_NAME + ".wal"}


def test_the_verdict_is_left_in_the_workbench(workbench: duckdb.DuckDBPyConnection) -> None:
    report = check(workbench, Settings())
    assert stored(workbench) == json.loads(json.dumps(report.to_dict()))
    assert stored(workbench)["verdict"] == "passed"
    check(workbench, Settings(min_auto=1))
    assert stored(workbench)["verdict"] == "failed"
    assert [suite["passed"] for suite in stored(workbench)["suites"]] == [True, True, False]


def stored(workbench: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    found = workbench.execute("SELECT value FROM facts WHERE name = ?", [FACT]).fetchone()
    assert found is not None
    report: dict[str, Any] = json.loads(found[0])
    return report


def test_a_damaged_workbench_is_one_sentence(workbench: duckdb.DuckDBPyConnection) -> None:
    workbench.execute("DROP TABLE decisions")
    with pytest.raises(RunError, match=r"could not be checked \(CatalogException\).*`ojeon run`"):
        check(workbench, Settings())


def test_great_expectations_waits_until_it_is_needed() -> None:
    code = "import pipeline.check, sys; print(*{'great_expectations', 'pandas', 'polars'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
