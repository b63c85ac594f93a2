"""Every command that a page shows exists, with every option it shows; no command is left out of the pages."""

import re
import shlex
from itertools import takewhile

import markdown_pages
import pytest
import typer

from pipeline.cli import app

OJEON = typer.main.get_command(app)
MAKEFILE = (markdown_pages.ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
WRITTEN = [page for page in markdown_pages.PAGES if page.name != "cli.md"]
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_PLACE = re.compile(r"<([\w ]+)>|…")
"""What a reader puts something else for."""


def commands_in(line):
    """The simple commands of a line of shell, each as its words, without assignments before and files behind."""
    lexer = shlex.shlex(_PLACE.sub("1", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = []
    for word in lexer:
        if set(word) <= set(";|&()"):
            yield words
            words = []
        elif words or not _ASSIGNMENT.fullmatch(word):
            words.append(word)
    yield words


def shown(page):
    """Each `ojeon …` and `make …` on the page, as words, and whether it stands in a block, so is whole."""
    blocks = [(line, True) for line in markdown_pages.shell_lines(page) if "[OPTIONS]" not in line]
    for line, whole in [*blocks, *((span, False) for span in markdown_pages.code_spans(page))]:
        if "ojeon" in line or "make" in line:
            for words in commands_in(line):
                if words and words[0].removeprefix(".venv/bin/") in {"ojeon", "make"} and (whole or words[1:]):
                    yield words[0].removeprefix(".venv/bin/"), _before_files(words[1:]), whole


def _before_files(words):
    return list(takewhile(lambda word: not set(word) <= set("<>"), words))


def path_of(arguments):
    """The command that the arguments of ojeon name, all of its options and values looked at; complains as it would."""
    command, path, rest = OJEON, [], list(arguments)
    while hasattr(command, "resolve_command") and rest and not rest[0].startswith("-"):
        with command.context_class(command, info_name="ojeon") as context:
            name, command, rest = command.resolve_command(context, rest)
        path.append(name)
    if "--help" not in rest and "--version" not in rest:
        command.make_context("ojeon", list(rest))
    return tuple(path)


def complaint_about(arguments, *, whole):
    """What ojeon would say of its arguments, or None; what is missing is missed in a whole command only."""
    try:
        path_of(arguments)
    except typer._click.exceptions.MissingParameter as error:
        return error.format_message() if whole else None
    except typer._click.exceptions.UsageError as error:
        return error.format_message()
    return None


def every_command(group=OJEON, path=()):
    for name, command in group.commands.items():
        yield from every_command(command, (*path, name)) if hasattr(command, "commands") else [(*path, name)]


@pytest.mark.parametrize("page", markdown_pages.PAGES, ids=markdown_pages.named)
def test_what_a_page_shows_exists(page):
    wrong = []
    for program, arguments, whole in shown(page):
        if program == "make":
            wrong += [f"make {target}" for target in arguments[:1] if target not in TARGETS]
        elif complaint := complaint_about(arguments, whole=whole):
            wrong.append(f"ojeon {shlex.join(arguments)}: {complaint}")
    assert wrong == []


def test_no_command_is_left_out_of_what_people_read():
    told = {
        path_of(arguments)
        for page in WRITTEN
        for program, arguments, whole in shown(page)
        if program == "ojeon" and whole
    }
    assert sorted(set(every_command()) - told) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ojeon aply RUN", "No such command"),
        ("ojeon review RUN", "No such command"),
        ("ojeon apply RUN --dryrun", "No such option"),
        ("ojeon review serve RUN --port many", "--port"),
        ("ojeon verify", "Missing argument"),
    ],
)
def test_a_command_that_is_none_is_noticed(line, says):
    (words,) = commands_in(line)
    assert says in complaint_about(words[1:], whole=True)


def test_lines_are_taken_apart():
    line = "OJEON_MIN_AUTO=0.97 ojeon config --json | jq . && ojeon parse --jsonl < in.jsonl > out.jsonl  # a word"
    assert [words for words in commands_in(line) if words[0] == "ojeon"] == [
        ["ojeon", "config", "--json"],
        ["ojeon", "parse", "--jsonl", "<", "in.jsonl", ">", "out.jsonl"],
    ]
