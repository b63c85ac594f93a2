"""Check: run the expectation suites on the workbench and say whether the plan may be applied.

The suites look at numbers and at the dictionary without its texts: each text is a number there, so no text can reach
a result. An empty extraction fails (there is nothing a plan could be right about, and a wrong table or filter looks
just like it); shares of nothing pass, so a table whose every row has a period already is a pass with nothing to do.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from parsers.types import Disposition, Period, Reason
from pipeline import rowfacts
from pipeline.errors import RunError
from pipeline.settings import Settings
from pipeline.suite_results import ExpectationResult, Status, SuiteName, SuiteResult
from pipeline.suites import load_suite, run_suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

FACT = "check"
"""The name in the workbench's ``facts`` under which the report is kept as JSON, ``verdict`` at its top."""

_DICTIONARY = """
SELECT
    dense_rank() OVER (ORDER BY coalesce(t.raw, d.raw)) AS text,
    t."rows" AS "rows",
    d.disposition AS disposition,
    d.period AS period,
    d.start_time AS start_time,
    d.end_time AS end_time,
    d.confidence AS confidence,
    d.reason AS reason,
    CASE
        WHEN NOT regexp_full_match(d.start_time, '\\d\\d:\\d\\d') THEN NULL
        WHEN d.start_time < $noon THEN $morning
        WHEN d.start_time >= $noon THEN $afternoon
    END AS period_of_start
FROM (SELECT raw, max("rows") AS "rows" FROM texts GROUP BY raw) t
FULL JOIN decisions d ON t.raw IS NOT DISTINCT FROM d.raw
ORDER BY text
"""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The suites' results; the plan may be applied only if all of them passed."""

    suites: tuple[SuiteResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation of every suite was evaluated and holds."""
        return all(suite.passed for suite in self.suites)

    @property
    def verdict(self) -> Literal["passed", "failed"]:
        """The gate in one word."""
        return "passed" if self.passed else "failed"

    def failures(self) -> "Iterator[tuple[SuiteName, ExpectationResult]]":
        """Every expectation that does not hold or could not be evaluated, with its suite's name."""
        for suite in self.suites:
            for result in suite.results:
                if result.status is not Status.PASSED:
                    yield suite.name, result

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "verdict": self.verdict,
            "suites": [
                {
                    "name": suite.name,
                    "passed": suite.passed,
                    "lines": suite.lines,
                    "results": [{**asdict(result), "found": result.found} for result in suite.results],
                }
                for suite in self.suites
            ],
        }


def check(workbench: duckdb.DuckDBPyConnection, settings: Settings) -> CheckReport:
    """Run every suite and keep the report in the workbench's facts.

    Raises:
        RunError: the workbench lacks a table or cannot be read or written.
    """
    import pandas as pd  # noqa: PLC0415 - the suites' frames; half a second that only a check pays

    parameters = _parameters(settings)
    try:
        frames: dict[SuiteName, pd.DataFrame] = {
            "extracted": pd.DataFrame([rowfacts.extracted(workbench)]),
            "decided": _dictionary(workbench, settings),
            "planned": pd.DataFrame([rowfacts.planned(workbench)]),
        }
        report = CheckReport(tuple(run_suite(load_suite(name), frames[name], parameters) for name in frames))
        workbench.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [FACT, json.dumps(report.to_dict())])
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench could not be checked ({type(error).__name__}): it is damaged or incomplete. "
            "Start a new run with `ojeon run`."
        ) from error
    return report


def _parameters(settings: Settings) -> dict[str, Any]:
    return {
        "auto_threshold": settings.auto_threshold,
        "min_auto": settings.min_auto,
        "max_period_share": settings.max_period_share,
        "noon": settings.noon,
        "dispositions": [disposition.value for disposition in Disposition],
        "periods": [period.value for period in Period],
        "reasons": [reason.value for reason in Reason],
    }


def _dictionary(workbench: duckdb.DuckDBPyConnection, settings: Settings) -> "pd.DataFrame":
    names = {"noon": settings.noon, "morning": Period.MORNING.value, "afternoon": Period.AFTERNOON.value}
    return workbench.execute(_DICTIONARY, names).df()
