"""The counts against a count by hand, on small tables of every shape."""

from collections import Counter
from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import rowfacts
from pipeline.workbench import SCHEMA

EXAMPLES = settings(max_examples=30, deadline=None)  # each opens a database; the first loads polars
FEW = 3  # AUTO rows of which a share is told; the tables here are small
RAWS = st.sampled_from([None, "", "오전", "오전 ", "3시"])
ROWS = st.lists(st.tuples(st.sampled_from("abcdefgh"), RAWS, st.sampled_from([None, "MORNING"])), max_size=12)
DECISIONS = st.lists(
    st.tuples(RAWS, st.sampled_from(["AUTO", "REVIEW", "MAYBE"]), st.sampled_from([None, "MORNING", "AFTERNOON"])),
    max_size=6,
)

Row = tuple[str, str | None, str | None]
Decided = tuple[str | None, str, str | None]


def filled(rows: Sequence[Row], decisions: Sequence[Decided]) -> duckdb.DuckDBPyConnection:
    workbench = duckdb.connect()
    workbench.execute(SCHEMA)
    for row in rows:
        workbench.execute("INSERT INTO reservations (id, raw, current_period) VALUES (?, ?, ?)", row)
    workbench.execute(
        "INSERT INTO texts SELECT raw, count(*), count(current_period), NULL, NULL FROM reservations GROUP BY raw"
    )
    for decision in decisions:
        workbench.execute("INSERT INTO decisions VALUES (?, ?, ?, NULL, NULL, 1, 'rule', NULL, '')", decision)
    return workbench


@EXAMPLES
@given(rows=ROWS, decisions=DECISIONS)
def test_fates_are_those_of_a_join_row_by_row(rows: list[Row], decisions: list[Decided]) -> None:
    with filled(rows, decisions) as workbench, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rowfacts, "_TELLING", FEW)
        facts = rowfacts.planned(workbench)
    joined = [
        (disposition, period)
        for _, raw, current in rows
        if current is None
        for decided, disposition, period in decisions
        if decided == raw
    ]
    fates = Counter(disposition for disposition, _ in joined)
    periods = Counter(period for disposition, period in joined if disposition == "AUTO")
    lines = Counter(raw for raw, _, _ in decisions)
    empty = sum(current is None for _, _, current in rows)
    already_set = len(rows) - empty
    assert facts == {
        "rows": len(rows),
        "auto": fates["AUTO"],
        "review": fates["REVIEW"],
        "already_set": already_set,
        "accounted": fates["AUTO"] + fates["REVIEW"] + already_set,
        "undecided": sum(lines[raw] == 0 for _, raw, _ in rows),
        "decided_repeatedly": sum(lines[raw] > 1 for _, raw, _ in rows),
        "planned_already_set": 0,
        "settled_share": 1 - fates["REVIEW"] / len(rows) if rows else None,
        "morning_share": periods["MORNING"] / fates["AUTO"] if fates["AUTO"] >= FEW else None,
        "afternoon_share": periods["AFTERNOON"] / fates["AUTO"] if fates["AUTO"] >= FEW else None,
    }


@EXAMPLES
@given(rows=ROWS)
def test_an_extract_adds_up(rows: list[Row]) -> None:
    with filled(rows, []) as workbench:
        facts = rowfacts.extracted(workbench)
    already_set = sum(current is not None for _, _, current in rows)
    assert facts == {
        "rows": len(rows),
        "already_set": already_set,
        "rows_without_id": 0,
        "texts": len({raw for _, raw, _ in rows}),
        "repeated_texts": 0,
        "rows_of_texts": len(rows),
        "already_set_of_texts": already_set,
        "miscounted_texts": 0,
        "repeated_ids": len(rows) - len({row_id for row_id, _, _ in rows}),
    }
