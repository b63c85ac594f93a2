"""The ledger of a plan's files, ``ojeon.file_batches``: one line a batch, the rows it changed and has not undone.

Beside each row's id stands the transaction that wrote it, PostgreSQL's ``xmin``. Whoever changes the row afterwards, in
whatever column and to whatever value, gives it another, so undo can tell rows nobody has touched since. Freezing keeps
``xmin`` as it was (since PostgreSQL 9.4); rewriting the table (``ALTER COLUMN … TYPE``, dump and restore) renews it for
all rows, and they are then left alone. It has 32 bits: a row changed by another exactly 2³² transactions later would
pass for ours, if its text and period were the same, too.
"""

from pipeline.literals import block, literal

LEDGER = "ojeon.file_batches"
# Plan files take turns, so that two people applying plans cannot run into a deadlock. Any number of our own will do.
TAKE_TURNS = f"SELECT FROM pg_advisory_xact_lock({int.from_bytes(b'ojeon', 'big')});\n"

_COLUMNS = {
    "run_id": "text",
    "batch": "integer",
    "target": "text",
    "target_oid": "oid",
    "period": "text",
    "planned": "integer",
    "changed": "jsonb",
    "first_changed_at": "timestamp with time zone",
    "last_changed_at": "timestamp with time zone",
}
_SHAPE = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_DEFAULTS = dict.fromkeys(("first_changed_at", "last_changed_at"), " DEFAULT now()")
_DEFINITIONS = ",\n".join(f"      {name} {kind} NOT NULL{_DEFAULTS.get(name, '')}" for name, kind in _COLUMNS.items())

_IS_OURS = f"""\
  IF (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE attrelid = to_regclass('{LEDGER}') AND relkind = 'r' AND attnum > 0 AND NOT attisdropped)
     IS DISTINCT FROM {literal(_SHAPE)} THEN
    RAISE EXCEPTION '{LEDGER} is not a ledger that this plan can use. Rename it if it is yours, then run updates/0000_ledger.sql; a plan of another version is undone by its own files.';
  END IF;
  IF has_table_privilege('public', '{LEDGER}', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') THEN
    RAISE EXCEPTION 'Everybody may write {LEDGER}, so it cannot be trusted: REVOKE ALL ON {LEDGER} FROM PUBLIC, then look through it.';
  END IF;
"""  # noqa: E501 - sentences for people stay whole

# CREATE SCHEMA IF NOT EXISTS asks for the right to create even where the schema exists, hence the question first.
CREATE_LEDGER = block(f"""\
BEGIN
  IF to_regclass('{LEDGER}') IS NULL THEN
    CREATE SCHEMA IF NOT EXISTS ojeon;
    CREATE TABLE {LEDGER} (
{_DEFINITIONS},
      PRIMARY KEY (run_id, batch)
    );
    COMMENT ON TABLE {LEDGER} IS
      'changed: rows this run wrote and has not undone, each with its transaction (xmin). Undo needs these lines.';
    REVOKE ALL ON SCHEMA ojeon FROM PUBLIC;
    REVOKE ALL ON {LEDGER} FROM PUBLIC;
  END IF;
{_IS_OURS}END
""")


def check_ledger(run_id: str, table: str, without_ledger: str) -> str:
    """Write the block that stops a file unless the ledger is ours and speaks of this very table.

    Args:
        run_id: the run, as a literal.
        table: the target's schema and name, quoted.
        without_ledger: what to tell people where there is no ledger at all.
    """
    target = literal(table)
    missing = literal(f"There is no ledger in this database: {without_ledger}.")
    no_table = literal(f"There is no table {table} in this database. Is this the database the run read?")
    another = literal(
        f"The ledger's lines of this run are about another table than today's {table} (it was renamed, made anew or "
        "restored), so what this run wrote cannot be told. Nothing was changed."
    )
    begun = literal(
        "This run is in the hands of `ojeon apply` on this database: go on, or take it back with `ojeon undo`, not "
        "with its files. Nothing was changed."
    )
    return block(f"""\
BEGIN
  IF to_regclass('{LEDGER}') IS NULL THEN
    RAISE EXCEPTION USING MESSAGE = {missing};
  END IF;
{_IS_OURS}  IF to_regclass({target}) IS NULL THEN
    RAISE EXCEPTION USING MESSAGE = {no_table};
  END IF;
  IF to_regclass('ojeon.runs') IS NOT NULL THEN
    IF EXISTS (SELECT FROM ojeon.runs WHERE run_id = {run_id}) THEN
      RAISE EXCEPTION USING MESSAGE = {begun};
    END IF;
  END IF;
  IF EXISTS (SELECT FROM {LEDGER} WHERE run_id = {run_id}
             AND (target <> {target} OR target_oid <> to_regclass({target}))) THEN
    RAISE EXCEPTION USING MESSAGE = {another};
  END IF;
END
""")
