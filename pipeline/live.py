"""Sessions with the live database, every failure a sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pipeline.address import Address
from pipeline.errors import DatabaseError
from pipeline.refusals import refused_connection, refused_query

WAIT_FOR_LOCKS = "SELECT set_config('lock_timeout', '30s', false) WHERE current_setting('lock_timeout') = '0'"
"""Behind somebody's ALTER TABLE a session would wait in silence; who has set a limit of their own keeps it."""


@contextmanager
def connected(address: Address) -> Iterator[psycopg.Connection]:
    """A session with the database, closed afterwards; statements in it fail with a sentence too.

    Raises:
        DatabaseError: no session came about, or the server refused a statement, or the session was lost.
    """
    try:
        connection = psycopg.connect(address.conninfo, autocommit=True)
    except psycopg.Error as error:
        raise DatabaseError(refused_connection(address.redact(str(error)), address.shown)) from error
    try:
        with connection:
            connection.execute(WAIT_FOR_LOCKS)
            connection.autocommit = False
            yield connection
    except psycopg.Error as error:
        raise DatabaseError(refused_query(error.sqlstate, address.redact(str(error)), address.shown)) from error


def redacted(url: str) -> str:
    """A database URL, or libpq's other form of it, that may be shown.

    >>> redacted("postgresql://me:p:w@host/clinic?sslmode=require"), redacted("host=db password='p w' dbname=clinic")
    ('postgresql://me:…@host/clinic?sslmode=require', 'password=… dbname=clinic host=db')
    """
    if "://" in url:
        return re.sub(r"(?<=[?&]password=)[^&]*", "…", re.sub(r"(?<=//)([^:/@]*):.*@", r"\1:…@", url))
    parts: dict[str, Any] = conninfo_to_dict(url)
    return make_conninfo(**(parts | ({"password": "…"} if "password" in parts else {})))
