"""Rows that a run writes a second time: what it had filled in them before stays its own.

A line of the ledger holds good for a row while the line's transaction is the last that wrote it. Where the run itself
writes the row again (its period was filled by the trigger, its service is filled by a batch), the earlier line would no
longer hold; so the batch holds such rows, finds what stands in them, and its own line names that too, in place of the
earlier one. Rows in which nothing to be filled holds anything need none of this.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from pipeline.backfill.batch import Span, hold_query
from pipeline.backfill.notes import settle_held
from pipeline.backfill.target import Target

_CLAIMS = """
SELECT id, batch, variant, filled FROM (
    SELECT batch, variant, filled, writer, unnest(ids) AS id FROM ojeon.batches
    WHERE run_id = %(run)s AND writer = ANY (%(writers)s)
) line JOIN unnest(%(ids)s::text[], %(writers)s::text[]) AS held(id, writer) USING (id, writer)
"""
# A trigger of the table may have kept a row from being written; its earlier line goes on holding good.
_TAKE_OVER = """
WITH written AS (
    SELECT unnest(ids) AS id FROM ojeon.batches WHERE run_id = %(run)s AND batch = %(number)s
), taken AS (
    SELECT batch, variant, array_agg(id) AS ids
    FROM unnest(%(ids)s::text[], %(batches)s::integer[], %(variants)s::text[]) AS claim(id, batch, variant)
    WHERE id IN (SELECT id FROM written) GROUP BY batch, variant
)
UPDATE ojeon.batches b SET
    ids = ARRAY(SELECT unnest(b.ids) EXCEPT SELECT unnest(taken.ids)), changed = b.changed - cardinality(taken.ids)
FROM taken WHERE b.run_id = %(run)s AND b.batch = taken.batch AND b.variant = taken.variant
"""


class Claim(NamedTuple):
    """A row that a line of the ledger holds good for, and the columns that the line filled."""

    id: str
    batch: int
    variant: str
    filled: list[str]


@dataclass(frozen=True, slots=True)
class Held:
    """Rows that this transaction holds, and what the run has filled in them before.

    ``settled`` counts the lines that notes of the trigger became on the way; they took the next numbers.
    """

    ids: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    settled: int = 0

    def by_columns(self) -> Iterator[tuple[frozenset[str], tuple[str, ...]]]:
        """The rows, those together in which the same columns have been filled."""
        filled = {claim.id: frozenset(claim.filled) for claim in self.claims}
        groups = defaultdict(list)
        for row_id in self.ids:
            groups[filled.get(row_id, frozenset())].append(row_id)
        for columns, ids in groups.items():
            yield columns, tuple(ids)


def hold(connection: psycopg.Connection[Any], target: Target, run_id: str, span: Span, *, skip_locked: bool) -> Held:
    """Hold the rows within ``span`` that wait and are not blank until the transaction ends.

    Raises:
        psycopg.errors.LockNotAvailable: somebody else holds one, and ``skip_locked`` is not set.
    """
    rows = connection.execute(hold_query(target, run_id, span, skip_locked=skip_locked)).fetchall()
    if not rows:
        return Held()
    ids, writers = (list(column) for column in zip(*rows, strict=True))
    settled = settle_held(connection, target, run_id, ids)
    found = connection.execute(_CLAIMS, {"run": run_id, "ids": ids, "writers": writers}).fetchall()
    return Held(tuple(ids), tuple(Claim(*row) for row in found), settled)


def take_over(connection: psycopg.Connection[Any], run_id: str, number: int, held: Held) -> None:
    """Take the rows that the batch ``number`` has just written off the lines that held good for them."""
    if held.claims:
        ids, batches, variants, _ = (list(column) for column in zip(*held.claims, strict=True))
        values = {"run": run_id, "number": number, "ids": ids, "batches": batches, "variants": variants}
        connection.execute(_TAKE_OVER, values)
