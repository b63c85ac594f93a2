"""The law of a move, whoever writes in between.

What this run wrote, in however many of its own writes, undo takes back; what the application has touched since stays
and is named.

Unlike the model of apply and undo (``test_model``) this one knows nothing of batches and lines: it watches the table
after each batch and asks whether every row that changed is one that the run may change, and changed as it may. The
application, the trigger, apply, sync and undo take turns, the application even between the statements of one batch.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import psycopg
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from live_move import DECIDED, Move, seal

from pipeline.address import read_address
from pipeline.backfill import apply as apply_module
from pipeline.backfill import arrivals, dual_write, pace
from pipeline.backfill import undo as undo_module
from pipeline.backfill.apply import apply
from pipeline.backfill.plan import Plan, read_plan
from pipeline.backfill.session import Session, at_work
from pipeline.backfill.states import NEXT
from pipeline.backfill.sync import sync
from pipeline.backfill.undo import undo
from pipeline.backfill.worker import Worker

SIZE = 4
TABLE = """
CREATE TABLE reservations (id integer PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text CHECK (period IN ('MORNING', 'AFTERNOON')), "timeSlotStart" varchar(5), service text, "serviceId" text,
    "serviceName" text, "estimatedDuration" integer, note integer NOT NULL DEFAULT 0);
CREATE TABLE services (
    id text, code text PRIMARY KEY, name text, "durationMinutes" integer, "bufferMinutes" integer);
INSERT INTO services VALUES ('s1', 'BOTOX', 'Botox', 30, 10);
"""
FRESH = """
DELETE FROM reservations; DELETE FROM ojeon.batches; DELETE FROM ojeon.dual_writes; DELETE FROM ojeon.events;
DELETE FROM ojeon.plan WHERE increment > 0;
UPDATE ojeon.runs SET state = 'planned', asked = NULL, sweep = 0, cursor = NULL, batches = 0, to_do = NULL
"""
PERIOD, SLOT, SERVICE = "period", "timeSlotStart", ("serviceId", "serviceName", "estimatedDuration")
COLUMNS = (PERIOD, SLOT, *SERVICE)
BOTOX = dict(zip(SERVICE, ("s1", "Botox", 40), strict=True))
ROWS = """
SELECT id, period, "timeSlotStart", "serviceId", "serviceName", "estimatedDuration", "preferredTime", service, note
FROM reservations
"""
# Every claim that stands: of a line of the ledger, or of a note that has no line yet.
STANDING = """
SELECT r.id, ARRAY(SELECT unnest(columns) ORDER BY 1) FROM (
    SELECT unnest(ids) AS id, writer, filled AS columns FROM ojeon.batches
    UNION ALL SELECT id, writer, ARRAY(SELECT jsonb_object_keys(filled)) FROM ojeon.dual_writes
) claim JOIN reservations r ON r.id = claim.id::integer AND r.xmin::text = claim.writer
"""
NAMED = "SELECT DISTINCT unnest(left_alone)::integer FROM ojeon.batches"
LATER = {"15:30": ("AFTERNOON", "15:30"), "오전 11시쯤": ("MORNING", "11:00")}
"""Texts that the plan does not know and sync is sure of."""


@dataclass
class Row:
    """``ours`` are the columns that the run filled and that stand since the application wrote the row last."""

    text: str | None
    code: str | None
    note: int = 0
    values: dict[str, object] = field(default_factory=lambda: dict.fromkeys(COLUMNS))
    ours: frozenset[str] = frozenset()

    def seen(self):
        return (*(self.values[column] for column in COLUMNS), self.text, self.code, self.note)

    def with_ours(self, values):
        return replace(self, values={**self.values, **values}, ours=self.ours | set(values))

    def emptied(self):
        return replace(self, values={**self.values, **dict.fromkeys(self.ours)}, ours=frozenset())


class KilledError(BaseException):
    """Ends a worker as SIGKILL would."""


TEXTS = st.sampled_from([*DECIDED, *LATER, *LATER, "아무때나", "아무때나", None])
KNOWN = st.sampled_from(list(DECIDED))
HALVES = st.sampled_from([None, "MORNING", "AFTERNOON"])
IDS = st.integers(1, 10)
CODES = st.sampled_from(["BOTOX", "BOTOX", None])
WRITES = st.one_of(
    st.tuples(st.just("insert"), IDS, TEXTS, st.sampled_from([None, None, "MORNING"]), CODES),
    st.tuples(st.just("text"), IDS, TEXTS),
    st.tuples(st.just("text"), IDS, KNOWN),
    st.tuples(st.just("text"), IDS, KNOWN),
    st.tuples(st.just("code"), IDS, CODES),
    st.tuples(st.just("period"), IDS, HALVES),
    st.tuples(st.just("start"), IDS, st.sampled_from(["09:00", None])),
    st.tuples(st.just("service"), IDS, st.sampled_from(["own", None])),
    st.tuples(st.just("note"), IDS),
    st.tuples(st.just("delete"), IDS),
)
EVENTS = st.sampled_from([*[None] * 12, "kill"])
SCRIPTS = st.lists(st.tuples(st.lists(WRITES, max_size=2), EVENTS), max_size=6)


class Law(RuleBasedStateMachine):
    """One database for all examples; each begins with an empty ledger."""

    move: ClassVar[Move]
    plan: ClassVar[Plan]
    connection: ClassVar[psycopg.Connection]
    application: ClassVar[psycopg.Connection]
    target: ClassVar[object]
    within: ClassVar[object]
    added: ClassVar[object]

    @initialize(rows=st.lists(st.tuples(TEXTS, CODES), min_size=3, max_size=8), fires=st.booleans())
    def begin(self, rows, fires):
        self.rows, self.known, self.broken, self.fires = {}, dict(DECIDED), set(), False
        dual_write.remove(self.connection, self.move.run_id, 5)
        self.connection.execute(FRESH)
        for number, (text, code) in enumerate(rows, start=1):
            self.write(("insert", number, text, None, code))
        if fires:
            self.install()

    # The application and the trigger.

    def write(self, what):
        """The application writes one row, unless the run holds it right now."""
        kind, row_id, *values = what
        if (kind == "insert") == (row_id in self.rows):
            return
        try:
            getattr(self, f"write_{kind}")(row_id, *values)
        except psycopg.errors.LockNotAvailable:
            return

    def change(self, row_id, query, *parameters, **changes):
        self.application.execute(f"UPDATE reservations SET {query} WHERE id = %s", (*parameters, row_id))
        row = self.rows[row_id]
        self.broken |= {row_id} if row.ours else set()
        values = {**row.values, **{column: changes.pop(column) for column in COLUMNS if column in changes}}
        self.rows[row_id] = replace(row, values=values, ours=frozenset(), **changes)

    def write_insert(self, row_id, text, period, code):
        self.application.execute(
            'INSERT INTO reservations (id, "preferredTime", period, service) VALUES (%s, %s, %s, %s)',
            (row_id, text, period, code),
        )
        row = Row(text, code)
        row.values[PERIOD] = period
        if self.fires:
            row = row.with_ours(self.meant_period(row))
            row = row.with_ours(BOTOX if code else {})
        self.rows[row_id] = row

    def write_text(self, row_id, text):
        before = self.rows[row_id]
        self.change(row_id, '"preferredTime" = %s', text, text=text)
        if not self.fires or text == before.text:
            return
        row = self.rows[row_id]
        if row.values[PERIOD] is not None:  # the plan's own for the text that was there goes with it
            period, start = self.known.get(before.text, (None, None))
            if row.values[PERIOD] != period:
                return
            row.values[PERIOD] = None
            row.values[SLOT] = None if row.values[SLOT] == start else row.values[SLOT]
        self.rows[row_id] = row.with_ours(self.meant_period(row))

    def write_code(self, row_id, code):
        self.change(row_id, "service = %s", code, code=code)

    def write_period(self, row_id, period):
        self.change(row_id, "period = %s", period, period=period)

    def write_start(self, row_id, start):
        self.change(row_id, '"timeSlotStart" = %s', start, timeSlotStart=start)

    def write_service(self, row_id, own):
        sets = '"serviceId" = %s, "serviceName" = %s, "estimatedDuration" = NULL'
        self.change(row_id, sets, own, own, serviceId=own, serviceName=own, estimatedDuration=None)

    def write_note(self, row_id):
        self.change(row_id, "note = note + 1", note=self.rows[row_id].note + 1)

    def write_delete(self, row_id):
        self.application.execute("DELETE FROM reservations WHERE id = %s", (row_id,))
        self.broken |= {row_id} if self.rows.pop(row_id).ours else set()

    # What the run means for a row.

    def meant_period(self, row):
        period, start = self.known.get(row.text, (None, None))
        if period is None or row.values[PERIOD] is not None:
            return {}
        return {PERIOD: period} | ({SLOT: start} if start and row.values[SLOT] is None else {})

    def meant_service(self, row):
        return BOTOX if row.code and all(row.values[column] is None for column in SERVICE) else {}

    def read(self):
        return {row_id: tuple(seen) for row_id, *seen in self.connection.execute(ROWS).fetchall()}

    def filled(self, row):
        """What a batch may make of a row: whole, or half of it where its text or its code came in between."""
        period, service = self.meant_period(row), self.meant_service(row)
        return [row.with_ours(values) for values in (period | service, period, service)]

    def watch(self, becomes):
        """Take over from the table which rows a batch has changed; each must have become what ``becomes`` allows."""
        now = self.read()
        assert set(now) == set(self.rows)
        for row_id, row in self.rows.items():
            if now[row_id] != row.seen():
                [self.rows[row_id], *_] = [after for after in becomes(row) if after.seen() == now[row_id]]

    # The run.

    def state(self):
        return self.connection.execute("SELECT state FROM ojeon.runs").fetchone()[0]

    def work(self, do, becomes, between, inside):
        """Run a worker beside an application that writes ``between`` its batches and ``inside`` of them."""

        def follow(script):
            writes, event = script.pop(0) if script else ([], None)
            for what in writes:
                self.write(what)
            if event == "kill":
                raise KilledError

        type(self).within = staticmethod(lambda: follow(inside))
        type(self).added = staticmethod(self.known.update)
        with self.session() as session:

            def throttle(_connection):
                type(self).within = staticmethod(lambda: None)
                follow(between)
                type(self).within = staticmethod(lambda: follow(inside))

            worker = Worker(session, self.target, self.move.run_id, 1.0, throttle, lambda _batch: self.watch(becomes))
            try:
                return do(worker)
            except KilledError:
                return None

    @contextmanager
    def session(self) -> Iterator[Session]:
        times = {"lock_timeout": 0.1, "statement_timeout": 10, "patience": 1}
        with at_work(read_address(self.move.url), "public", **times) as session:
            yield session

    def fill(self, do, between, inside):
        report = self.work(do, self.filled, between, inside)
        if report is not None:
            assert (report.state, report.left) == ("applied", 0)
            assert not [row for row in self.rows.values() if self.meant_period(row) or self.meant_service(row)]

    @rule(between=SCRIPTS, inside=SCRIPTS)
    def apply(self, between, inside):
        if "applying" in NEXT[self.state()]:
            self.fill(apply, between, inside)

    @rule(between=SCRIPTS, inside=SCRIPTS)
    def sync(self, between, inside):
        if self.state() in {"applying", "paused", "applied"}:
            self.fill(lambda worker: sync(worker, self.plan), between, inside)

    @rule(between=SCRIPTS, inside=SCRIPTS)
    def undo(self, between, inside):
        if "undoing" not in NEXT[self.state()]:
            return
        self.remove()
        report = self.work(undo, lambda row: [row.emptied()], between, inside)
        if report is not None:
            assert (report.state, report.left) == ("undone", 0)
            assert not [row for row in self.rows.values() if row.ours]
            assert {row_id for (row_id,) in self.connection.execute(NAMED)} == self.broken

    @rule()
    def install(self):
        if self.state() in {"planned", "applying", "paused", "applied"}:
            with self.session() as session:
                dual_write.install(session, self.plan, self.move.fills)
            self.fires = True

    @rule()
    def remove(self):
        dual_write.remove(self.connection, self.move.run_id, 5)
        self.fires = False

    @rule(writes=st.lists(WRITES, min_size=1, max_size=3))
    def write_while_nobody_works(self, writes):
        for what in writes:
            self.write(what)

    @invariant()
    def table_and_claims_are_as_the_law_says(self):
        assert self.read() == {row_id: row.seen() for row_id, row in self.rows.items()}
        claims = sorted((row_id, columns) for row_id, columns in self.connection.execute(STANDING))
        assert claims == sorted((row_id, sorted(row.ours)) for row_id, row in self.rows.items() if row.ours)


def test_undo_is_exact_whoever_filled_a_row_and_when(database, monkeypatch):
    for module, name in (
        (pace, "FEWEST"),
        (pace, "MOST"),
        (apply_module, "FIRST_BATCH"),
    ):
        monkeypatch.setattr(module, name, SIZE)
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _seconds: None)
    monkeypatch.setattr(apply_module, "time", clock)
    monkeypatch.setattr(arrivals, "broken_laws", lambda *_: ())  # they are slow, and test_sync looks at them
    add, fill, empty = arrivals.add, apply_module.fill_statement, undo_module.empty_statement

    def adding(connection, run_id, certain):
        add(connection, run_id, certain)
        Law.added({arrival.raw: (arrival.decision.period.value, arrival.decision.start) for arrival in certain})

    def between_statements(statement):
        def made(*parts, **more):
            Law.within()
            return statement(*parts, **more)

        return made

    monkeypatch.setattr(arrivals, "add", adding)
    monkeypatch.setattr(apply_module, "fill_statement", between_statements(fill))
    monkeypatch.setattr(undo_module, "empty_statement", between_statements(empty))
    with (
        psycopg.connect(database, autocommit=True) as connection,
        psycopg.connect(database, autocommit=True, options="-c lock_timeout=15ms") as application,
        tempfile.TemporaryDirectory() as folder,
    ):
        connection.execute(TABLE)
        Law.connection, Law.application = connection, application
        made = seal(Path(folder) / "20261123-101500-3f2a", database)
        Law.move = Move(database, made, ("period", "slot", "service"))
        Law.plan = read_plan(made, max_age=timedelta(days=1))
        with Law.move.worker() as worker:
            Law.target = worker.target
        examples = 30 + settings().max_examples // 50
        run_state_machine_as_test(
            Law, settings=settings(max_examples=examples, stateful_step_count=15, phases=set(Phase) - {Phase.explain})
        )
