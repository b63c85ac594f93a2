"""The invented clinic's truth, derived from the policy without the parsers, against their decisions."""

from fixtures.clinic.texts import texts
from parsers import Disposition, Policy, decide


def test_nothing_is_decided_against_the_truth():
    clinic = texts()
    policy = Policy()
    wrong, missed, meant = [], [], 0
    truth = zip(clinic.raw.to_pylist(), clinic.auto.to_pylist(), clinic.period.to_pylist(), strict=True)
    for raw, auto, period in truth:
        decision = decide(raw, policy)
        decided = decision.disposition is Disposition.AUTO
        if decided and (not auto or decision.period != period):
            wrong.append((raw, period, decision))
        meant += auto
        if auto and not decided:
            missed.append((raw, decision))
    assert wrong == []
    assert len(missed) <= 0.01 * meant, missed[:20]
