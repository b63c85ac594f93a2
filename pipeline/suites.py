"""Great Expectations suites: JSON files in ``expectations/``, run on small frames, answered in plain numbers.

Great Expectations takes seconds to import, so nothing of it is touched before a suite runs. What it hands back is
reduced to counts here: no value of a checked column leaves this module.
"""

import json
import logging
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from pipeline.suite_results import ExpectationResult, Status, SuiteName, SuiteResult

if TYPE_CHECKING:
    import pandas as pd

# Indices of the lines that break an expectation, never their values: they may hold what patients wrote.
_RESULT_FORMAT = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "exclude_unexpected_values": True}
# The line of a traceback that names the exception; the message behind the colon may quote a value and is not read.
_EXCEPTION = re.compile(r"^(?:\w+\.)*([A-Z]\w*)(?=:|$)", re.MULTILINE)


def load_suite(name: SuiteName) -> dict[str, Any]:
    """Read one suite as its file has it, in Great Expectations' own format.

    >>> load_suite("planned")["name"]
    'planned'
    """
    suite: dict[str, Any] = json.loads((resources.files("expectations") / f"{name}.json").read_text(encoding="utf-8"))
    return suite


def run_suite(suite: Mapping[str, Any], frame: "pd.DataFrame", parameters: Mapping[str, Any]) -> SuiteResult:
    """Run a suite on ``frame``, with ``parameters`` for its ``$PARAMETER`` places.

    Whatever keeps an expectation from being evaluated makes it NOT_EVALUATED; nothing is raised for it.
    """
    try:
        found = _validate(suite, frame, parameters)
        error = "RefusedByGreatExpectations"
    except Exception as failure:  # noqa: BLE001 - whatever Great Expectations raises, the gate stays shut
        found = {}
        error = type(failure).__name__
    results = tuple(
        _result(expectation, found.get(expectation["meta"]["law"]), error, parameters, _Frame(suite, frame))
        for expectation in suite["expectations"]
    )
    return SuiteResult(suite["name"], len(frame), results)


class _Frame:
    """What may be told about a frame: facts where it is a line of them, else rows behind its lines."""

    def __init__(self, suite: Mapping[str, Any], frame: "pd.DataFrame") -> None:
        self._frame = frame
        self._of_facts = suite["meta"]["frame"] == "facts"
        self.lines = len(frame)

    def observed(self, columns: tuple[str, ...]) -> dict[str, float | None] | None:
        if not self._of_facts:
            return None
        line = self._frame.astype(object).iloc[0]
        return {name: _number(line[name]) for name in columns}

    def rows(self, lines: list[int]) -> int | None:
        return None if self._of_facts else int(self._frame["rows"].loc[lines].sum())


def _result(
    expectation: Mapping[str, Any], found: Any, error: str, parameters: Mapping[str, Any], frame: _Frame
) -> ExpectationResult:
    said = {key: ", ".join(value) if isinstance(value, list) else value for key, value in parameters.items()}
    kwargs = expectation["kwargs"]
    columns = tuple(kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs)
    about = {
        "law": expectation["meta"]["law"],
        "type": expectation["type"],
        "columns": columns,
        "expected": Template(expectation["description"]).safe_substitute(said),
    }
    raised = error if found is None else _raised(found.exception_info)
    if raised is not None:
        return ExpectationResult(**about, status=Status.NOT_EVALUATED, error=raised)
    numbers = found.result
    return ExpectationResult(
        **about,
        status=Status.PASSED if found.success else Status.FAILED,
        checked=numbers.get("element_count", frame.lines) - numbers.get("missing_count", 0),
        unexpected=numbers.get("unexpected_count", 0),
        rows=frame.rows(numbers.get("unexpected_index_list", [])),
        observed=frame.observed(columns),
    )


def _raised(info: Mapping[str, Any]) -> str | None:
    """Name the exception in Great Expectations' account of one, which is either flat or one for each metric."""
    accounts = [info] if "raised_exception" in info else list(info.values())
    for account in accounts:
        if account["raised_exception"]:
            name = _EXCEPTION.search(account["exception_traceback"] or "")
            return name[1] if name else "Exception"
    return None


def _validate(suite: Mapping[str, Any], frame: "pd.DataFrame", parameters: Mapping[str, Any]) -> dict[str, Any]:
    with _quietly():
        # These take seconds; only a run that checks pays for them.
        import great_expectations as gx  # noqa: PLC0415
        from great_expectations.data_context.types import base  # noqa: PLC0415

        in_memory = base.DataContextConfig(
            store_backend_defaults=base.InMemoryStoreBackendDefaults(),
            progress_bars=base.ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        context = gx.get_context(mode="ephemeral", project_config=in_memory)
        validation = context.data_sources.pandas_default.read_dataframe(frame).validate(
            gx.ExpectationSuite(**suite), expectation_parameters=dict(parameters), result_format=_RESULT_FORMAT
        )
    # Great Expectations sorts its results its own way, and leaves out an expectation it cannot read.
    return {config.meta["law"]: result for result in validation.results if (config := result.expectation_config)}


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep Great Expectations' log (it may quote values) and the deprecations of its own code to ourselves."""
    log = logging.getLogger("great_expectations")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        log.setLevel(level)


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not math.isnan(value) else None
