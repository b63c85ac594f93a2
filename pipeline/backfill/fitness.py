"""Whether a table can take what a move writes, told before anything is written.

That it is there, may be written, has unique ids and can hold the periods is known already (see ``target``).
"""

from typing import Any

import psycopg
from psycopg import sql

from pipeline.backfill.target import SERVICE, SLOT, Target
from pipeline.catalog import holds
from pipeline.errors import DatabaseError
from pipeline.refusals import one_line

_MAKE = """
SELECT (SELECT rulename::text FROM pg_rewrite WHERE ev_class = %(table)s AND ev_type = '2' LIMIT 1),
    (SELECT relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = %(table)s)
        FROM pg_class WHERE oid = %(table)s)
"""
_COMPUTED = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = %s AND attname::text = ANY (%s) AND (attgenerated::text <> '' OR attidentity::text = 'a')
"""
_LATEST = "23:59"
_SERVICES_FIT = """
SELECT bool_and(s.id::{id}::text IS NOT DISTINCT FROM s.id::text
    AND s.name::{name}::text IS NOT DISTINCT FROM s.name::text
    AND (s."durationMinutes" + s."bufferMinutes")::{duration}::text
        IS NOT DISTINCT FROM (s."durationMinutes" + s."bufferMinutes")::text)
FROM {services} s
"""


def refuse_unfit(connection: psycopg.Connection[Any], target: Target) -> None:
    """Refuse a table that is made so that a batch would fail on it, or could not be told from others' writes.

    Raises:
        DatabaseError: it has rules or child tables, or a column cannot hold what is to be written.
    """
    _refuse_make(connection, target)
    for (column,) in connection.execute(_COMPUTED, (target.oid, list(target.columns))).fetchall():
        raise DatabaseError(
            f"PostgreSQL itself computes the column {column!r} of {target.shown}, so nothing can be written to it. "
            "Name the one to write to (OJEON_NAMES__…), or leave it out of the setting fill."
        )
    if SLOT in target.fills and not holds(connection, target.types[target.names.slot_start], _LATEST):
        raise DatabaseError(
            f"The column {target.names.slot_start!r} of {target.shown} is of type "
            f"{target.types[target.names.slot_start]}, which does not hold a start such as {_LATEST} as it is written. "
            "Make it varchar(5), or leave slot out of the setting fill."
        )
    if SERVICE in target.fills:
        _refuse_services(connection, target)


def _refuse_make(connection: psycopg.Connection[Any], target: Target) -> None:
    rule, has_children = connection.execute(_MAKE, {"table": target.oid}).fetchone() or (None, False)
    if rule:
        raise DatabaseError(
            f"The rule {rule!r} of {target.shown} rewrites every UPDATE, so nobody can tell which rows a batch has "
            "changed. Take the rule off, or put a trigger in its place, then apply again."
        )
    if has_children:
        raise DatabaseError(
            f"{target.shown} has child tables, and no index says that an id occurs once in all of them. Name the child "
            "that holds the rows with --table, or make partitions of them."
        )


def _refuse_services(connection: psycopg.Connection[Any], target: Target) -> None:
    names = target.names
    services = sql.Identifier(names.table_schema, names.services)
    shown = services.as_string(None)
    there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (shown,)).fetchone()
    if not (there and there[0]):
        raise DatabaseError(
            f"There is no table {shown} of services. Name it with OJEON_NAMES__SERVICES, or leave service out of the "
            "setting fill."
        )
    query = sql.SQL(_SERVICES_FIT).format(
        services=services,
        id=target.type_of(names.service_id),
        name=target.type_of(names.service_name),
        duration=target.type_of(names.estimated_duration),
    )
    why = "a value comes back as another"
    try:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            row = connection.execute(query).fetchone()
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            raise
        row, why = (False,), one_line(str(error))
    if row and row[0] is False:
        raise DatabaseError(
            f"The services in {shown} do not fit into the columns of {target.shown} ({why}). Mend the types, or leave "
            "service out of the setting fill."
        )
