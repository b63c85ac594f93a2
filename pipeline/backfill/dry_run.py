"""The very SQL that apply would run, with the ids of its first batch; nothing is written."""

from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import psycopg
from psycopg import ClientCursor, sql

from pipeline.backfill import ledger
from pipeline.backfill.apply import ADVANCE, FIRST_BATCH, REGISTER, inspect, registration
from pipeline.backfill.batch import Span, bound, bound_query, fill_statement, hold_query
from pipeline.backfill.plan import LOAD, Plan
from pipeline.backfill.session import Session


def dry_run(session: Session, plan: Plan, fills: tuple[str, ...]) -> Iterator[str]:
    """Yield the SQL, piece by piece, after the same checks as apply.

    Raises:
        UsageError: what apply would refuse.
        DatabaseError: the table lacks what is to be filled.
    """
    connection = session.connection
    target = inspect(connection, plan, fills)
    line = ledger.find(connection, plan.run_id)
    for setting in session.settings():
        yield _spelt(connection, setting)
    if line is None:
        if not ledger.exists(connection):
            yield ledger.SCHEMA.strip()
        yield _spelt(connection, REGISTER, registration(plan, target))
        texts = sum(1 for _ in plan.entries())
        yield f"{LOAD};  -- the {texts} texts of dictionary.jsonl"
    after, number = (line.cursor, line.batches + 1) if line else (None, 1)
    span = Span(after, bound(connection, target, after, FIRST_BATCH))
    yield "-- From here on once a batch; the number of rows follows the time that batches take.\n" + _spelt(
        connection, bound_query(target, after, FIRST_BATCH)
    )
    yield "BEGIN;"
    if target.in_steps:
        yield "-- Rows that this finds are filled by the same statements, by their ids.\n" + _spelt(
            connection, hold_query(target, plan.run_id, span, skip_locked=False)
        )
    for variant in target.variants(plan.run_id):
        yield _spelt(connection, fill_statement(target, variant, plan.run_id, number, span, skip_locked=False))
    yield _spelt(connection, ADVANCE, {"cursor": span.upto, "number": number, "run": plan.run_id})
    yield "COMMIT;"


def _spelt(connection: psycopg.Connection[Any], query: sql.Composed | str, values: Any = None) -> str:
    """A statement with its values in place, as psql would take it."""
    text = query if isinstance(query, str) else query.as_string(connection)
    whole = text if values is None else ClientCursor(connection).mogrify(text, values)
    return dedent(whole).strip().rstrip(";") + ";"
