"""The two statements of a batch against a model in memory, in any order of events."""

from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.batches import Batch, Target, undo_statement, update_statement
from pipeline.ledger import CREATE_LEDGER
from pipeline.settings import TableNames

TEXTS = {"a": "오전", "b": "오전", "c": "모닝"}
BATCH = Batch(1, "MORNING", [(1, "a"), (1, "b"), (2, "c")], {1: "오전", 2: "모닝"})
TARGET, OTHER_RUN = Target.of(TableNames(), "run"), Target.of(TableNames(), "another run")
IDS = st.sampled_from(sorted(TEXTS))
EVENTS = st.one_of(
    st.sampled_from([("update",), ("undo",), ("other update",), ("other undo",)]),
    st.tuples(st.just("edit text"), IDS, st.sampled_from(["오전", "모닝", "오후"])),
    st.tuples(st.just("edit period"), IDS, st.sampled_from([None, "MORNING", "AFTERNOON"])),
    st.tuples(st.just("edit notes"), IDS, st.just("called back")),
    st.tuples(st.just("delete"), IDS),
)
SQL = {
    "update": update_statement(TARGET, BATCH),
    "undo": undo_statement(TARGET, BATCH),
    "other update": update_statement(OTHER_RUN, BATCH),
    "other undo": undo_statement(OTHER_RUN, BATCH),
    "edit text": 'UPDATE reservations SET "preferredTime" = %(to)s WHERE id = %(id)s',
    "edit period": "UPDATE reservations SET period = %(to)s WHERE id = %(id)s",
    "edit notes": "UPDATE reservations SET notes = %(to)s WHERE id = %(id)s",
    "delete": "DELETE FROM reservations WHERE id = %(id)s",
}
TABLE = 'CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, period text, notes text)'
Event = tuple[str | None, ...]


@dataclass
class Row:
    """A row of the model; ``writes`` counts how often anybody wrote it."""

    text: str
    period: str | None = None
    notes: str | None = None
    writes: int = 0


@dataclass
class Model:
    """What must hold: the rows, and per run those it changed and has not undone, with their writes at that time."""

    rows: dict[str, Row] = field(default_factory=lambda: {i: Row(raw) for i, raw in TEXTS.items()})
    ours: dict[str, dict[str, int]] = field(default_factory=lambda: {"": {}, "other": {}})

    def happen(self, event: str, row_id: str = "", to: str | None = None) -> None:
        ours = self.ours["other" if event.startswith("other") else ""]
        if event.endswith("update"):
            for i in [i for i, row in self.rows.items() if (row.text, row.period) == (TEXTS[i], None)]:
                ours[i] = self._write(i, "period", "MORNING")
        elif event.endswith("undo"):
            for i in [i for i, writes in ours.items() if i in self.rows and self.rows[i].writes == writes]:
                self._write(i, "period", None)
                del ours[i]
        elif event == "delete":
            self.rows.pop(row_id, None)
        elif row_id in self.rows:
            self._write(row_id, event.removeprefix("edit "), to)

    def _write(self, row_id: str, column: str, to: str | None) -> int:
        row = self.rows[row_id]
        setattr(row, column, to)
        row.writes += 1
        return row.writes


def play(database: str, events: list[Event]) -> tuple[dict[str, list[str | None]], set[tuple[str, str]]]:
    """The rows and the ledger after the events, all in one transaction that is rolled back."""
    with psycopg.connect(database) as connection:
        connection.execute(TABLE)
        connection.execute(CREATE_LEDGER.encode())
        for row in TEXTS.items():
            connection.execute("INSERT INTO reservations VALUES (%s, %s)", row)
        for name, *details in events:
            parameters = dict(zip(("id", "to"), details, strict=False)) or None
            with connection.transaction():  # a savepoint: to PostgreSQL another transaction, as in life
                connection.execute(SQL[str(name)].encode(), parameters)
        rows = connection.execute("SELECT * FROM reservations").fetchall()
        ledger = connection.execute("SELECT run_id, jsonb_object_keys(changed) FROM ojeon.file_batches").fetchall()
        connection.rollback()
    return {i: list(rest) for i, *rest in rows}, {(run, i) for run, i in ledger}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=15))
def test_any_order_of_events_ends_as_the_model_says(database: str, events: list[Event]) -> None:
    model = Model()
    for event in events:
        model.happen(*event)
    rows, ledger = play(database, events)
    assert rows == {i: [row.text, row.period, row.notes] for i, row in model.rows.items()}
    assert ledger == {("another run" if run else "run", i) for run, ours in model.ours.items() for i in ours}


# What the model says is right here is written out, so that model and statements cannot be wrong together.
KEPT: dict[str, list[Event]] = {
    "chosen by a person, twice": [("update",), ("edit period", "a", "AFTERNOON"), ("edit period", "a", "MORNING")],
    "confirmed by a person": [("update",), ("edit period", "a", "MORNING")],
    "the text changed and changed back": [("update",), ("edit text", "a", "오후"), ("edit text", "a", "오전")],
    "another column changed": [("update",), ("edit notes", "a", "called back")],
    "written by another run": [("update",), ("edit period", "a", None), ("other update",)],
}


@pytest.mark.parametrize("case", KEPT)
def test_undo_leaves_alone_what_anybody_wrote_since(database: str, case: str) -> None:
    rows, _ = play(database, [*KEPT[case], ("undo",)])
    assert {i: row[1] for i, row in rows.items()} == {"a": "MORNING", "b": None, "c": None}


def test_each_run_undoes_its_own(database: str) -> None:
    rows, ledger = play(database, [("update",), ("edit period", "a", None), ("other update",), ("other undo",)])
    assert {i: row[1] for i, row in rows.items()} == {"a": None, "b": "MORNING", "c": "MORNING"}
    assert ledger == {("run", "a"), ("run", "b"), ("run", "c")}
