"""The sentences that the engineer's page explains are those that the program says."""

import ast
import re

import markdown_pages
import pytest

PAGE = markdown_pages.ROOT / "docs" / "engineer.md"
_ROW = re.compile(r"^\| `(?P<says>[^`]+)` \|", re.MULTILINE)


def template(node):
    """A text of the program with … for what it fills in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(template(part) if isinstance(part, ast.Constant) else "…" for part in node.values)


@pytest.fixture(scope="module")
def said():
    """Every text in the pipeline, one a line."""
    found = [
        template(node)
        for path in (markdown_pages.ROOT / "pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr | ast.Constant)
    ]
    return re.sub(r"\{\w*\}|…+", "…", "\n".join(found))


def explained():
    return _ROW.findall(PAGE.read_text(encoding="utf-8").partition("the plan is refused?\n")[2])


@pytest.mark.parametrize("sentence", explained())
def test_a_refusal_that_is_explained_is_said(said, sentence):
    is_said = sentence.rstrip(" …") in said  # apart, for a failure would print the whole program
    assert is_said, "the program says this no longer: mend the row in docs/engineer.md, or take it out"


def test_there_are_many():
    assert len(explained()) > 30
