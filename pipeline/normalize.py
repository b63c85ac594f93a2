"""Normalize: decide every distinct text once; the rows are only counted, never rewritten."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from parsers import Decision, Policy
from pipeline.answers import NOTHING, Standing
from pipeline.errors import RunError
from pipeline.reviewed import RULE, decide

FACT = "answers"
"""The name in the workbench's ``facts``, and so in the manifest's, of the store of answers as it was used."""

_TOLD_EVERY = 500
_COLUMNS = pa.schema(
    [
        ("raw", pa.string()),
        ("disposition", pa.string()),
        ("period", pa.string()),
        ("start_time", pa.string()),
        ("end_time", pa.string()),
        ("confidence", pa.float64()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("seen", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class NormalizeReport:
    """How many distinct texts were decided, and how; ``reviewed`` of them by people."""

    texts: int
    auto: int
    review: int
    reviewed: int


def normalize(
    workbench: duckdb.DuckDBPyConnection,
    policy: Policy,
    progress: Callable[[int, int], None] = lambda _done, _planned: None,
    *,
    words: Standing = NOTHING,
) -> NormalizeReport:
    """Write ``decisions`` anew, one line for each of ``texts``; ``progress`` is told texts done and texts there are.

    What reviewers agree on in ``words`` goes before every parser.

    Raises:
        RunError: the workbench lacks a table or cannot be read or written.
    """
    try:
        raws = [raw for (raw,) in workbench.execute("SELECT raw FROM texts").fetchall()]
        decided = list(_decided(raws, policy, progress, words))
        _write(workbench, raws, decided, _used(words, raws))
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench could not take the decisions ({type(error).__name__}): it is damaged, incomplete or "
            "its disk is full. Make room, then start a new run with `ojeon run`."
        ) from error
    auto = sum(decision.disposition == "AUTO" for decision in decided)
    reviewed = sum(decision.rule == RULE for decision in decided)
    return NormalizeReport(len(decided), auto, len(decided) - auto, reviewed)


def _decided(
    raws: list[str | None], policy: Policy, progress: Callable[[int, int], None], words: Standing
) -> Iterator[Decision]:
    for done, raw in enumerate(raws, start=1):
        yield decide(raw, policy, words)
        if done % _TOLD_EVERY == 0 or done == len(raws):
            progress(done, len(raws))


def _used(words: Standing, raws: list[str | None]) -> str:
    """The state of the store as JSON: its lines and their hash, the run's texts that it settles or leaves disputed."""
    settled, disputed = (sum(raw in found for raw in raws) for found in (words.settled, words.conflicts))
    return json.dumps({"lines": words.lines, "sha256": words.sha256, "settled": settled, "disputed": disputed})


def _write(workbench: duckdb.DuckDBPyConnection, raws: list[str | None], decided: list[Decision], used: str) -> None:
    values: list[list[str | float | None]] = [
        list(raws),
        [decision.disposition.value for decision in decided],
        [decision.period.value if decision.period else None for decision in decided],
        [decision.start for decision in decided],
        [decision.end for decision in decided],
        [decision.confidence for decision in decided],
        [decision.rule for decision in decided],
        [decision.reason.value if decision.reason else None for decision in decided],
        [decision.seen for decision in decided],
    ]
    columns = [pa.array(column, field.type) for column, field in zip(values, _COLUMNS, strict=True)]
    frame = pa.Table.from_arrays(columns, schema=_COLUMNS)
    workbench.begin()
    try:
        workbench.execute("DELETE FROM decisions")
        workbench.register("decided", frame)
        workbench.execute("INSERT INTO decisions SELECT * FROM decided")
        workbench.unregister("decided")
        workbench.execute("INSERT OR REPLACE INTO facts VALUES ($name, $used)", {"name": FACT, "used": used})
        workbench.commit()
    except BaseException:
        workbench.rollback()
        raise
