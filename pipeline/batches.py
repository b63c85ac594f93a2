"""The SQL of one batch: the statement that changes its rows and the one that takes the change back.

Both are guarded: a row moves only while its text is, byte for byte, the one decided on, and its period is what the
statement expects. Each writes the ledger line in the same statement, so the two can never disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.literals import identifier, literal
from pipeline.settings import TableNames

LEDGER = "ojeon.batches"

# CREATE SCHEMA IF NOT EXISTS asks for the right to create even where the schema exists, hence the question first.
CREATE_LEDGER = f"""\
DO $ledger$
BEGIN
  IF to_regclass('{LEDGER}') IS NULL THEN
    CREATE SCHEMA IF NOT EXISTS ojeon;
    CREATE TABLE {LEDGER} (
      run_id text NOT NULL,
      batch integer NOT NULL,
      period text,
      planned integer NOT NULL,
      ids text[] NOT NULL,
      first_changed_at timestamptz NOT NULL DEFAULT now(),
      last_changed_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (run_id, batch)
    );
    COMMENT ON TABLE {LEDGER} IS 'ids: rows this run changed and has not undone. undo/*.sql needs these lines.';
  END IF;
END
$ledger$;
"""


@dataclass(frozen=True, slots=True)
class Target:
    """The live table as SQL names it, and the run that changes it."""

    run_id: str
    table: str
    id: str
    text: str
    period: str

    @classmethod
    def of(cls, names: TableNames, run_id: str) -> "Target":
        """Quote the names of the settings."""
        return cls(
            run_id=literal(run_id),
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
    """Set the period of the batch's rows that still wait for it, and note their ids in the ledger."""
    return f"""\
WITH {_values(target, batch)}, changed AS (
  UPDATE {target.table} AS r SET {target.period} = {literal(batch.period)}
  FROM batch JOIN dictionary USING (text_no)
  WHERE {_same_row(target)}
    AND r.{target.period} IS NULL
  RETURNING r.{target.id}::text AS id
), line AS (
  INSERT INTO {LEDGER} AS ledger (run_id, batch, period, planned, ids)
  SELECT {target.run_id}, {batch.number}, {literal(batch.period)}, {len(batch.rows)}, array_agg(id)
  FROM changed HAVING count(*) > 0
  ON CONFLICT (run_id, batch) DO UPDATE
  SET ids = ARRAY(SELECT unnest(ledger.ids) UNION SELECT unnest(excluded.ids)), last_changed_at = now()
)
SELECT {literal(_title(batch) + ": planned ")} || {len(batch.rows)} || ', changed ' || count(*) FROM changed;
"""


def undo_statement(target: Target, batch: Batch) -> str:
    """Empty the period of the rows that this run changed and nobody has changed since; take them off the ledger."""
    line = f"run_id = {target.run_id} AND batch = {batch.number}"
    return f"""\
WITH {_values(target, batch)}, ours(id) AS (
  SELECT unnest(ids) FROM {LEDGER} WHERE {line}
), undone AS (
  UPDATE {target.table} AS r SET {target.period} = NULL
  FROM batch JOIN dictionary USING (text_no) JOIN ours ON ours.id = batch.id::text COLLATE "C"
  WHERE {_same_row(target)}
    AND r.{target.period}::text COLLATE "C" = {literal(batch.period)}
  RETURNING r.{target.id}::text AS id
), line AS (
  UPDATE {LEDGER} AS ledger
  SET ids = ARRAY(SELECT unnest(ledger.ids) EXCEPT SELECT id FROM undone), last_changed_at = now()
  WHERE {line} AND EXISTS (SELECT FROM undone)
)
SELECT {literal(_title(batch) + ": planned ")} || {len(batch.rows)} || ', undone ' || count(*)
  || ', left alone ' || (SELECT count(*) FROM ours) - count(*) FROM undone;
"""


def _title(batch: Batch) -> str:
    return f"batch {batch.number} ({batch.period})"


def _same_row(target: Target) -> str:
    # COLLATE "C" compares bytes, even where the column's own collation takes different texts for the same.
    return f"""r.{target.id} = batch.id
    AND r.{target.text}::text COLLATE "C" IS NOT DISTINCT FROM dictionary.raw"""


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
