"""Fresh copies of the invented clinic, alike to the page, and a finished run whose plan covers every one of them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from pipeline.embedded import Server, embedded_postgres

if TYPE_CHECKING:
    from fixtures.clinic.generate import Clinic

# A plan is for one database, so every copy has this name and this oid in turn.
_DATABASE, _OID = "clinic", 99_999
# As a small server of one's own has them; with the defaults of 1 GB of WAL and 128 MB every way is mostly checkpoints.
_SETTINGS = ("shared_buffers=2GB", "max_wal_size=16GB")


@dataclass(frozen=True, slots=True)
class Copies:
    """A server with a clinic of each size to copy from, and the folder of the run."""

    server: Server
    run: Path

    @property
    def url(self) -> str:
        """The address of the copy at hand."""
        return self.server.database_url(_DATABASE)

    def fresh(self, rows: int, *, plan: bool = False) -> None:
        """Replace the copy at hand by one with ``rows`` rows; ``plan`` puts the plan's texts into ``ojeon.plan``."""
        _copy(self.server, rows)
        if plan:
            self._register()
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def _register(self) -> None:
        from pipeline.backfill.apply import inspect, register  # noqa: PLC0415 - no other benchmark needs it
        from pipeline.backfill.plan import find_plan  # noqa: PLC0415

        plan = find_plan(self.run)
        with psycopg.connect(self.url, autocommit=True) as connection:
            register(connection, plan, inspect(connection, plan, ("period",)))


@contextmanager
def copies(sizes: Sequence[int]) -> Iterator[Copies]:
    """Load a clinic of each size (rows), the smaller ones parts of the largest, and run the whole way on that one."""
    from fixtures.clinic.generate import Clinic, generate  # noqa: PLC0415 - numpy only where it is used

    with (
        embedded_postgres(durable=True, settings=_SETTINGS) as server,
        tempfile.TemporaryDirectory(prefix="ojeon-bench-") as folder,
    ):
        largest = generate(max(sizes))
        for size in sizes:
            _load(server, Clinic(largest.reservations.slice(0, size), largest.truth.slice(0, size)), size)
        _copy(server, max(sizes))
        yield Copies(server, _planned(server, Path(folder)))


def _load(server: Server, clinic: "Clinic", rows: int) -> None:
    from fixtures.clinic.load import create, load  # noqa: PLC0415 - numpy only where it is used

    url = server.database_url(_template(rows))
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_template(rows))))
    create(url)
    load(url, clinic)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")  # else whoever reads the rows first has to note that they are there


def _copy(server: Server, rows: int) -> None:
    names = {"copy": sql.Identifier(_DATABASE), "template": sql.Identifier(_template(rows)), "oid": sql.Literal(_OID)}
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {copy}").format(**names))
        connection.execute(
            sql.SQL("CREATE DATABASE {copy} TEMPLATE {template} STRATEGY file_copy OID {oid}").format(**names)
        )


def _template(rows: int) -> str:
    return f"clinic_{rows}"


def _planned(server: Server, folder: Path) -> Path:
    from pipeline.extract import source_of  # noqa: PLC0415 - no other benchmark needs it
    from pipeline.settings import Settings  # noqa: PLC0415
    from pipeline.way import open_run, travel  # noqa: PLC0415

    planned = open_run(Settings(runs=folder), source_of(server.database_url(_DATABASE), None))
    travel(planned, lambda _step: lambda _done, _all: None)
    planned.workbench.close()
    return planned.folder
