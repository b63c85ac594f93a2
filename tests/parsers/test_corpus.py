"""Every labelled text gets the answer it is labelled with, from the rule it is labelled with."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import parsers
from fixtures.corpus import Case, cases
from parsers import Decision, Disposition, Policy, decide

POLICY = Policy()
CASES = list(cases())
READ = [case for case in CASES if not case.known_failure]
MISSED = [case for case in CASES if case.known_failure]


def name(case: Case) -> str:
    return f"{case.source}: {case.text!r}"


def assert_answer(case: Case, decision: Decision):
    assert decision.disposition == (Disposition.AUTO if case.auto else Disposition.REVIEW)
    assert decision.reason == case.reason
    if case.auto or case.period:
        assert decision.period == case.period
    if case.start:
        assert (decision.start or "none") == case.start


@pytest.mark.parametrize("case", READ, ids=name)
def test_labelled_text(case: Case):
    decision = decide(case.text, POLICY)
    assert_answer(case, decision)
    assert decision.rule == case.rule


# The texts of known_failures.toml, none of them a wrong AUTO; strict, so that one that is mended must move out.
@pytest.mark.xfail(raises=AssertionError, strict=True, reason="the chain is known to miss these")
@pytest.mark.parametrize("case", MISSED, ids=name)
def test_known_failure(case: Case):
    assert_answer(case, decide(case.text, POLICY))


@pytest.mark.parametrize("case", MISSED, ids=name)
def test_a_known_failure_is_never_a_wrong_auto(case: Case):
    decision = decide(case.text, POLICY)
    assert decision.disposition == Disposition.REVIEW or (case.auto and decision.period == case.period)


def test_no_text_is_labelled_twice():
    texts = [case.text for case in CASES]
    assert len(texts) == len(set(texts))


def test_every_rule_wins_a_line():
    assert {case.rule for case in READ} == set(nameable_rules())


def nameable_rules() -> Iterator[str]:
    """Every rule that the parsers' source can put into a verdict.

    A rule is the first argument of what makes a verdict or a reading, or the first of a returned pair (rule, minutes).
    """
    for file in Path(parsers.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id in {"Verdict", "Reading", "review", "refused"}:
                    yield from texts_in(node.args[0])
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
                yield from texts_in(node.value.elts[0])


def texts_in(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from texts_in(node.body)
        yield from texts_in(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
