"""The plan of a finished run, read back from its folder, and everything that keeps it from being applied."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipeline import dictionary, manifest
from pipeline.errors import UsageError
from pipeline.settings import TableNames

_SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
_MAY_IDENTIFY = "SELECT current_database()::text, has_function_privilege('pg_control_system()', 'EXECUTE')"
_TOLD = 3
LOAD = "COPY ojeon.plan (run_id, raw, period, slot_start) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Plan:
    """A sealed plan: the run, its folder, the hash of its manifest, and what the manifest says."""

    run_id: str
    folder: Path
    sha256: str
    manifest: dict[str, Any]

    @property
    def names(self) -> TableNames:
        """The table and its columns as the run was told."""
        return TableNames(**self.manifest["settings"]["names"])

    @property
    def written_at(self) -> datetime:
        """When the run ended."""
        return datetime.fromisoformat(self.manifest["written_at"])

    def entries(self) -> Iterator[dictionary.Entry]:
        """The decided texts."""
        return dictionary.read(self.folder)


def find_plan(folder: Path) -> Plan:
    """Read a run's folder back as it is: enough to take back what was applied.

    Raises:
        RunError: the run is unfinished or its manifest damaged.
    """
    content = manifest.read(folder)
    return Plan(content["run"], folder, hashlib.sha256((folder / manifest.FILE_NAME).read_bytes()).hexdigest(), content)


def read_plan(folder: Path, *, max_age: timedelta) -> Plan:
    """Read a run's folder back and refuse what must not be applied.

    Raises:
        RunError: the run is unfinished or its manifest damaged.
        UsageError: the plan was refused by its own run, was edited since, or is too old.
    """
    plan = find_plan(folder)
    if plan.manifest.get("apply") != "allowed":
        raise UsageError(f"The plan in {folder} is not to be applied: {plan.manifest.get('why')}")
    if findings := manifest.verify_files(folder):
        more = f" and {len(findings) - _TOLD} more" if len(findings) > _TOLD else ""
        raise UsageError(
            f"The plan in {folder} is not as its run left it ({'; '.join(findings[:_TOLD])}{more}), and a plan never "
            "changes. Put the files back, or plan again with `ojeon run`."
        )
    age = datetime.now(UTC) - plan.written_at
    if age > max_age:
        raise UsageError(
            f"The plan in {folder} is {_days(age)} old, and no plan older than {_days(max_age)} is applied. "
            "Plan again with `ojeon run`, or allow it with --max-age-days."
        )
    return plan


def check_database(connection: psycopg.Connection[Any], plan: Plan) -> None:
    """Refuse a database other than the one the run read.

    Raises:
        UsageError: its name or the server's identity differ.
    """
    source = plan.manifest["source"]
    database, may_identify = connection.execute(_MAY_IDENTIFY).fetchone() or ("", False)
    if source.get("kind") != "postgresql":
        return  # a dump names no database: the guards of every batch must do
    here = (connection.execute(_SYSTEM).fetchone() or (None,))[0] if may_identify else None
    planned = source.get("system_identifier")
    if database != source.get("database") or (here and planned and here != planned):
        raise UsageError(
            f"The plan was made for the database {source.get('database')} of another server than this one's "
            f"{database}. Give the address of that database, or plan again here with `ojeon run`."
        )


def load(connection: psycopg.Connection[Any], plan: Plan) -> int:
    """Copy the decided texts into ``ojeon.plan``; the caller's transaction. Returns how many."""
    texts = 0
    with connection.cursor() as cursor, cursor.copy(LOAD) as copy:
        for entry in plan.entries():
            copy.write_row((plan.run_id, entry.raw, entry.period, entry.start))
            texts += 1
    return texts


def _days(age: timedelta) -> str:
    days = age / timedelta(days=1)
    return f"{days:.0f} days" if days >= 2 else f"{age / timedelta(hours=1):.0f} hours"
