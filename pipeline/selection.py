"""The one query that reads the live table, every name quoted and every column in the workbench's form."""

from collections.abc import Iterator
from typing import LiteralString

from psycopg import sql

from pipeline.catalog import LiveTable
from pipeline.fingerprint import fingerprint
from pipeline.settings import TableNames

# A day or moment that DuckDB and Python cannot hold (infinity, years before 1 or after 9999) counts as not given.
# Moments are kept in UTC; a day of a moment is the day in the session's own time zone, as for every other client.
_DAY = "CASE WHEN {column} BETWEEN '0001-01-02' AND '9999-12-30' THEN {column}::date END"
_MOMENT = "CASE WHEN {column} BETWEEN '0001-01-02' AND '9999-12-30' THEN {column}::timestamp END"
_INSTANT = "CASE WHEN {column} BETWEEN '0001-01-02' AND '9999-12-30' THEN {column} AT TIME ZONE 'UTC' END"
_DAYS = dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), _DAY)
_MOMENTS = {
    "date": _MOMENT,
    "timestamp without time zone": _MOMENT,
    "timestamp with time zone": _INSTANT,
}


def table_of(names: TableNames) -> sql.Identifier:
    """The table's quoted name with its schema."""
    return sql.Identifier(names.table_schema, names.table)


def selection(table: LiveTable) -> sql.Composed:
    """Select what the workbench's reservations hold; columns that are not there are NULL."""
    names, types = table.names, table.types
    expressions = {
        "id": sql.SQL("{}::text").format(sql.Identifier(names.id)),
        "raw": sql.SQL("{}::text").format(sql.Identifier(names.preferred_time)),
        "preferred_date": day(names.preferred_date, types.get("preferred_date", "")),
        "created_at": moment(names.created_at, types.get("created_at", "")),
        "current_period": sql.SQL("{}::text").format(sql.Identifier(names.period) if "period" in types else sql.NULL),
        "fingerprint": fingerprint(table.old_columns),
        "updated_at": moment(names.updated_at, types.get("updated_at", "")),
    }
    named = [sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in expressions.items()]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(named), table_of(names))


def day(column: str, its_type: str) -> sql.Composed:
    """The day in a column; NULL where its type holds none."""
    return _when(column, _DAYS.get(its_type), "date")


def moment(column: str, its_type: str) -> sql.Composed:
    """The moment in a column, in UTC where its type has a zone; NULL where its type holds none."""
    return _when(column, _MOMENTS.get(its_type), "timestamp")


def _when(column: str, expression: LiteralString | None, its_type: LiteralString) -> sql.Composed:
    if expression is None:
        return sql.SQL("NULL::{}").format(sql.SQL(its_type))
    return sql.SQL(expression).format(column=sql.Identifier(column))


def unread_columns(table: LiveTable) -> Iterator[str]:
    """A sentence about each column whose type holds neither a day nor a moment."""
    for setting, known in (("preferred_date", _DAYS), ("created_at", _MOMENTS)):
        its_type = table.types.get(setting)
        if its_type is not None and its_type not in known:
            name = getattr(table.names, setting)
            yield f"The column {name!r} is of type {its_type}, no date; it counts as empty in every row."
