"""Texts that arrived since a run was planned: which they are, what is decided about them, and where that goes.

They are decided as the run decided its own, by its settings and by what reviewers say now; what is certain joins its
plan as an increment, through the gate that the run's own decisions went through. The others are written down for
people, each once, but for those that people have settled already.
"""

import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from parsers import Decision, Policy
from parsers.types import Disposition, Period, Reason
from pipeline import answers, arrived, manifest, review_file, reviewed
from pipeline.backfill import ledger
from pipeline.backfill.plan import Plan
from pipeline.backfill.target import Target
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.suite_results import Status
from pipeline.suites import load_suite, run_suite

if TYPE_CHECKING:
    import pandas as pd

_CLOCK = re.compile(r"\d\d:\d\d")
_FILES = "review_*.csv"
_UNDECIDED = """
SELECT r.{text}::text COLLATE "C" AS raw, count(*) FROM {table} r
WHERE r.{period} IS NULL
    AND NOT EXISTS (SELECT FROM ojeon.plan p WHERE p.run_id = {run} AND p.raw = r.{text}::text COLLATE "C")
GROUP BY 1 ORDER BY 2 DESC, 1
"""
_NUMBER = "SELECT coalesce(max(increment), 0) + 1 FROM ojeon.plan WHERE run_id = %s"
_ADD = """
INSERT INTO ojeon.plan (run_id, raw, period, slot_start, increment)
SELECT %s, raw, period, slot_start, %s FROM unnest(%s::text[], %s::text[], %s::text[]) AS t(raw, period, slot_start)
ON CONFLICT DO NOTHING
"""


class Arrival(NamedTuple):
    """A text that the plan does not know, the rows without a period that hold it, and what is decided about it."""

    raw: str | None
    rows: int
    decision: Decision

    @property
    def certain(self) -> bool:
        """Whether it may be written without a person."""
        return self.decision.disposition is Disposition.AUTO

    @property
    def waits(self) -> bool:
        """Whether a person is to decide it; what people have settled does not."""
        return not self.certain and self.decision.rule != reviewed.RULE


def find(
    connection: psycopg.Connection[Any], target: Target, plan: Plan, words: answers.Standing
) -> tuple[Arrival, ...]:
    """Gather what waits in the table and decide it, by ``words`` first; the most frequent come first.

    Raises:
        UsageError: another version of ojeon made the plan.
    """
    _refuse_another_version(plan)
    policy = _settings(plan).policy()
    query = sql.SQL(_UNDECIDED).format(
        text=sql.Identifier(target.names.preferred_time),
        table=target.table,
        period=sql.Identifier(target.names.period),
        run=sql.Literal(plan.run_id),
    )
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        waiting = connection.execute(query).fetchall()
    return tuple(Arrival(raw, rows, reviewed.decide(raw, policy, words)) for raw, rows in waiting)


def _refuse_another_version(plan: Plan) -> None:
    made_by, here = plan.manifest["versions"]["ojeon"], version("ojeon")
    if made_by != here:
        raise UsageError(
            f"The run {plan.run_id} was decided by ojeon {made_by}, this is {here}, and two do not decide one plan. "
            f"Use ojeon {made_by}, or plan again with `ojeon run`."
        )


def broken_laws(arrivals: Sequence[Arrival], plan: Plan) -> tuple[str, ...]:
    """The laws of the suite ``decided`` that these decisions break; none lets them pass."""
    settings = _settings(plan)
    parameters = {
        "auto_threshold": settings.auto_threshold,
        "noon": settings.noon,
        "dispositions": [disposition.value for disposition in Disposition],
        "periods": [period.value for period in Period],
        "reasons": [reason.value for reason in Reason],
    }
    result = run_suite(load_suite("decided"), _frame(arrivals, settings.policy()), parameters)
    return tuple(found.law for found in result.results if found.status is not Status.PASSED)


def _frame(arrivals: Sequence[Arrival], policy: Policy) -> "pd.DataFrame":
    """One line a text, which is a number here, so that none can reach a result."""
    import pandas as pd  # noqa: PLC0415 - only a sync that adds something pays for it

    lines = [
        {
            "text": number,
            "rows": rows,
            "disposition": decision.disposition,
            "period": decision.period,
            "start_time": decision.start,
            "end_time": decision.end,
            "confidence": decision.confidence,
            "reason": decision.reason,
            "period_of_start": _half(decision.start, policy),
        }
        for number, (_, rows, decision) in enumerate(arrivals)
    ]
    return pd.DataFrame(lines)


def _half(start: str | None, policy: Policy) -> str | None:
    if start is None or not _CLOCK.fullmatch(start):
        return None
    hour, minute = map(int, start.split(":"))
    return (Period.MORNING if hour * 60 + minute < policy.noon else Period.AFTERNOON).value


def add(connection: psycopg.Connection[Any], run_id: str, arrivals: Iterable[Arrival]) -> None:
    """Let them join the plan and note it, in one transaction; those that are there already stay as they are."""
    columns = [(raw, decision.period, decision.start) for raw, _, decision in arrivals]
    with connection.transaction():
        (number,) = connection.execute(_NUMBER, (run_id,)).fetchone() or (1,)
        added = connection.execute(_ADD, (run_id, number, *map(list, zip(*columns, strict=True)))).rowcount
        ledger.note(connection, run_id, f"sync {number}: {added} texts joined the plan")


def write_down(plan: Plan, arrivals: Iterable[Arrival]) -> Path | None:
    """Write the texts that wait for a person, and stand in no review file of this run yet, into a new one.

    Raises:
        OSError: the run's folder cannot be written.
    """
    folder = plan.folder / manifest.MOVES
    earlier = [plan.folder / review_file.FILE_NAME, *sorted(folder.glob(_FILES))]
    known = set[str]().union(*map(review_file.keys_in, earlier))
    waiting = [line for line in _lines(plan.run_id, arrivals) if line.key not in known]
    if not waiting:
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / _FILES.replace("*", f"{len(earlier):04}")
    partial = path.with_suffix(".partial")
    arrived.write(path, ((line.text, line.rows) for line in waiting))
    review_file.write_lines(partial, waiting)
    partial.replace(path)
    return path


def _lines(run_id: str, arrivals: Iterable[Arrival]) -> list[review_file.Waiting]:
    return [
        review_file.Waiting(
            review_file.key(run_id, raw),
            raw,
            None if raw is None else len(raw),
            rows,
            decision.period,
            decision.confidence,
            decision.reason,
        )
        for raw, rows, decision in (arrival for arrival in arrivals if arrival.waits)
    ]


def _settings(plan: Plan) -> Settings:
    """The run's own, as its manifest keeps them; neither the environment nor a file has a say."""
    return Settings.model_construct(**plan.manifest["settings"])
