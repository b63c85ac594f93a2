"""The suite files themselves: Great Expectations' own format, and nothing in them that it would drop in silence."""

import re
from typing import Any, get_args

import pandas as pd
import pytest

from pipeline.suite_results import Status, SuiteName, SuiteResult
from pipeline.suites import load_suite, run_suite

pytestmark = pytest.mark.xdist_group("great_expectations")

NAMES: tuple[SuiteName, ...] = get_args(SuiteName)
PARAMETERS = {
    "auto_threshold": 0.9,
    "min_auto": 0.95,
    "max_period_share": 0.95,
    "noon": "12:00",
    "dispositions": ["AUTO"],
    "periods": ["MORNING"],
    "reasons": ["empty"],
}


def statuses(result: SuiteResult) -> dict[str, Status]:
    return {found.law: found.status for found in result.results}


def suite_of(*expectations: dict[str, Any]) -> dict[str, Any]:
    return {"name": "planned", "expectations": list(expectations), "meta": {"frame": "facts"}}


def expectation(law: str, kind: str = "expect_column_values_to_be_between", **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"law": law}, "description": f"{law} holds."}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # importing Great Expectations here, outside run_suite
@pytest.mark.parametrize("name", NAMES)
def test_great_expectations_writes_the_file_as_it_reads_it(name: SuiteName) -> None:
    import great_expectations as gx  # noqa: PLC0415 - takes seconds

    suite = load_suite(name)
    assert gx.ExpectationSuite(**suite).to_json_dict() == suite


@pytest.mark.parametrize("name", NAMES)
def test_every_expectation_says_what_it_expects(name: SuiteName) -> None:
    suite = load_suite(name)
    assert suite["name"] == name
    laws = [expected["meta"]["law"] for expected in suite["expectations"]]
    assert len(set(laws)) == len(laws)
    for expected in suite["expectations"]:
        assert re.fullmatch(r"[A-Z].{10,100}\.", expected["description"])
        assert set(re.findall(r"\$(\w+)", expected["description"])) <= PARAMETERS.keys()


def test_every_parameter_is_one_the_check_gives() -> None:
    used = {
        value["$PARAMETER"]
        for name in NAMES
        for expected in load_suite(name)["expectations"]
        for value in expected["kwargs"].values()
        if isinstance(value, dict) and "$PARAMETER" in value
    }
    assert used == PARAMETERS.keys() - {"noon"}


def test_an_expectation_great_expectations_drops_shuts_the_gate() -> None:
    suite = suite_of(expectation("known", column="rows", min_value=1), expectation("lost", "expect_the_unknown"))
    result = run_suite(suite, pd.DataFrame([{"rows": 3}]), {})
    assert statuses(result) == {"known": Status.PASSED, "lost": Status.NOT_EVALUATED}
    assert not result.passed


def test_a_column_that_is_missing_is_not_a_failure_of_the_data() -> None:
    suite = suite_of(
        expectation("there", column="rows", max_value=2), expectation("missing", column="cats", max_value=2)
    )
    result = run_suite(suite, pd.DataFrame([{"rows": 3}]), {})
    assert statuses(result) == {"there": Status.FAILED, "missing": Status.NOT_EVALUATED}
    assert result.results[0].found == "rows = 3"
    assert result.results[1].found == "could not be evaluated (InvalidMetricAccessorDomainKwargsKeyError)"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (expectation("b", column="rows", min_value={"$PARAMETER": "never_given"}), "SuiteParameterError"),
        (expectation("b", column="rows", min_value=1, no_such_argument=1), "ValidationError"),
    ],
    ids=["a parameter nobody gives", "an argument nobody takes"],
)
def test_a_suite_that_cannot_run_shuts_the_gate(broken: dict[str, Any], error: str) -> None:
    suite = suite_of(expectation("a", column="rows", min_value=1), broken)
    result = run_suite(suite, pd.DataFrame([{"rows": 3}]), {})
    assert set(statuses(result).values()) == {Status.NOT_EVALUATED}
    assert {found.error for found in result.results} == {error}
    assert not result.passed


def test_an_exception_is_named_and_not_quoted() -> None:
    suite = suite_of(expectation("mean", "expect_column_mean_to_be_between", column="rows", max_value=2))
    # pandas says: Could not convert string '…' to numeric.
    result = run_suite(suite, pd.DataFrame({"rows": ["홍길동 010-1234-5678"]}, dtype=object), {})
    assert statuses(result) == {"mean": Status.NOT_EVALUATED}
    assert result.results[0].error == "TypeError"
    assert "010" not in repr(result)


def test_an_expectation_on_the_whole_frame_counts_its_lines() -> None:
    suite = suite_of(expectation("mean", "expect_column_mean_to_be_between", column="rows", max_value=2))
    result = run_suite(suite, pd.DataFrame([{"rows": 3}]), {}).results[0]
    assert (result.status, result.checked, result.found) == (Status.FAILED, 1, "rows = 3")
