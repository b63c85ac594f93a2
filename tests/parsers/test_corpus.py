"""Every labelled text gets the answer it is labelled with."""

import pytest

from fixtures.corpus import Case, cases
from parsers import Disposition, Policy, decide

POLICY = Policy()
CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.source}: {case.text!r}")
def test_labelled_text(case: Case):
    decision = decide(case.text, POLICY)
    assert decision.disposition == (Disposition.AUTO if case.auto else Disposition.REVIEW)
    assert decision.reason == case.reason
    if case.auto or case.period:
        assert decision.period == case.period
    if case.start:
        assert decision.start == case.start


def test_no_text_is_labelled_twice():
    texts = [case.text for case in CASES]
    assert len(texts) == len(set(texts))
