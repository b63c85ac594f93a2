"""What apply and undo both need: a session, the table, the run, and who is asked before and told after each batch."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from pipeline.backfill import ledger
from pipeline.backfill.session import Session
from pipeline.backfill.states import State
from pipeline.backfill.target import Target

_POLL_SECONDS = 0.5


class Batch(NamedTuple):
    """What is told of each batch: number, sweep (0: the first), rows it changed, seconds, and how it was written.

    ``rows`` is how many rows of the table it was to cover.
    """

    number: int
    sweep: int
    changed: int
    seconds: float
    rows: int
    skip_locked: bool


Throttle = Callable[[psycopg.Connection[Any]], bool]
"""Returns when the database can bear the next batch, or, with True, when somebody asks to pause or cancel before."""
Observe = Callable[[Batch], None]
Moved = Callable[[State], None]
"""Is told when the run pauses and when it goes on."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One process at work on one run; a batch should last ``seconds``."""

    session: Session
    target: Target
    run_id: str
    seconds: float
    throttle: Throttle
    observe: Observe
    moved: Moved = lambda _state: None


def is_cancelled_while_held(worker: Worker, paused: State, working: State) -> bool:
    """Wait until the database can bear the next batch; True where the run is to be cancelled instead."""
    while worker.session.again(worker.throttle):
        if asks_to_cancel(worker, paused, working):
            return True
    return False


def asks_to_cancel(worker: Worker, paused: State, working: State) -> bool:
    """Do what somebody asked for in the ledger: wait while the run is ``paused``; True where it is to be cancelled."""
    session, run_id = worker.session, worker.run_id

    def line() -> ledger.Line:
        return session.again(lambda connection: ledger.read(connection, run_id))

    if pauses := line().asked == "pause":
        session.again(lambda connection: ledger.reach(connection, run_id, paused))
        worker.moved(paused)
    while (now := line()).state == paused and now.asked != "cancel":
        time.sleep(_POLL_SECONDS)
    if now.asked == "cancel":
        return True
    session.again(lambda connection: ledger.still(connection, run_id, working))
    if pauses:
        worker.moved(working)
    return False
