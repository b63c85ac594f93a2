"""The repository's pages of prose, and what stands in them, as a Markdown reader sees it."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SHELL = {"sh", "console"}

_READER = MarkdownIt("commonmark").enable("table")
_UNSAID = re.compile(r"[^\w\- ]")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _tokens(page: Path) -> Iterator[Token]:
    for token in _READER.parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def shell_lines(page: Path) -> Iterator[str]:
    """Each command line of the page's fenced blocks; in a console's block those behind the prompt."""
    for token in _tokens(page):
        if token.type != "fence" or token.info not in SHELL:
            continue
        for line in token.content.replace("\\\n", " ").splitlines():
            if token.info == "sh":
                yield line
            elif line.startswith("$ "):
                yield line.removeprefix("$ ")


def code_spans(page: Path) -> Iterator[str]:
    return (token.content for token in _tokens(page) if token.type == "code_inline")


def targets(page: Path) -> Iterator[str]:
    """What the page's links and pictures point at."""
    for token in _tokens(page):
        if token.type in {"link_open", "image"}:
            yield str(token.attrGet("href") or token.attrGet("src"))


def anchors(page: Path) -> set[str]:
    """The names by which the page's headings can be linked to."""
    tokens = _READER.parse(page.read_text(encoding="utf-8"))
    headings = (text.content for mark, text in pairwise(tokens) if mark.type == "heading_open")
    return {_UNSAID.sub("", heading.casefold()).replace(" ", "-") for heading in headings}
