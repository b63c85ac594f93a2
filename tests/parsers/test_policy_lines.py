"""Every line of the policy that ``docs/policy.md`` lists is shown by labelled texts or tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from fixtures.corpus import cases
from parsers import Reason

ROOT = Path(__file__).parents[2]
LINES = re.findall(r"^\| (?!the line|---)(.+) \| (.+) \|$", (ROOT / "docs/policy.md").read_text("utf-8"), re.MULTILINE)
SHOWN_BY = {name for _, shown in LINES for name in re.findall(r"`([^`]+)`", shown)}
READ = [case for case in cases() if not case.known_failure]
GROUPS = {f"{case.source}: {case.group}" for case in READ}


def is_shown(name: str) -> bool:
    if "::" not in name:
        return name in GROUPS
    file, test = name.split("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_each_line_is_shown(line: str, shown: str):
    names = re.findall(r"`([^`]+)`", shown)
    assert names, line
    assert [name for name in names if not is_shown(name)] == []


def test_no_line_is_told_twice():
    assert len({line for line, _ in LINES}) == len(LINES)


def test_no_group_of_the_policys_own_examples_is_left_out():
    assert {group for group in GROUPS if group.startswith("policy: ")} <= SHOWN_BY


def test_every_review_reason_of_a_text_is_shown():
    # Low confidence depends on the settings, not on the text: a law shows it.
    shown = {case.reason for case in READ if f"{case.source}: {case.group}" in SHOWN_BY}
    assert shown - {None} == set(Reason) - {Reason.LOW_CONFIDENCE}
