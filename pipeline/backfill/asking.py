"""Asking a worker in another process to pause, go on or stop, by way of the ledger."""

from contextlib import suppress
from typing import Any

import psycopg

from pipeline.backfill import ledger
from pipeline.backfill.session import works_on
from pipeline.backfill.states import State
from pipeline.errors import UsageError

_ASK = "UPDATE ojeon.runs SET asked = %s WHERE run_id = %s AND state = %s"
_WORKING = {State.APPLYING: State.PAUSED, State.UNDOING: State.UNDO_PAUSED}
_PAUSED = {paused: working for working, paused in _WORKING.items()}


def pause(connection: psycopg.Connection[Any], run_id: str) -> str:
    """Let the worker finish its batch and wait. Returns a sentence about what happens now.

    Raises:
        UsageError: the run is not under way.
    """
    line = ledger.read(connection, run_id)
    if line.state not in _WORKING:
        raise UsageError(f"The run {run_id} is {line.state}: there is nothing to pause.")
    if works_on(connection, run_id):
        _ask(connection, line, "pause")
        return f"The worker of {run_id} pauses after its batch. Let it go on with: ojeon resume {run_id}"
    ledger.move(connection, run_id, _WORKING[State(line.state)], "its process was gone")
    return f"Nobody was at work on {run_id} any more; it is paused now."


def resume(connection: psycopg.Connection[Any], run_id: str) -> str:
    """Let a paused worker go on.

    Raises:
        UsageError: the run is not paused, or its process is gone.
    """
    line = ledger.read(connection, run_id)
    asked_to_pause = line.asked == "pause"
    working = State(line.state) if asked_to_pause else _PAUSED.get(State(line.state))
    if working is None:
        raise UsageError(f"The run {run_id} is {line.state}, not paused.")
    if not works_on(connection, run_id):
        verb = "apply" if working == State.APPLYING else "undo"
        who = f"asked to pause {run_id} ended before it did" if asked_to_pause else f"that paused {run_id} is gone"
        raise UsageError(f"The process {who}. Go on with: ojeon {verb} {run_id}")
    if asked_to_pause:
        _ask(connection, line, None)
        return f"The worker of {run_id} goes on; it had not paused yet."
    ledger.move(connection, run_id, working, "resumed")
    return f"The worker of {run_id} goes on."


def cancel(connection: psycopg.Connection[Any], run_id: str) -> str:
    """Let the worker stop for good after its batch; what it has written stays until it is undone.

    Raises:
        UsageError: the run has ended already.
    """
    line = ledger.read(connection, run_id)
    if State(line.state) not in {*_WORKING, *_PAUSED, State.PLANNED}:
        raise UsageError(f"The run {run_id} is {line.state}: there is nothing to cancel.")
    if works_on(connection, run_id) and line.state != State.PLANNED:
        _ask(connection, line, "cancel")
        return (
            f"The worker of {run_id} stops after its batch. What it wrote stays; take it back with: ojeon undo {run_id}"
        )
    if line.state in {State.UNDOING, State.UNDO_PAUSED}:
        ledger.move(connection, run_id, State.UNDO_PAUSED, "cancelled")
        return f"Nobody was at work on {run_id}; its undo stays where it is. Go on with: ojeon undo {run_id}"
    ledger.move(connection, run_id, State.CANCELLED, "")
    return f"{run_id} is cancelled. What it wrote stays; take it back with: ojeon undo {run_id}"


def _ask(connection: psycopg.Connection[Any], line: ledger.Line, what: str | None) -> None:
    """Leave word in the ledger, unless the run has ended or changed its state in this very moment."""
    if not connection.execute(_ASK, (what, line.run_id, line.state)).rowcount:
        now = ledger.read(connection, line.run_id).state
        raise UsageError(f"The run {line.run_id} was {line.state} and became {now} just now. See `ojeon status`.")


def stop_here(connection: psycopg.Connection[Any], run_id: str) -> None:
    """Note in the ledger that its own worker was interrupted, where that can still be noted."""
    with suppress(psycopg.Error, UsageError):
        line = ledger.read(connection, run_id)
        ledger.move(connection, run_id, _WORKING[State(line.state)], "interrupted")
