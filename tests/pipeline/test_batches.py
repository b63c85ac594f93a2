"""The two statements of a batch against a model in memory, in any order of events."""

from dataclasses import dataclass, field

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.batches import CREATE_LEDGER, Batch, Target, undo_statement, update_statement
from pipeline.settings import TableNames

TEXTS = {"a": "오전", "b": "오전", "c": "모닝"}
BATCH = Batch(1, "MORNING", [(1, "a"), (1, "b"), (2, "c")], {1: "오전", 2: "모닝"})
TARGET = Target.of(TableNames(), "run")
IDS = st.sampled_from(sorted(TEXTS))
EVENTS = st.one_of(
    st.sampled_from([("update",), ("undo",)]),
    st.tuples(st.just("edit text"), IDS, st.sampled_from(["오전", "모닝", "오후"])),
    st.tuples(st.just("edit period"), IDS, st.sampled_from([None, "MORNING", "AFTERNOON"])),
    st.tuples(st.just("delete"), IDS),
)
SQL = {
    "update": update_statement(TARGET, BATCH),
    "undo": undo_statement(TARGET, BATCH),
    "edit text": 'UPDATE reservations SET "preferredTime" = %(to)s WHERE id = %(id)s',
    "edit period": "UPDATE reservations SET period = %(to)s WHERE id = %(id)s",
    "delete": "DELETE FROM reservations WHERE id = %(id)s",
}


@dataclass
class Model:
    """What must hold: rows by id as [text, period], and the ids that the run changed and has not undone."""

    rows: dict[str, list[str | None]] = field(default_factory=lambda: {i: [raw, None] for i, raw in TEXTS.items()})
    ours: set[str] = field(default_factory=set)

    def happen(self, event: str, row_id: str = "", to: str | None = None) -> None:
        if event == "update":
            self._move(self.rows, None, "MORNING")
        elif event == "undo":
            self._move(self.ours, "MORNING", None)
        elif event == "delete":
            self.rows.pop(row_id, None)
        elif row_id in self.rows:
            self.rows[row_id][event == "edit period"] = to

    def _move(self, ids: dict[str, list[str | None]] | set[str], before: str | None, after: str | None) -> None:
        for i in [i for i in ids if self.rows.get(i) == [TEXTS[i], before]]:
            self.rows[i][1] = after
            (self.ours.add if after else self.ours.discard)(i)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=15))
def test_any_order_of_events_ends_as_the_model_says(database: str, events: list[tuple[str | None, ...]]) -> None:
    model = Model()
    with psycopg.connect(database) as connection:  # each example is one transaction, rolled back
        connection.execute('CREATE TABLE reservations (id text PRIMARY KEY, "preferredTime" text, period text)')
        connection.execute(CREATE_LEDGER.encode())
        for row in TEXTS.items():
            connection.execute("INSERT INTO reservations VALUES (%s, %s)", row)
        for name, *details in events:
            model.happen(name, *details)
            parameters = dict(zip(("id", "to"), details, strict=False)) or None
            connection.execute(SQL[name].encode(), parameters)
        rows = connection.execute("SELECT * FROM reservations").fetchall()
        ledger = connection.execute("SELECT unnest(ids) FROM ojeon.batches").fetchall()
        connection.rollback()
    assert {i: [text, period] for i, text, period in rows} == model.rows
    assert sorted(i for (i,) in ledger) == sorted(model.ours)


def test_texts_are_compared_by_their_bytes_whatever_the_column_thinks() -> None:
    # A collation that takes different texts for the same needs ICU, which not every PostgreSQL has.
    for statement in (SQL["update"], SQL["undo"]):
        assert 'r."preferredTime"::text COLLATE "C" IS NOT DISTINCT FROM dictionary.raw' in statement
