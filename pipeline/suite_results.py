"""What a suite's expectations came to: words and numbers, never a value of the columns they looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SuiteName = Literal["extracted", "decided", "planned", "applied"]


class Status(StrEnum):
    """How an expectation ended. Only PASSED opens the gate."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUATED = "not evaluated"


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation, whether it holds, and the numbers that say so.

    ``checked`` lines of the frame were looked at (0: there was nothing to check), ``unexpected`` of them break it.
    ``rows`` are the live table's rows that hold the broken texts, where the lines are texts. ``observed`` are the
    facts it compares, where the frame is one line of facts. ``error`` names the exception that kept it from being
    evaluated, without its message.
    """

    law: str
    type: str
    columns: tuple[str, ...]
    expected: str
    status: Status
    checked: int = 0
    unexpected: int = 0
    rows: int | None = None
    observed: Mapping[str, float | None] | None = None
    error: str | None = None

    @property
    def found(self) -> str:
        """What was found, in one phrase of numbers."""
        if self.status is Status.NOT_EVALUATED:
            return f"could not be evaluated ({self.error})"
        if self.checked == 0:
            return "nothing to check"
        if self.observed is not None:
            return ", ".join(f"{name} = {_figure(value)}" for name, value in self.observed.items())
        if self.unexpected == 0:
            return f"all {self.checked:,} texts"
        return f"{self.unexpected:,} of {self.checked:,} texts break it, on {self.rows or 0:,} rows"


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """All expectations of one suite, in the order of its file; ``lines`` is the length of the frame it looked at."""

    name: SuiteName
    lines: int
    results: tuple[ExpectationResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was evaluated and holds."""
        return all(result.status is Status.PASSED for result in self.results)


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.7g}"
