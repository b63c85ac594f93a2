"""A row's fingerprint: 64 bits in which a change of any of its columns shows, taken by the server itself.

It is as exact as the columns' bytes: a type whose own hash calls different bytes equal (numbers with and without
trailing zeros, texts of some collations), or that has none, is hashed as text. Such a text may depend on the session;
``session_settings`` are what it depends on.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

ENUM = "enum "
"""Before the name of a type that is one."""
_HASHED_AS_THEY_ARE = {
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "date",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
}
_TEXT = '# coalesce(hashtextextended({column}::text COLLATE "C", {number}), {number})'
_SETTINGS = ("DateStyle", "IntervalStyle", "TimeZone", "bytea_output", "extra_float_digits")


def fingerprint(columns: Mapping[str, str]) -> sql.Composable:
    """The expression for the fingerprint over ``columns``, names and types; NULL where there are none.

    The columns of one row are told apart by the seed of their hash. All at once as one record would cost a half more.
    """
    if not columns:
        return sql.SQL("NULL::bigint")
    as_they_are = [name for name, its_type in columns.items() if _is_hashed_as_it_is(its_type)]
    record = sql.SQL(", ").join(map(sql.Identifier, as_they_are))
    texts = [
        sql.SQL(_TEXT).format(column=sql.Identifier(name), number=sql.Literal(number))
        for number, name in enumerate(sorted(columns.keys() - set(as_they_are)), 1)
    ]
    return sql.SQL("hash_record_extended(ROW({}), 0) {}").format(record, sql.SQL(" ").join(texts))


def session_settings(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The settings of the session that a fingerprint may depend on."""
    query = "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)"
    return dict(connection.execute(query, (list(_SETTINGS),)).fetchall())


def _is_hashed_as_it_is(its_type: str) -> bool:
    return its_type in _HASHED_AS_THEY_ARE or its_type.startswith(ENUM)
