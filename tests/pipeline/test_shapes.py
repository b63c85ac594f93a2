import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import duckdb
import pytest
from filled_workbench import Line, auto, fill
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.profile import profile
from pipeline.shapes import EXAMPLE_LENGTH, EXAMPLES, By, ProfileReport, read_profile, shapes
from pipeline.workbench import SCHEMA, open_workbench

LINES = [
    auto("09:30", 30, "MORNING", "09:30"),
    auto("14:00", 50, "AFTERNOON", "14:00", already_set=5),
    Line("25:00", 2, rule="impossible_clock", reason="invalid_clock"),
    auto("오후", 7, "AFTERNOON", rule="word"),
    Line(None, 4, reason="empty"),
    Line("", 3, reason="empty"),
]


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_workbench(tmp_path) as connection:
        yield connection


def test_a_bucket_counts_dates_examples_and_claims(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, LINES)
    clocks = profile(workbench).by_pattern[0]
    assert (clocks.name, clocks.rows, clocks.texts, clocks.already_set) == ("99:99", 82, 3, 5)
    assert clocks.share == pytest.approx(82 / 96)
    assert [str(clocks.first_seen), str(clocks.last_seen)] == ["2024-01-31 09:00:00", "2025-12-01 18:00:00"]
    assert [(example.text, example.rows) for example in clocks.examples] == [("14:00", 50), ("09:30", 30), ("25:00", 2)]
    assert [(claim.rule, claim.disposition, claim.texts, claim.rows) for claim in clocks.claims] == [
        ("clock", "AUTO", 2, 75),
        ("impossible_clock", "REVIEW", 1, 2),
    ]


def test_null_and_empty_are_texts_of_their_own(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, LINES)
    report = profile(workbench)
    assert {shape.name: shape.rows for shape in report.by_pattern if "(" in shape.name} == {"(null)": 4, "(empty)": 3}
    blank = next(shape for shape in report.by_meaning if shape.name == "blank")
    assert [example.text for example in blank.examples] == [None, ""]


def test_profile_before_decisions_has_no_claims(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, [line._replace(disposition=None) for line in LINES])
    report = profile(workbench)
    assert report.rows == 96
    assert not any(shape.claims for shape in report.by_meaning + report.by_pattern)


def test_profiling_again_changes_nothing(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, LINES)
    first = profile(workbench)
    assert profile(workbench) == first == read_profile(workbench)
    assert workbench.execute("SELECT count(*) FROM text_shapes").fetchall() == [(len(LINES),)]


def test_an_empty_run_has_no_shapes(workbench: duckdb.DuckDBPyConnection) -> None:
    assert profile(workbench) == ProfileReport(0, 0, (), ())


def test_examples_are_few_short_masked_and_visible(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, [Line(f"010-1234-567{number} \x1b {'가' * 500}", 9 - number) for number in range(9)])
    (shape,) = profile(workbench).by_pattern
    assert len(shape.examples) == EXAMPLES
    assert [example.rows for example in shape.examples] == [9, 8, 7, 6, 5]
    for example in shape.examples:
        assert example.text
        assert example.text.startswith("••••••••••••• ⟨U+001B⟩")
        assert len(example.text) == EXAMPLE_LENGTH


def test_goes_to_json(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, LINES)
    decoded = json.loads(json.dumps(profile(workbench).to_dict()))
    assert decoded["rows"] == 96
    assert decoded["by_pattern"][0]["first_seen"] == "2024-01-31T09:00:00"
    assert decoded["by_pattern"][0]["claims"][0] == {"rule": "clock", "disposition": "AUTO", "texts": 2, "rows": 75}


def test_progress_ends_with_all_texts(workbench: duckdb.DuckDBPyConnection) -> None:
    fill(workbench, [Line(f"text {number}") for number in range(2_500)])
    told: list[tuple[int, int]] = []
    profile(workbench, lambda done, planned: told.append((done, planned)))
    assert told == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]


_TEXTS = st.lists(
    st.tuples(
        st.none() | st.text(st.characters(codec="utf-8"), max_size=12),
        st.integers(min_value=1, max_value=9),
        st.integers(min_value=0, max_value=9),
        st.sampled_from(["AUTO", "REVIEW"]),
    ),
    unique_by=itemgetter(0),
    max_size=12,
)


@pytest.fixture(scope="module")
def reused() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        yield connection


@settings(max_examples=40, deadline=None)
@given(texts=_TEXTS)
def test_every_row_is_in_exactly_one_bucket_and_one_fate(
    reused: duckdb.DuckDBPyConnection, texts: list[tuple[str | None, int, int, str]]
) -> None:
    for table in ("reservations", "texts", "decisions"):
        reused.execute(f"TRUNCATE {table}")
    lines = [Line(raw, rows, min(rows, set_), made, rule=made) for raw, rows, set_, made in texts]
    fill(reused, lines)
    report = profile(reused)
    for by, buckets in ((By.MEANING, report.by_meaning), (By.PATTERN, report.by_pattern)):
        assert buckets == shapes(reused, by)
        assert sum(shape.rows for shape in buckets) == report.rows == sum(line.rows for line in lines)
        assert sum(shape.texts for shape in buckets) == report.texts == len(lines)
        assert sum(shape.share for shape in buckets) == pytest.approx(1 if lines else 0)
        for shape in buckets:
            assert sum(claim.rows for claim in shape.claims) + shape.already_set == shape.rows
            assert sum(claim.texts for claim in shape.claims) == shape.texts


def test_where_every_text_is_a_shape_only_the_largest_show_examples(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.shapes.EXEMPLIFIED", 2)
    with open_workbench(tmp_path) as workbench:
        workbench.execute("INSERT INTO texts SELECT 't' || n, n, 0, NULL, NULL FROM range(1, 5) r(n)")
        workbench.execute("INSERT INTO text_shapes SELECT raw, raw, raw FROM texts")
        found = read_profile(workbench)
    assert [(shape.name, len(shape.examples)) for shape in found.by_meaning] == [
        ("t4", 1),
        ("t3", 1),
        ("t2", 0),
        ("t1", 0),
    ]
