"""A rehearsal of a plan with psql, the way an engineer would run it: apply, apply again, undo."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from pipeline.errors import DatabaseError
from pipeline.settings import TableNames

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Rows that each pass changed, and whether the table was the same afterwards, byte for byte."""

    applied: int
    applied_again: int
    undone: int
    restored: bool


def rehearse(url: str, psql: Path, folder: Path, names: TableNames, progress: Progress) -> Rehearsal:
    """Apply the plan in ``folder`` twice and undo it, on a database that may be changed.

    Raises:
        DatabaseError: psql stopped at a file; the message holds its complaint, without details (see the plan's files).
    """
    files = {name: sorted((folder / name).glob("*.sql")) for name in ("updates", "undo")}
    passes = [*files["updates"], *files["updates"], *files["undo"]]
    done = iter(range(1, len(passes) + 1))
    with _connected(url) as connection:
        before, unset = _checksum(connection, names), _unset(connection, names)

        def play(direction: str) -> int:
            was = _unset(connection, names)
            for file in files[direction]:
                _run(psql, url, file)
                progress(next(done), len(passes))
            return was - _unset(connection, names)

        applied, again, undone = play("updates"), play("updates"), -play("undo")
        restored = _checksum(connection, names) == before and _unset(connection, names) == unset
    return Rehearsal(applied, again, undone, restored)


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def _run(psql: Path, url: str, file: Path) -> None:
    # The password goes by the environment: a command line is seen by every user of the machine.
    parameters = psycopg.conninfo.conninfo_to_dict(url)
    password = parameters.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    address = psycopg.conninfo.make_conninfo("", **parameters)
    command = [str(psql), "-X", "-q", "-d", address, "-f", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603
    if done.returncode:
        raise DatabaseError(f"psql stopped at {file.name}: {done.stderr.strip()}")


def _table(names: TableNames) -> sql.Identifier:
    return sql.Identifier(names.table_schema, names.table)


def _unset(connection: psycopg.Connection, names: TableNames) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(_table(names), sql.Identifier(names.period))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _checksum(connection: psycopg.Connection, names: TableNames) -> str:
    """One hash over every column of every row, whatever the rows' order on disk."""
    query = sql.SQL("SELECT md5(string_agg(line, '' ORDER BY line)) FROM (SELECT md5(t::text) AS line FROM {} t) lines")
    row = connection.execute(query.format(_table(names))).fetchone()
    return str(row[0]) if row else ""
