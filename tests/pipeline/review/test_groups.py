"""Which texts are asked about, in which order, and which may get the same answer."""

import re
from pathlib import Path

import duckdb
import pytest
from filled_workbench import Line, auto, fill
from waiting_run import RUN, make_run

from pipeline.errors import RunError
from pipeline.profile import profile
from pipeline.review.groups import Waiting, waiting_in
from pipeline.review_file import key
from pipeline.workbench import open_workbench, read_workbench


def waiting(folder: Path) -> list[Waiting]:
    with read_workbench(folder) as workbench:
        return waiting_in(workbench, RUN)


def groups(folder: Path) -> list[list[str | None]]:
    found: dict[int, list[str | None]] = {}
    for text in waiting(folder):
        found.setdefault(text.group, []).append(text.raw)
    return list(found.values())


def test_the_largest_group_comes_first_and_most_rows_in_it(tmp_path: Path) -> None:
    texts = [("미정", 5), ("8시", 9), ("추후 협의", 6), ("오후 3시", 99)]
    assert groups(make_run(tmp_path, texts)) == [["추후 협의", "미정"], ["8시"]]


def test_another_hour_without_a_sure_suggestion_is_another_group(tmp_path: Path) -> None:
    texts = [("8시", 9), ("8:00", 8), ("8:30", 7), ("여덟시", 3), ("일곱시", 2), ("7시", 1)]
    assert groups(make_run(tmp_path, texts)) == [["8시", "8:00"], ["8:30"], ["여덟시"], ["일곱시"], ["7시"]]


def test_the_null_stands_alone(tmp_path: Path) -> None:
    assert groups(make_run(tmp_path, [("", 3), (" ", 2), (None, 4)])) == [["", " "], [None]]


def test_a_text_is_told_with_its_rows_reason_and_dates(tmp_path: Path) -> None:
    (text,) = waiting(make_run(tmp_path, [("8시", 9)]))
    assert (text.key, text.rows, text.reason, text.suggestion) == (key(RUN, "8시"), 9, "ambiguous_hour", "MORNING")
    assert text.first_seen is not None
    assert text.last_seen is not None


def test_only_rows_and_texts_that_wait_are_asked_about(tmp_path: Path) -> None:
    with open_workbench(tmp_path) as workbench:
        fill(
            workbench,
            [
                Line("8시", 5, 2, reason="ambiguous_hour"),
                Line("7시", 3, 3, reason="ambiguous_hour"),  # every row of it has a period
                Line("무관", 4, 0, rule="reviewed", reason="no_preference"),  # people have settled it
                auto("오후 3시", 9, "AFTERNOON"),
            ],
        )
        profile(workbench)
        assert [(text.raw, text.rows) for text in waiting_in(workbench, RUN)] == [("8시", 3)]


def test_a_damaged_workbench_is_named() -> None:
    with duckdb.connect() as empty, pytest.raises(RunError, match=re.escape("cannot be read (CatalogException)")):
        waiting_in(empty, RUN)
