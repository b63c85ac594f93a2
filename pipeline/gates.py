"""The gates between a plan and the live table, each passed, failed or open, and the verdict they come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pipeline import audit

Verdict = Literal["go", "no_go", "not_checked"]

SHARE_LAW = "enough_auto"
"""The expectation that is a gate of its own: a plan that breaks it alone is sound, only too small."""


class GateName(StrEnum):
    """The gates in the order they are told."""

    SHARE = "share"
    SUITES = "suites"
    ACCOUNTED = "accounted"
    TABLE = "table"
    AUDIT = "audit"


class GateState(StrEnum):
    """OPEN is neither: people have not judged the audit sample yet, or nothing has been checked."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate and the figures its sentence tells: counts as int, shares from 0 to 1 as float."""

    name: GateName
    state: GateState
    figures: Mapping[str, int | float] = field(default_factory=dict)


def verdict(gates: Iterable[Gate]) -> Verdict:
    """What the gates come to; an audit that is still open does not hold a plan back."""
    states = {gate.name: gate.state for gate in gates}
    if states[GateName.SUITES] is GateState.OPEN:
        return "not_checked"
    return "no_go" if GateState.FAILED in states.values() else "go"


def check_gates(checks: Mapping[str, Any] | None, settled_share: float, least: float) -> tuple[Gate, Gate]:
    """The share of rows that wait for no person against the ``least`` allowed, and every other expectation.

    ``checks`` is ``CheckReport.to_dict()``, None where nothing was checked.
    """
    results = [result for suite in (checks["suites"] if checks else []) for result in suite["results"]]
    enough = all(result["status"] == "passed" for result in results if result["law"] == SHARE_LAW)
    others = [result["status"] == "passed" for result in results if result["law"] != SHARE_LAW]
    sound = all(others) and (checks is None or checks["verdict"] == "passed" or not enough)
    figures = {"passed": sum(others), "results": len(others)}
    return (
        Gate(GateName.SHARE, _state(enough, checks), {"share": settled_share, "least": least}),
        Gate(GateName.SUITES, _state(sound, checks), figures),
    )


def accounted_gate(rows: int, undecided: int, *, balanced: bool) -> Gate:
    """Whether each extracted row has exactly one fate."""
    return Gate(GateName.ACCOUNTED, _passed(balanced), {"rows": rows, "undecided": undecided})


def table_gate(*, writable: bool) -> Gate:
    """Whether the table can take a plan."""
    return Gate(GateName.TABLE, _passed(writable))


def audit_gate(standing: audit.Standing | None) -> Gate:
    """Where the audit stands; open, too, where the run drew no sample."""
    if standing is None:
        return Gate(GateName.AUDIT, GateState.OPEN)
    states = {audit.State.PASSED: GateState.PASSED, audit.State.FAILED: GateState.FAILED}
    figures = {"texts": standing.texts, "judged": standing.judged, "wrong": len(standing.disagreements)}
    return Gate(
        GateName.AUDIT,
        states.get(standing.state, GateState.OPEN),
        {**figures, "bound": standing.bound, "confidence": standing.confidence},
    )


def _state(holds: bool, checks: Mapping[str, Any] | None) -> GateState:  # noqa: FBT001 - a value, no switch
    return GateState.OPEN if checks is None else _passed(holds)


def _passed(holds: bool) -> GateState:  # noqa: FBT001 - same
    return GateState.PASSED if holds else GateState.FAILED
