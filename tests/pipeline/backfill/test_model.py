"""Apply and undo against a model of them in memory, in lockstep: batch for batch, with an application that writes in
between, kills, pauses, cancellations and undos, until the two differ.
"""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import psycopg
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from live_move import DECIDED, UNDECIDED, Move, seal

from pipeline.address import read_address
from pipeline.backfill import apply as apply_module
from pipeline.backfill import asking, pace
from pipeline.backfill import worker as worker_module
from pipeline.backfill.apply import apply
from pipeline.backfill.session import at_work
from pipeline.backfill.states import NEXT
from pipeline.backfill.undo import undo
from pipeline.backfill.worker import Worker
from pipeline.errors import UsageError

SIZE = 4
TABLE = """
CREATE TABLE reservations (id integer PRIMARY KEY, "preferredTime" text, "preferredDate" date, "createdAt" timestamp(3),
    period text CHECK (period IN ('MORNING', 'AFTERNOON')), "timeSlotStart" varchar(5), note integer)
"""
FRESH = """
DELETE FROM reservations; DELETE FROM ojeon.batches; DELETE FROM ojeon.dual_writes; DELETE FROM ojeon.events;
UPDATE ojeon.runs SET state = 'planned', asked = NULL, sweep = 0, cursor = NULL, batches = 0, to_do = NULL
"""
ROWS = 'SELECT id, "preferredTime", period, "timeSlotStart", note FROM reservations ORDER BY id'
LINES = """
SELECT batch, variant, ids::integer[], left_alone::integer[], changed, undone, ARRAY(
    SELECT r.id FROM reservations r WHERE r.id = ANY (b.ids::integer[]) AND r.xmin::text = b.writer ORDER BY 1)
FROM ojeon.batches b ORDER BY batch, variant
"""
RUN = "SELECT state, asked, sweep, cursor::integer, batches FROM ojeon.runs"
HALF, BOTH = "period", "period+timeSlotStart"
WORKING = {"paused": "applying", "undo_paused": "undoing"}
PAUSED = {working: paused for paused, working in WORKING.items()}


@dataclass
class Row:
    """``writer`` stands for the transaction that wrote the row last."""

    text: str | None
    period: str | None
    start: str | None
    note: int
    writer: int


@dataclass
class Line:
    batch: int
    variant: str
    writer: int
    ids: list[int]
    changed: int
    left_alone: list[int] = field(default_factory=list)
    undone: int = 0


@dataclass
class Model:
    """The table and the ledger as they should be."""

    rows: dict[int, Row] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    state: str = "planned"
    asked: str | None = None
    sweep: int = 0
    cursor: int | None = None
    batches: int = 0
    writers: itertools.count = field(default_factory=lambda: itertools.count(1))

    def write(self, row_id, **changes):
        self.rows[row_id] = replace(self.rows[row_id], **changes, writer=next(self.writers))

    def variant(self, row_id):
        """What is still to be filled in a row."""
        row = self.rows[row_id]
        if row.text not in DECIDED or row.period is not None:
            return None
        return BOTH if DECIDED[row.text][1] and row.start is None else HALF

    def waiting(self):
        return sorted(row_id for row_id in self.rows if self.variant(row_id))

    def become(self, state):
        assert state in NEXT[self.state]
        self.state, self.asked = state, None

    def begin(self):
        if self.state not in {"applying", "paused"}:
            # Of what was applied before only the rows that still wait are looked for.
            self.sweep, self.cursor = int(self.state == "applied"), None
        self.become("applying")

    def apply_batch(self):
        """Return how many rows it fills."""
        sought = self.waiting() if self.sweep else sorted(self.rows)
        behind = [row_id for row_id in sought if self.cursor is None or row_id > self.cursor]
        span = behind[:SIZE]
        self.cursor = span[-1] if len(span) == SIZE else None
        self.batches += 1
        return self._fill(span)

    def _fill(self, span):
        writer = next(self.writers)
        chosen = {row_id: variant for row_id in span if (variant := self.variant(row_id))}
        for variant in {BOTH, HALF} & set(chosen.values()):
            ids = [row_id for row_id, its in chosen.items() if its == variant]
            self.lines.append(Line(self.batches, variant, writer, ids, len(ids)))
        for row_id, variant in chosen.items():
            row = self.rows[row_id]
            row.period, start = DECIDED[row.text]
            row.start, row.writer = start if variant == BOTH else row.start, writer
        return len(chosen)

    def to_undo(self, only):
        """What is taken back together: lines of one variant, backwards, while they make up no more than a batch."""
        lines = [line for line in self.lines if line.ids and only in (None, line.batch)]
        together = []
        for line in sorted(lines, key=lambda line: (line.variant, -line.batch)):
            last = together[-1] if together else []
            fits = last and last[0].variant == line.variant
            if fits and sum(len(one.ids) for one in [*last, line]) <= SIZE:
                last.append(line)
            else:
                together.append([line])
        return together

    def undo_lines(self, lines):
        writer = next(self.writers)
        mine = {
            (line.batch, row_id)
            for line in lines
            for row_id in line.ids
            if row_id in self.rows and self.rows[row_id].writer == line.writer
        }
        for line in lines:
            here = [row_id for row_id in line.ids if (line.batch, row_id) in mine]
            for row_id in here:
                row = self.rows[row_id]
                row.period, row.start = None, None if line.variant == BOTH else row.start
                row.writer = writer
            line.left_alone += [row_id for row_id in line.ids if row_id not in here]
            line.ids, line.undone = [], line.undone + len(here)
        return len(mine)

    def ask(self, question, *, at_work):
        """What asking does; False where it is refused."""
        working, paused = self.state in PAUSED, self.state in WORKING
        if question == "resume" and self.asked == "pause" and at_work:
            self.asked = None
            return True
        allowed = {"pause": working, "resume": paused and at_work}
        if not allowed.get(question, working or paused or self.state == "planned"):
            return False
        if question == "resume":
            self.become(WORKING[self.state])
        elif at_work and self.state != "planned":
            self.asked = question
        elif question == "pause":
            self.become(PAUSED[self.state])
        else:
            self.become("undo_paused" if self.state in {"undoing", "undo_paused"} else "cancelled")
        return True


class KilledError(BaseException):
    """Ends a worker as SIGKILL would, between two batches."""


TEXTS = st.sampled_from([*DECIDED, *DECIDED, *UNDECIDED, None])
HALVES = st.sampled_from(["MORNING", "AFTERNOON", None, None])
IDS = st.integers(1, 16)
WRITES = st.one_of(
    st.tuples(st.just("insert"), IDS, TEXTS, st.one_of(st.none(), HALVES)),
    st.tuples(st.just("text"), IDS, TEXTS),
    st.tuples(st.just("period"), IDS, HALVES),
    st.tuples(st.just("start"), IDS, st.sampled_from(["09:00", None])),
    st.tuples(st.just("note"), IDS),
    st.tuples(st.just("delete"), IDS),
)
EVENTS = st.sampled_from([*[None] * 10, "kill", "pause", "cancel", "pause now", "cancel now"])
SCRIPTS = st.lists(st.tuples(st.lists(WRITES, max_size=3), EVENTS), max_size=8)
WHILE_PAUSED = st.lists(
    st.tuples(st.lists(WRITES, max_size=2), st.sampled_from(["resume", "resume", "cancel", "kill", None])), max_size=3
)
UPDATES = {"text": "preferredTime", "period": "period", "start": "timeSlotStart"}


class Moves(RuleBasedStateMachine):
    """One database for all examples; each begins with an empty ledger."""

    move: ClassVar[Move]
    connection: ClassVar[psycopg.Connection]
    target: ClassVar[object]
    while_paused: ClassVar[Callable[[], None]]

    @classmethod
    def sleep(cls, _seconds):
        cls.while_paused()

    @initialize(texts=st.lists(TEXTS, min_size=6, max_size=14))
    def begin(self, texts):
        self.model = Model()
        self.connection.execute(FRESH)
        for number, text in enumerate(texts, start=1):
            self.write(("insert", number, text, None))

    def write(self, what):
        """The application writes, into the table and into the model."""
        kind, row_id, *values = what
        if (kind == "insert") == (row_id in self.model.rows):
            return
        if kind == "insert":
            text, period = values
            self.model.rows[row_id] = Row(text, period, None, 0, next(self.model.writers))
            self.connection.execute(
                'INSERT INTO reservations (id, "preferredTime", period, note) VALUES (%s, %s, %s, 0)', (row_id, *values)
            )
        elif kind == "delete":
            del self.model.rows[row_id]
            self.connection.execute("DELETE FROM reservations WHERE id = %s", (row_id,))
        elif kind == "note":
            self.model.write(row_id, note=self.model.rows[row_id].note + 1)
            self.connection.execute("UPDATE reservations SET note = note + 1 WHERE id = %s", (row_id,))
        else:
            self.model.write(row_id, **{kind: values[0]})
            self.connection.execute(
                f'UPDATE reservations SET "{UPDATES[kind]}" = %s WHERE id = %s', (values[0], row_id)
            )

    def ask(self, question, *, at_work):
        before = replace(self.model)
        if self.model.ask(question, at_work=at_work):
            getattr(asking, question)(self.connection, self.move.run_id)
        else:
            assert self.model == before
            with pytest.raises(UsageError):
                getattr(asking, question)(self.connection, self.move.run_id)

    def follow(self, script, *, ending):
        """The next line of a script: writes, then a kill or a question; True where it is not to wait for a batch."""
        writes, event = script.pop(0) if script else ([], ending)
        for what in writes:
            self.write(what)
        if event == "kill":
            raise KilledError
        if event:
            self.ask(event.split()[0], at_work=True)
        return bool(event and event.endswith("now"))

    def work(self, do, observe, script, paused, before=lambda: None):
        """Run a worker that is killed where the script says so; return its report."""

        def throttle(_connection):
            before()
            return self.follow(script, ending=None)

        def while_paused():
            self.model.state = PAUSED.get(self.model.state, self.model.state)  # the worker has done what was asked
            self.model.asked = None
            self.follow(paused, ending="resume")

        type(self).while_paused = staticmethod(while_paused)
        times = {"lock_timeout": 0.1, "statement_timeout": 10, "patience": 1}
        with at_work(read_address(self.move.url), "public", **times) as session:
            try:
                return do(Worker(session, self.target, self.move.run_id, 1.0, throttle, observe))
            except KilledError:
                return None

    @rule(script=SCRIPTS, paused=WHILE_PAUSED)
    def apply(self, script, paused):
        self.model.begin()
        swept = False

        def next_sweep():
            nonlocal swept
            if swept:
                assert self.model.waiting() != []
                self.model.sweep += 1
                swept = False

        def observe(batch):
            nonlocal swept
            sweep, number = self.model.sweep, self.model.batches + 1
            assert (batch.number, batch.sweep, batch.changed) == (number, sweep, self.model.apply_batch())
            swept = self.model.cursor is None

        report = self.work(apply, observe, script, paused, before=next_sweep)
        if report is None:
            return
        if self.model.asked == "cancel":
            self.model.become("cancelled")
        else:
            assert swept
            assert self.model.waiting() == []
            self.model.become("applied")
        assert (report.state, report.left) == (self.model.state, 0 if self.model.state == "applied" else None)
        assert report.changed_in_all == sum(line.changed - line.undone for line in self.model.lines)

    @rule(script=SCRIPTS, paused=WHILE_PAUSED, only=st.one_of(st.none(), st.integers(1, 6)))
    def undo(self, script, paused, only):
        if "undoing" not in NEXT[self.model.state]:
            with pytest.raises(UsageError, match="undoing can follow"):
                self.work(undo, None, [], [])
            return
        self.model.become("undoing")
        lines = self.model.to_undo(only)

        def observe(batch):
            some = lines.pop(0)
            assert (batch.number, batch.changed) == (some[0].batch, self.model.undo_lines(some))

        report = self.work(lambda worker: undo(worker, only), observe, script, paused)
        if report is None:
            return
        if self.model.asked != "cancel":
            assert lines == []
        self.model.become("undo_paused" if self.model.asked == "cancel" or self.model.to_undo(None) else "undone")
        assert report.state == self.model.state

    @rule(question=st.sampled_from(["pause", "resume", "cancel"]))
    def ask_while_nobody_works(self, question):
        self.ask(question, at_work=False)

    @rule(what=WRITES)
    def write_while_nobody_works(self, what):
        self.write(what)

    @invariant()
    def table_and_ledger_are_as_the_model_says(self):
        model = self.model
        rows = [(row_id, row.text, row.period, row.start, row.note) for row_id, row in sorted(model.rows.items())]
        assert self.connection.execute(ROWS).fetchall() == rows
        run = model.state, model.asked, model.sweep, model.cursor, model.batches
        assert self.connection.execute(RUN).fetchone() == run
        assert [self.sorted(*line) for line in self.connection.execute(LINES).fetchall()] == [
            (line.batch, line.variant, sorted(line.ids), sorted(line.left_alone), line.changed, line.undone, as_left)
            for line in sorted(model.lines, key=lambda line: (line.batch, line.variant))
            for as_left in [sorted(i for i in line.ids if i in model.rows and model.rows[i].writer == line.writer)]
        ]

    @staticmethod
    def sorted(batch, variant, ids, left_alone, *rest):
        return batch, variant, sorted(ids), sorted(left_alone), *rest


def test_apply_and_undo_do_what_the_model_does(database, monkeypatch):
    for module, name in ((pace, "FEWEST"), (pace, "MOST"), (apply_module, "FIRST_BATCH")):
        monkeypatch.setattr(module, name, SIZE)
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _seconds: None)
    monkeypatch.setattr(apply_module, "time", clock)
    monkeypatch.setattr(worker_module, "time", SimpleNamespace(sleep=Moves.sleep))
    with psycopg.connect(database, autocommit=True) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute(TABLE)
        Moves.connection = connection
        Moves.move = Move(database, seal(Path(folder) / "20261123-101500-3f2a", database), ("period", "slot"))
        with Moves.move.worker() as worker:
            Moves.target = worker.target
        examples = 20 + settings().max_examples // 50
        # The machine's invariant asserts, after every step, that table and ledger are as the model says.
        run_state_machine_as_test(
            Moves, settings=settings(max_examples=examples, stateful_step_count=15, phases=set(Phase) - {Phase.explain})
        )
