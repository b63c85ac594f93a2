"""Where the live database is: a URL as ORMs write it, or what libpq finds in its environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pipeline.errors import UsageError
from pipeline.settings import TableNames

_CONNECT_SECONDS = 10
_ENVIRONMENT = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER")
_SCHEME = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)  # SQLAlchemy names a driver after the plus
_PORTS = re.compile(r"(\d+(,\d+)*)?")


@dataclass(frozen=True, slots=True)
class Address:
    """A database to connect to. ``conninfo`` is for libpq and may hold a password; ``schema`` is the URL's own."""

    conninfo: str = field(repr=False)
    schema: str | None = None

    @property
    def shown(self) -> str:
        """User, host, port and database for people, without the password.

        >>> read_address("postgresql://me:secret@db.example:5433/clinic?connection_limit=5").shown
        'me@db.example:5433/clinic'
        """
        parts = {**_defaults(), **conninfo_to_dict(self.conninfo)}
        if parts.get("service"):
            return f"the service {parts['service']}"
        host = parts.get("host") or parts.get("hostaddr") or "localhost"
        user = parts.get("user") or ""
        return f"{user}@{host}:{parts.get('port') or 5432}/{parts.get('dbname') or user}"

    def redact(self, words: str) -> str:
        """Take the password out of what a server or a driver has said."""
        for secret in (conninfo_to_dict(self.conninfo).get("password"), os.environ.get("PGPASSWORD")):
            words = words.replace(str(secret), "…") if secret else words
        return words


def read_address(url: str | None, environment: Mapping[str, str] = os.environ) -> Address:
    """Read ``url``, else ``DATABASE_URL``, else leave it to libpq (``PGSERVICE``, ``PGHOST``, …, ``~/.pgpass``).

    Parameters that only an ORM understands (``connection_limit``, ``pgbouncer``, …) are left out.

    Raises:
        UsageError: no database is named, or the URL cannot be read; it is not repeated, for it may hold a password.
    """
    given = url or environment.get("DATABASE_URL")
    if given:
        server, parameters = _take_apart(given)
        known = {name: value for name, value in parameters.items() if name in _defaults()}
        return Address(_conninfo({**server, **known}), parameters.get("schema") or None)
    if any(environment.get(name) for name in _ENVIRONMENT):
        return Address(_conninfo({}))
    raise UsageError(
        "No database is named. Give --database-url postgresql://USER@HOST/DATABASE or set DATABASE_URL, or PGSERVICE, "
        "or PGHOST; --dump FILE reads a CSV or Parquet file instead."
    )


def _take_apart(url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The URL without its parameters as libpq reads it, and the parameters by name."""
    scheme = _SCHEME.match(url)
    if "://" in url and not scheme:
        raise UsageError(
            "The database URL does not begin with postgresql://. Only a PostgreSQL database can be read, and only "
            "directly, not through a proxy of its own protocol."
        )
    if not scheme:  # libpq's other form: host=… dbname=…
        return _parsed(url), {}
    # Nothing is said about where a password with a question mark in it ends: the parameters follow the last @.
    start = url.find("?", url.rfind("@") + 1)
    plain, query = (url, "") if start < 0 else (url[:start], url[start + 1 :])
    return _parsed("postgresql://" + plain[scheme.end() :]), dict(parse_qsl(query.replace("+", "%2B")))


def _parsed(text: str) -> dict[str, Any]:
    try:
        parts: dict[str, Any] = conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        parts = {"port": "unreadable"}
    # An unescaped sign in the password makes libpq take pieces of it for the port or the database.
    if not _PORTS.fullmatch(str(parts.get("port", ""))) or "@" in str(parts.get("dbname", "")):
        raise UsageError(
            "The database URL cannot be read; it is not repeated here because it may hold a password. It looks like "
            "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with any of / @ : ? # % in the password written as %2F "
            "%40 %3A %3F %23 %25."
        ) from None
    return parts


def _conninfo(parts: dict[str, Any]) -> str:
    if not os.environ.get("PGCONNECT_TIMEOUT"):
        parts = {"connect_timeout": _CONNECT_SECONDS, **parts}
    return make_conninfo(**{**parts, "client_encoding": "UTF8", "fallback_application_name": "ojeon"})


def _defaults() -> dict[str, str | None]:
    """Every name libpq knows, with what its environment gives it."""
    options = pq.Conninfo.get_defaults()
    return {option.keyword.decode(): option.val.decode() if option.val else None for option in options}


def in_schema(names: TableNames, source: Address | Path) -> TableNames:
    """``names`` with the schema of the URL's ``?schema=``, unless a setting names one."""
    if isinstance(source, Path) or source.schema is None or "table_schema" in names.model_fields_set:
        return names
    return names.model_copy(update={"table_schema": source.schema})
