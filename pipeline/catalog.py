"""What PostgreSQL's catalog tells about the live table: its columns, their types, and whether we may read them."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from parsers.types import Period
from pipeline.columns import absent_columns, meant, missing_column, named
from pipeline.errors import DatabaseError
from pipeline.fingerprint import ENUM
from pipeline.settings import TableNames

_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}
_WRITABLE = "rp"
_HASHES_ROWS_SINCE = 140_000
_TABLE = """
SELECT c.oid, c.relkind::text, has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind::text = ANY (%s)
"""
_COLUMNS = """
SELECT a.attname::text,
    CASE WHEN t.typtype = 'e' THEN format('%%I.%%I', n.nspname, t.typname) ELSE format_type(a.atttypid, NULL) END,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT'), a.attgenerated::text <> '', t.typtype = 'e'
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PERIOD = """
SELECT format_type(a.atttypid, a.atttypmod), a.attgenerated::text <> '' OR a.attidentity::text = 'a'
FROM pg_catalog.pg_attribute a WHERE a.attrelid = %s AND a.attname = %s
"""
_UNIQUE = """
SELECT count(*) > 0
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = %s AND a.attname = %s
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indnkeyatts = 1 AND i.indpred IS NULL
"""
_TABLES = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind::text = ANY (%s) AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class LiveTable:
    """The table as it is. ``types`` names the type of each column that is there, by setting (``id``, ``period``, …).

    ``old_columns`` are those to take a row's fingerprint over, names and types: all but what a move fills, the id and
    the text themselves, what this role may not read and what PostgreSQL computes.
    ``unique_id`` tells whether an index promises that no id occurs twice; ``unwritable`` why no plan can be applied to
    this table (None: it can); ``notices`` are sentences for people.
    """

    names: TableNames
    kind: str
    types: dict[str, str]
    old_columns: dict[str, str]
    unique_id: bool
    unwritable: str | None
    notices: tuple[str, ...]


def look_up(connection: psycopg.Connection, names: TableNames) -> LiveTable:
    """Find the table and the columns that ``names`` names.

    Raises:
        DatabaseError: the table, its id or its text is missing, we may not read them, or a row-level policy would hide
            rows from us.
    """
    found = connection.execute(_TABLE, (names.table_schema, names.table, list(_KINDS))).fetchone()
    if found is None:
        raise DatabaseError(_missing_table(connection, names))
    oid, kind, may_enter, some_hidden = found
    found_columns = connection.execute(_COLUMNS, (oid,)).fetchall()
    columns = {name: (its_type, may) for name, its_type, may, *_ in found_columns}
    if sentence := missing_column(names, columns, f"The {_KINDS[kind]} {_quoted(names)}"):
        raise DatabaseError(sentence)
    wanted = {setting: name for setting, name in named(names).items() if name in columns}
    if not (may_enter and all(columns[name][1] for name in wanted.values())):
        raise DatabaseError(_no_right(connection, names, list(wanted.values())))
    if some_hidden:
        raise DatabaseError(
            f"Row-level security hides rows of {_quoted(names)} from the role {connection.info.user}, so not every row "
            "could be accounted for. Connect as the table's owner or as a role with BYPASSRLS."
        )
    unique = connection.execute(_UNIQUE, (oid, names.id)).fetchone()
    return LiveTable(
        names=names,
        kind=_KINDS[kind],
        types={setting: columns[name][0] for setting, name in wanted.items()} | _updated_at(names, columns),
        old_columns=_old_columns(connection, names, found_columns),
        unique_id=bool(unique and unique[0]),
        unwritable=_why_unwritable(connection, names, oid, kind),
        notices=(*absent_columns(names, columns), *_unread(names, columns)),
    )


def _old_columns(
    connection: psycopg.Connection, names: TableNames, columns: Iterable[tuple[str, str, bool, bool, bool]]
) -> dict[str, str]:
    if connection.info.server_version < _HASHES_ROWS_SINCE:
        return {}
    left_out = {*names.fillable, names.id, names.preferred_time}
    return {
        name: ENUM + its_type if is_enum else its_type
        for name, its_type, may, computed, is_enum in columns
        if may and not computed and name not in left_out
    }


def _unread(names: TableNames, columns: dict[str, tuple[str, bool]]) -> tuple[str, ...]:
    """A sentence about the columns that no fingerprint can cover because they may not be read."""
    hidden = sum(not may for _, may in columns.values())
    if not hidden:
        return ()
    sentence = (
        f"This role may read {len(columns) - hidden} of the {len(columns)} columns of {_quoted(names)}, so "
        "`ojeon verify` will compare no others. Grant it SELECT on the table and run again to have all compared."
    )
    return (sentence,)


def _updated_at(names: TableNames, columns: dict[str, tuple[str, bool]]) -> dict[str, str]:
    """Its type, where it is there and may be read: a plan can do without."""
    its_type, may = columns.get(names.updated_at, ("", False))
    return {"updated_at": its_type} if may else {}


def _why_unwritable(connection: psycopg.Connection, names: TableNames, oid: int, kind: str) -> str | None:
    """A sentence about what keeps a plan from being applied to the table, whoever applies it."""
    if kind not in _WRITABLE:
        return f"{_quoted(names)} is a {_KINDS[kind]}, and a plan changes tables. Name the table under it with --table."
    found = connection.execute(_PERIOD, (oid, names.period)).fetchone()
    column = f"column {names.period!r} of {_quoted(names)}"
    if found is None:
        return f"There is no {column} yet. Add it, nullable and of the type it is to keep, then run again."
    its_type, computed = found
    if computed:
        return f"PostgreSQL itself computes the {column}. Name the one to write to with OJEON_NAMES__PERIOD."
    if lost := [period.value for period in Period if not holds(connection, its_type, period.value)]:
        return (
            f"The {column} is of type {its_type}, which cannot hold {' and '.join(lost)}. "
            "Widen the type or add the enum's missing labels, then run again."
        )
    return None


def holds(connection: psycopg.Connection, its_type: str, value: str) -> bool:
    """Whether a value comes back out of a type as it went in; asking the type itself knows enums, lengths, domains."""
    query = sql.SQL("SELECT {value}::{type}::text = {value}").format(
        value=sql.Literal(value),
        type=sql.SQL(its_type),  # as the catalog spells it, quoted where it must be
    )
    try:
        with connection.transaction():
            row = connection.execute(query).fetchone()
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError):
        return False
    return bool(row and row[0])


def _quoted(names: TableNames) -> str:
    return sql.Identifier(names.table_schema, names.table).as_string(None)


def _missing_table(connection: psycopg.Connection, names: TableNames) -> str:
    tables: list[tuple[str, str]] = connection.execute(_TABLES, (list(_KINDS),)).fetchall()
    here = [table for schema, table in tables if schema == names.table_schema]
    elsewhere = [schema for schema, table in tables if table == names.table]
    if near := meant(names.table, here):
        hint = f"Did you mean {near!r}? Give it with --table {near}"
    elif elsewhere:
        hint = f"There is one in the schema {elsewhere[0]!r}: give it with --schema {elsewhere[0]}"
    else:
        listed = ", ".join(here[:12]) or "no table that this role can see"
        hint = f"The schema {names.table_schema!r} holds {listed}. Name the right one with --schema and --table"
    return f"There is no table {_quoted(names)} in the database {connection.info.dbname}. {hint}."


def _no_right(connection: psycopg.Connection, names: TableNames, columns: list[str]) -> str:
    grant = sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {table} TO {role};").format(
        schema=sql.Identifier(names.table_schema),
        role=sql.Identifier(connection.info.user),
        table=sql.Identifier(names.table_schema, names.table),
    )
    return (
        f"The role {connection.info.user} may not read {_quoted(names)}. A plan needs {', '.join(columns)}, and "
        "`ojeon verify` compares only what could be read. The owner can allow the whole table: "
        f"{grant.as_string(connection)}"
    )
