"""The table of states and its complement, on the ledger of a real database."""

import itertools

import psycopg
import pytest

from pipeline.backfill import ledger
from pipeline.backfill.states import NEXT, State, before
from pipeline.errors import UsageError

# Written out once more, so that an arrow can neither appear nor vanish unseen.
ARROWS = {
    ("planned", "applying"),
    ("planned", "cancelled"),
    ("applying", "applying"),
    ("applying", "paused"),
    ("applying", "cancelled"),
    ("applying", "applied"),
    ("applying", "undoing"),
    ("paused", "applying"),
    ("paused", "cancelled"),
    ("paused", "undoing"),
    ("cancelled", "applying"),
    ("cancelled", "undoing"),
    ("applied", "applying"),
    ("applied", "undoing"),
    ("undoing", "undoing"),
    ("undoing", "undo_paused"),
    ("undoing", "undone"),
    ("undoing", "applying"),
    ("undo_paused", "undoing"),
    ("undo_paused", "undo_paused"),
    ("undo_paused", "applying"),
    ("undone", "applying"),
}
REFUSED = sorted(set(itertools.product(map(str, State), repeat=2)) - ARROWS)
RUN = "20261123-101500-3f2a"
REGISTER = "INSERT INTO ojeon.runs (run_id, plan_sha256, target, target_oid, fills) VALUES (%s, '', 't', 0, '{period}')"


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as opened:
        ledger.create(opened)
        opened.execute(REGISTER, (RUN,))
        yield opened


def be(connection, state):
    connection.execute("UPDATE ojeon.runs SET state = %s, asked = 'pause' WHERE run_id = %s", (state, RUN))


def events(connection):
    return connection.execute("SELECT state, note FROM ojeon.events WHERE run_id = %s ORDER BY at", (RUN,)).fetchall()


def test_the_table_has_these_arrows_and_no_other():
    assert {(str(here), str(there)) for here, following in NEXT.items() for there in following} == ARROWS
    assert set(NEXT) == set(State)
    assert {(str(here), str(there)) for there in State for here in before(there)} == ARROWS


def test_every_arrow_is_taken_noted_and_answers_what_was_asked(connection):
    for number, (here, there) in enumerate(sorted(ARROWS)):
        be(connection, here)
        ledger.move(connection, RUN, State(there), f"step {number}")
        line = ledger.read(connection, RUN)
        assert (line.state, line.asked) == (there, None)
        assert events(connection)[number:] == [(there, f"step {number}")]


def test_whatever_is_no_arrow_is_refused_and_leaves_no_trace(connection):
    assert len(REFUSED) + len(ARROWS) == len(State) ** 2
    for here, there in REFUSED:
        be(connection, here)
        with pytest.raises(UsageError) as caught:
            ledger.move(connection, RUN, State(there))
        may_precede = ", ".join(sorted(earlier for earlier, later in ARROWS if later == there))
        assert f"The run {RUN} is {here}; {there} can follow {may_precede} only" in str(caught.value)
        line = ledger.read(connection, RUN)
        assert (line.state, line.asked) == (here, "pause")
    assert events(connection) == []


def test_the_ledger_itself_knows_no_other_state(connection):
    with pytest.raises(psycopg.errors.CheckViolation):
        be(connection, "finished")


def test_a_run_nobody_began_cannot_be_moved(connection):
    with pytest.raises(UsageError, match="knows nothing of the run another"):
        ledger.move(connection, "another", State.APPLYING)


def test_every_state_can_be_reached_and_none_is_a_dead_end():
    reached = {State.PLANNED}
    while new := {there for here in reached for there in NEXT[here]} - reached:
        reached |= new
    assert reached == set(State)
    assert all(following - {here} for here, following in NEXT.items())
