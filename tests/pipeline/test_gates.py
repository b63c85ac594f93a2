from typing import Any

import pytest

from pipeline import audit
from pipeline.gates import GateName, GateState, accounted_gate, audit_gate, check_gates, table_gate, verdict


def _checks(**status_of: str) -> dict[str, Any]:
    results = [{"law": law, "status": status} for law, status in status_of.items()]
    passed = all(status == "passed" for status in status_of.values())
    return {"verdict": "passed" if passed else "failed", "suites": [{"results": results}]}


def _standing(state: audit.State) -> audit.Standing:
    return audit.Standing(
        state=state,
        rows=900,
        texts=30,
        judged=12,
        conflicts=0,
        draws=40,
        errors=0,
        open_draws=28,
        bound=0.4,
        max_error=0.001,
        confidence=0.95,
        is_census=False,
        disagreements=(),
    )


SOUND = (
    *check_gates(_checks(enough_auto="passed", ids_unique="passed"), 0.97, 0.95),
    accounted_gate(9, 0, balanced=True),
    table_gate(writable=True),
    audit_gate(_standing(audit.State.PASSED)),
)


@pytest.mark.parametrize("name", list(GateName))
def test_each_gate_alone_holds_the_plan_back(name: GateName) -> None:
    failed = {
        GateName.SHARE: check_gates(_checks(enough_auto="failed", ids_unique="passed"), 0.5, 0.95)[0],
        GateName.SUITES: check_gates(_checks(enough_auto="passed", ids_unique="failed"), 0.97, 0.95)[1],
        GateName.ACCOUNTED: accounted_gate(9, 1, balanced=False),
        GateName.TABLE: table_gate(writable=False),
        GateName.AUDIT: audit_gate(_standing(audit.State.FAILED)),
    }[name]
    assert verdict(SOUND) == "go"
    assert failed.state is GateState.FAILED
    assert verdict([failed if gate.name is name else gate for gate in SOUND]) == "no_go"


def test_an_open_audit_holds_nothing_back() -> None:
    for standing in (None, _standing(audit.State.PENDING)):
        gate = audit_gate(standing)
        assert gate.state is GateState.OPEN
        assert verdict((*SOUND[:-1], gate)) == "go"


def test_a_share_missed_is_told_once() -> None:
    share, suites = check_gates(_checks(enough_auto="failed", ids_unique="passed"), 0.5, 0.95)
    assert (share.state, suites.state) == (GateState.FAILED, GateState.PASSED)
    assert suites.figures == {"passed": 1, "results": 1}


@pytest.mark.parametrize("status", ["failed", "not evaluated"])
def test_an_expectation_that_does_not_pass_is_told_among_the_suites(status: str) -> None:
    share, suites = check_gates(_checks(enough_auto="passed", ids_unique=status), 0.97, 0.95)
    assert (share.state, suites.state) == (GateState.PASSED, GateState.FAILED)


def test_a_failed_check_without_a_reason_is_still_failed() -> None:
    _, suites = check_gates({"verdict": "failed", "suites": []}, 1.0, 0.95)
    assert suites.state is GateState.FAILED


def test_nothing_checked_is_neither() -> None:
    gates = (*check_gates(None, 0.97, 0.95), *SOUND[2:])
    assert [gate.state for gate in gates[:2]] == [GateState.OPEN, GateState.OPEN]
    assert verdict(gates) == "not_checked"
