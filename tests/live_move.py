"""A live table, a sealed plan for it, and what the two must agree on after a move."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from parsers import Policy, decide
from pipeline import dictionary, manifest
from pipeline.address import read_address
from pipeline.backfill.apply import ApplyReport, apply, inspect, register
from pipeline.backfill.plan import read_plan
from pipeline.backfill.session import at_work
from pipeline.backfill.undo import UndoReport, undo
from pipeline.backfill.worker import Batch, Worker
from pipeline.settings import Settings, TableNames

Decided = Mapping[str, tuple[str, str | None]]
"""Texts with their period and, where the text gives one, the start of the slot."""

DECIDED: Decided = {
    "오전 10시": ("MORNING", "10:00"),
    "14:00": ("AFTERNOON", "14:00"),
    "오후": ("AFTERNOON", None),
    "it's 9:30 ' \\ \t\n": ("MORNING", "09:30"),
}
UNDECIDED = ("아무때나", "")
OJEON = Path(sys.executable).with_name("ojeon")
AT_WORK = """SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"""
NOBODY_AT_WORK = AT_WORK.replace("> 0", "= 0")

_NOT_AS_LEFT = """
SELECT b.batch, b.variant, b.id FROM (SELECT *, unnest(ids) AS id FROM ojeon.batches) b
WHERE NOT EXISTS (SELECT FROM {table} r WHERE r.{id}::text = b.id AND r.xmin::text = b.writer)
"""


def decisions(texts: list[str | None]) -> dict[str, tuple[str, str | None]]:
    """What the parsers decide for ``texts``, as a run would plan it."""
    made = {text: decide(text, Policy()) for text in set(texts) if text is not None}
    return {
        text: (decision.period.value, decision.start)
        for text, decision in made.items()
        if decision.disposition == "AUTO" and decision.period
    }


def seal(folder: Path, url: str, decided: Decided = DECIDED, names: TableNames | None = None, **changes: Any) -> Path:
    """Write the folder of a finished run that read the database at ``url``; ``changes`` replace the manifest's."""
    folder.mkdir()
    with psycopg.connect(url) as connection:
        query = "SELECT current_database()::text, system_identifier::text FROM pg_control_system()"
        database, system = connection.execute(query).fetchone() or ("", "")
    with (folder / dictionary.FILE_NAME).open("w", encoding="utf-8", newline="\n") as file:
        for text, (period, start) in sorted(decided.items()):
            entry = dictionary.Entry(text, period, start, "clock", 0.99, 1)
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
    content = {
        "run": folder.name,
        "source": {"kind": "postgresql", "database": database, "system_identifier": system},
        "apply": "allowed",
        "why": "every check passed",
        "plan": {"rows": len(decided)},
        "settings": Settings(names=names or TableNames()).model_dump(mode="json"),
    }
    manifest.write(folder, content | changes)
    return folder


def reseal(folder: Path) -> None:
    """Write the manifest anew over the files that are there now, as a forger would."""
    content = manifest.read(folder)
    del content["seal"]
    manifest.write(folder, content)


@dataclass(frozen=True, slots=True)
class Move:
    """A sealed plan and its live table, driven in this process; ``fills`` as in the settings."""

    url: str
    folder: Path
    fills: tuple[str, ...] = ("period",)
    names: TableNames = field(default_factory=TableNames)

    @property
    def run_id(self) -> str:
        return self.folder.name

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(self.names.table_schema, self.names.table)

    @contextmanager
    def worker(
        self,
        *,
        throttle: Callable[[psycopg.Connection[Any]], None] = lambda _connection: None,
        observe: Callable[[Batch], None] = lambda _batch: None,
        seconds: float = 0.075,
        lock_timeout: float = 0.1,
        statement_timeout: float = 10,
        patience: float = 10,
    ) -> Iterator[Worker]:
        plan = read_plan(self.folder, max_age=timedelta(days=7))
        times = {"lock_timeout": lock_timeout, "statement_timeout": statement_timeout, "patience": patience}
        with at_work(read_address(self.url), plan.names.table_schema, **times) as session:
            target = inspect(session.connection, plan, self.fills)
            register(session.connection, plan, target)
            yield Worker(session, target, plan.run_id, seconds, throttle, observe)

    def apply(self, **more: Any) -> ApplyReport:
        with self.worker(**more) as worker:
            return apply(worker)

    def undo(self, only: int | None = None, **more: Any) -> UndoReport:
        with self.worker(**more) as worker:
            return undo(worker, only)

    def execute(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def snapshot(self) -> list[str]:
        """Every row as the server prints it, all columns."""
        query = sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(self.table).as_string(None)
        return [row for (row,) in self.execute(query)]

    def state(self) -> str:
        ((state,),) = self.execute("SELECT state FROM ojeon.runs WHERE run_id = %s", self.run_id)
        return str(state)

    def claimed(self) -> list[tuple[str, str]]:
        """Every id that a line of the ledger says it wrote and nobody has undone, with what it filled."""
        query = "SELECT variant, unnest(ids) FROM ojeon.batches WHERE run_id = %s ORDER BY 2, 1"
        return [(row_id, variant) for variant, row_id in self.execute(query, self.run_id)]

    def not_as_left(self) -> list[tuple[Any, ...]]:
        """Ids of the ledger's lines whose row is gone or was written by another transaction than the line's."""
        query = sql.SQL(_NOT_AS_LEFT).format(table=self.table, id=sql.Identifier(self.names.id)).as_string(None)
        return self.execute(query)

    def start(self, verb: str, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """Start ``ojeon VERB`` on this plan as a process of its own."""
        ours = ("OJEON_", "PG", "DATABASE_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        fill = {"OJEON_MOVE__FILL": json.dumps(self.fills), "DATABASE_URL": self.url}
        return subprocess.Popen(
            [OJEON, verb, str(self.folder), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**clean, **fill, **environment},
        )

    def wait_until(self, query: str, process: "subprocess.Popen[str] | None" = None, seconds: float = 30) -> bool:
        """Return when ``query`` yields true; False where ``process`` ended before."""
        until = time.monotonic() + seconds
        with psycopg.connect(self.url, autocommit=True) as connection:
            while connection.execute(query).fetchone() != (True,):
                if process is not None and process.poll() is not None:
                    return False
                assert time.monotonic() < until, f"never came true: {query}"
                time.sleep(0.002)
        return True
