"""The SQL of one batch: the statement that changes its rows and the one that takes the change back.

Both are guarded. An update moves a row only while its text is, byte for byte, the one decided on, and its period is
empty. An undo moves a row only while it is as our update left it: a row that anybody has changed since, in any column,
is left alone and named, for nobody can know whether the period is still ours (see ``pipeline.ledger``). Each writes
the ledger line in the same statement, so the two can never disagree.

After each statement a block looks at what became of the rows. Where a trigger wrote something else, or more rows moved
than the batch holds, it raises, and nothing of the file is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.ledger import LEDGER
from pipeline.literals import block, identifier, literal
from pipeline.settings import TableNames


@dataclass(frozen=True, slots=True)
class Target:
    """The live table as SQL names it, and the run that changes it."""

    run_id: str
    schema: str
    table: str
    id: str
    text: str
    period: str

    @classmethod
    def of(cls, names: TableNames, run_id: str) -> "Target":
        """Quote the names of the settings."""
        return cls(
            run_id=literal(run_id),
            schema=identifier(names.table_schema),
            table=identifier(names.table_schema, names.table),
            id=identifier(names.id),
            text=identifier(names.preferred_time),
            period=identifier(names.period),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that get one period: ``rows`` are (text number, id) pairs, ``texts`` holds the raw text of each number."""

    number: int
    period: str | None
    rows: Sequence[tuple[int, str]]
    texts: Mapping[int, str | None]


def update_statement(target: Target, batch: Batch) -> str:
    """Set the period of the batch's rows that still wait for it, and note them in the ledger."""
    period = literal(batch.period)
    return f"""\
WITH {_values(target, batch)}, moved AS (
  UPDATE {target.table} AS r SET {target.period} = {period}
  FROM batch JOIN dictionary USING (text_no)
  WHERE {_same_row(target)}
    AND r.{target.period} IS NULL
  RETURNING {_seen(target, _holds(target, batch))}
), line AS (
  INSERT INTO {LEDGER} AS ledger (run_id, batch, target, target_oid, period, planned, changed)
  SELECT {target.run_id}, {batch.number}, {literal(target.table)}, to_regclass({literal(target.table)}),
    {period}, {len(batch.rows)}, jsonb_object_agg(id, writer)
  FROM moved HAVING count(*) > 0
  ON CONFLICT (run_id, batch) DO UPDATE
  SET changed = ledger.changed || excluded.changed, last_changed_at = now()
), {_NOTED}
SELECT {literal(_title(batch) + ": planned ")} || {len(batch.rows)} || ', changed ' || moved FROM noted;
{_check(target, batch)}"""


def undo_statement(target: Target, batch: Batch) -> str:
    """Empty the period of the rows that this run changed and nobody has changed since; take them off the ledger."""
    line = f"run_id = {target.run_id} AND batch = {batch.number}"
    return f"""\
WITH {_values(target, batch)}, ours AS (
  SELECT id, writer FROM {LEDGER}, jsonb_each_text(changed) AS written(id, writer) WHERE {line}
), moved AS (
  UPDATE {target.table} AS r SET {target.period} = NULL
  FROM batch JOIN dictionary USING (text_no) JOIN ours ON ours.id = batch.id::text COLLATE "C"
  WHERE {_same_row(target)}
    AND r.xmin::text = ours.writer
    AND {_holds(target, batch)}
  RETURNING {_seen(target, f"r.{target.period} IS NULL")}
), line AS (
  UPDATE {LEDGER} AS ledger
  SET changed = ledger.changed - ARRAY(SELECT id FROM moved), last_changed_at = now()
  WHERE {line} AND EXISTS (SELECT FROM moved)
), {_NOTED}, touched AS (
  SELECT count(*) AS rows, ' ' || jsonb_agg(id ORDER BY id)::text AS ids
  FROM (SELECT id FROM ours EXCEPT SELECT id FROM moved) AS rest
)
SELECT {literal(_title(batch) + ": planned ")} || {len(batch.rows)} || ', undone ' || moved
  || ', left alone ' || rows || coalesce(ids, '') FROM noted, touched;
{_check(target, batch)}"""


# The settings last as long as the transaction; the check reads them in the next statement.
_NOTED = """noted AS (
  SELECT count(*) AS moved, set_config('ojeon.moved', count(*)::text, true),
    set_config('ojeon.otherwise', (count(*) FILTER (WHERE NOT as_meant))::text, true),
    set_config('ojeon.tables', coalesce(array_agg(tableoid), '{}')::text, true),
    set_config('ojeon.places', coalesce(array_agg(ctid), '{}')::text, true)
  FROM moved
)"""


def _seen(target: Target, as_meant: str) -> str:
    return f"r.{target.id}::text AS id, r.xmin::text AS writer, ({as_meant}) IS TRUE AS as_meant, r.tableoid, r.ctid"


def _check(target: Target, batch: Batch) -> str:
    table = target.table
    too_many = literal(
        f"{_title(batch)}: more rows of {table} moved than the batch holds, so its ids are not unique. Nothing of this "
        "file was written. Name a unique column as id (OJEON_NAMES__ID) and start a new run."
    )
    otherwise = literal(
        f"{_title(batch)}: a trigger of {table} changes what this plan writes, so nothing of this file was written. "
        "Mend or disable the trigger, then run this file again."
    )
    # An AFTER trigger that changes a row again gives it another place.
    return block(f"""\
BEGIN
  IF current_setting('ojeon.moved')::integer > {len(batch.rows)} THEN
    RAISE EXCEPTION USING MESSAGE = {too_many};
  END IF;
  IF current_setting('ojeon.otherwise')::integer > 0 OR current_setting('ojeon.moved')::integer <> (
    SELECT count(*) FROM {table} AS r
    JOIN unnest(current_setting('ojeon.tables')::oid[], current_setting('ojeon.places')::tid[]) AS place(tableoid, ctid)
      ON r.tableoid = place.tableoid AND r.ctid = place.ctid
  ) THEN
    RAISE EXCEPTION USING MESSAGE = {otherwise};
  END IF;
END
""")


def _title(batch: Batch) -> str:
    return f"batch {batch.number} ({batch.period})"


def _same_row(target: Target) -> str:
    # COLLATE "C" compares bytes, even where the column's own collation takes different texts for the same. Operators
    # on the table's own types are named in full: for those the search path may hold a better match than ours.
    text = f"r.{target.text}"
    return f"""r.{target.id} OPERATOR(pg_catalog.=) batch.id
    AND ({text}::text COLLATE "C" OPERATOR(pg_catalog.=) dictionary.raw OR {text} IS NULL AND dictionary.raw IS NULL)"""


def _holds(target: Target, batch: Batch) -> str:
    return f'r.{target.period}::text COLLATE "C" OPERATOR(pg_catalog.=) {literal(batch.period)}'


def _values(target: Target, batch: Batch) -> str:
    used = sorted({text_no for text_no, _ in batch.rows})
    dictionary = ",\n".join(f"  ({text_no}, {literal(batch.texts[text_no])})" for text_no in used)
    rows = ",\n".join(f"  ({literal(row_id)}, {text_no})" for text_no, row_id in batch.rows)
    # The first line joins with nothing: it gives the list of ids the column's own type, whichever that is, so that
    # the primary key's index is used.
    return f"""\
dictionary(text_no, raw) AS (VALUES
{dictionary}
), batch(id, text_no) AS (VALUES
  ((NULL::{target.table}).{target.id}, 0),
{rows}
)"""
