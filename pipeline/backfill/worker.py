"""What apply and undo both need: a session, the table, the run, and who is asked before and told after each batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from pipeline.backfill.session import Session
from pipeline.backfill.target import Target


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


Throttle = Callable[[psycopg.Connection[Any]], None]
"""Returns when the database can bear the next batch."""
Observe = Callable[[Batch], None]


@dataclass(frozen=True, slots=True)
class Worker:
    """One process at work on one run; a batch should last ``seconds``."""

    session: Session
    target: Target
    run_id: str
    seconds: float
    throttle: Throttle
    observe: Observe
