"""The plan of a finished run, read back from its folder, and everything that keeps it from being applied."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from pipeline import dictionary, manifest
from pipeline.errors import RunError, UsageError
from pipeline.settings import TableNames

_SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"
_HERE = """
SELECT datname::text, oid::bigint, has_function_privilege('pg_control_system()', 'EXECUTE')
FROM pg_database WHERE datname = current_database()
"""
_TOLD = 3
_CLOCKS_MAY_DIFFER = timedelta(minutes=10)
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
    path = folder / manifest.FILE_NAME
    plan = Plan(str(content.get("run")), folder, hashlib.sha256(path.read_bytes()).hexdigest(), content)
    try:
        _ = plan.names, plan.written_at, content["run"], content["source"], int(content["plan"]["rows"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path} lacks what a run writes into it ({type(error).__name__}). Put the file back as its run left it, "
            "or plan again with `ojeon run`."
        ) from error
    return plan


def read_plan(folder: Path, *, max_age: timedelta) -> Plan:
    """Read a run's folder back and refuse what must not be applied.

    Raises:
        RunError: the run is unfinished or its manifest damaged.
        UsageError: the plan was edited since, was refused by its own run, is too old, or is from the future.
    """
    if findings := manifest.verify_files(folder):
        more = f" and {len(findings) - _TOLD} more" if len(findings) > _TOLD else ""
        raise UsageError(
            f"The plan in {folder} is not as its run left it ({'; '.join(findings[:_TOLD])}{more}), and a plan never "
            "changes. Put the files back, or plan again with `ojeon run`."
        )
    plan = find_plan(folder)
    if plan.manifest.get("apply") != "allowed":
        raise UsageError(f"The plan in {folder} is not to be applied: {plan.manifest.get('why')}")
    _refuse_age(plan, max_age)
    return plan


def _refuse_age(plan: Plan, max_age: timedelta) -> None:
    age = datetime.now(UTC) - plan.written_at
    if age < -_CLOCKS_MAY_DIFFER:
        raise UsageError(
            f"The plan in {plan.folder} was written {_span(-age)} in the future by this machine's clock, so nobody can "
            "tell how old it is. Set the clock that is wrong; if it was that of the run, plan again with `ojeon run`."
        )
    if age > max_age:
        raise UsageError(
            f"The plan in {plan.folder} is {_span(age)} old, and no plan older than {_span(max_age)} is applied. "
            "Plan again with `ojeon run`, or allow it with --max-age-days."
        )


def check_database(connection: psycopg.Connection[Any], plan: Plan) -> None:
    """Refuse a database other than the one the run read, a copy that was restored under its name too.

    Raises:
        UsageError: its name, its identity or the server's differ.
    """
    source = plan.manifest["source"]
    database, oid, may_identify = connection.execute(_HERE).fetchone() or ("", 0, False)
    if source.get("kind") != "postgresql":
        return  # a dump names no database: the guards of every batch must do
    here = (connection.execute(_SYSTEM).fetchone() or (None,))[0] if may_identify else None
    planned = source.get("system_identifier")
    elsewhere = " of another server" if here and planned and here != planned else ""
    if database != source.get("database") or elsewhere:
        raise UsageError(
            f"The plan was made for the database {source.get('database')}{elsewhere}, and this is {database}. Give the "
            "address of that database, or plan again here with `ojeon run`."
        )
    if source.get("database_oid") not in (None, oid):
        raise UsageError(
            f"The database {database} was made anew since the run read it (restored from a copy, perhaps), so the plan "
            "is about another one of that name. Plan again here with `ojeon run`."
        )


def load(connection: psycopg.Connection[Any], plan: Plan) -> int:
    """Copy the decided texts into ``ojeon.plan``; the caller's transaction. Returns how many."""
    texts = 0
    with connection.cursor() as cursor, cursor.copy(LOAD) as copy:
        for entry in plan.entries():
            copy.write_row((plan.run_id, entry.raw, entry.period, entry.start))
            texts += 1
    return texts


def _span(time: timedelta) -> str:
    days, hours = time / timedelta(days=1), time / timedelta(hours=1)
    if hours < 2:
        return f"{hours * 60:.0f} minutes"
    return f"{days:.0f} days" if days >= 2 else f"{hours:.0f} hours"
