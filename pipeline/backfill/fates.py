"""The fate of every row, told again from the evidence alone, and whatever is not as it should be.

A row that a batch wrote has that transaction as its ``xmin`` until somebody writes to it again. So for each row it can
be told whether it is as we left it, and only then are its values ours to answer for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import duckdb

from pipeline.backfill.evidence import Evidence
from pipeline.backfill.states import State

SHOWN = 20
"""Ids that are named of each kind of finding."""

FATES = ("filled", "dual_written", "waiting", "changed_since", "came_late", "left_empty", "set_by_others")
"""What became of a row in one respect (period, slot, service), each row exactly one: as this run left it; as its
trigger left it; empty though planned; filled by this run and written to since; empty and planned, but written only
after apply looked for the last time; empty, for nothing is planned for it; set by somebody else."""

_OURS = "IN ('filled', 'dual_written')"
_COUNTS = """
SELECT
    (SELECT coalesce(sum(changed), 0)::BIGINT FROM line) AS changed,
    (SELECT coalesce(sum(undone), 0)::BIGINT FROM line) AS undone,
    (SELECT count(*) FROM claims WHERE standing) AS standing,
    (SELECT count(*) FROM claims WHERE NOT standing) AS left_alone,
    (SELECT count(*) FROM line
        WHERE changed <> len(ids) + undone + len(left_alone) OR batch > getvariable('batches')
            OR NOT list_has_all(getvariable('columns'), filled)) AS miscounted_lines,
    (SELECT count(*) FROM dictionary d FULL JOIN (FROM ledger_plan WHERE increment = 0) p ON p.raw = d.raw
        WHERE p.period IS DISTINCT FROM d.period OR p.start IS DISTINCT FROM d.start) AS misplanned_texts,
    (SELECT count(*) FROM extract.reservations) AS extracted,
    (SELECT count(*) FROM live) AS read,
    (SELECT count(*) - count(DISTINCT id) FROM live) AS repeated_ids,
    (SELECT count(period) FROM live) AS read_periods,
    (SELECT count(*) FROM judged WHERE NOT arrived) AS kept,
    (SELECT count(*) FROM extract.reservations e ANTI JOIN live USING (id)) AS deleted
"""


class Kind(NamedTuple):
    """A kind of finding: its name, whether it fails, what it says of the rows, and the query that finds their ids."""

    name: str
    says: str
    query: str
    fails: bool = False


def _rows(name: str, says: str, where: str, *, fails: bool = False) -> Kind:
    return Kind(name, says, f"SELECT id FROM judged WHERE {where}", fails)


KINDS = (
    _rows(
        "wrong_period",
        "hold a period of ours that is not the one decided for their text",
        f"period_fate {_OURS} AND period IS DISTINCT FROM planned",
        fails=True,
    ),
    _rows(
        "wrong_slot",
        "hold a start of ours that is not the one decided for their text, or lack it",
        f"(slot_fate {_OURS} AND slot IS DISTINCT FROM planned_start) "
        "OR (slot_fate IS NOT NULL AND period_stands AND ours AND slot IS NULL AND planned_start IS NOT NULL)",
        fails=True,
    ),
    _rows(
        "wrong_service",
        "hold a service of ours that is not that of their code",
        f"service_fate {_OURS} AND NOT service_fits AND NOT service_edited",
        fails=True,
    ),
    _rows(
        "overwritten",
        "had a period at extract that this run overwrote or emptied",
        "was_set AND same_update AND ours AND (period_stands OR list_contains(emptied, getvariable('period')))",
        fails=True,
    ),
    _rows(
        "altered",
        "had another column altered along with what this run wrote, as by a trigger",
        "altered",
        fails=True,
    ),
    _rows(
        "unclaimed",
        "were written in a batch of this run, and its line does not name them",
        "ours AND NOT undoing AND NOT stands",
        fails=True,
    ),
    _rows(
        "not_emptied",
        "were undone and still hold something",
        "undoing AND ((list_contains(emptied, getvariable('period')) AND period IS NOT NULL) "
        "OR (list_contains(emptied, getvariable('slot')) AND slot IS NOT NULL) "
        "OR (list_contains(emptied, getvariable('service')) AND NOT no_service))",
        fails=True,
    ),
    _rows(
        "missed",
        "are empty though their text is planned and the run is applied",
        "getvariable('applied') AND 'waiting' IN (period_fate, slot_fate, service_fate)",
        fails=True,
    ),
    Kind(
        "claimed_twice",
        "are named by two lines of the ledger, and nobody has emptied them in between",
        "SELECT id FROM twice JOIN judged USING (id) WHERE at_once OR (same_update AND updated_at IS NOT NULL)",
        fails=True,
    ),
    _rows(
        "changed_since",
        "were filled by this run and have been written to since",
        "'changed_since' IN (period_fate, slot_fate, service_fate)",
    ),
    _rows(
        "written_again",
        "of these are still as they were filled: somebody wrote to them and changed nothing",
        "period_fate = 'changed_since' AND period IS NOT DISTINCT FROM planned AND NOT arrived AND NOT differs",
    ),
    _rows(
        "changed_by_application",
        "hold another text or another value in an old column than at extract",
        "differs AND NOT altered",
    ),
    _rows(
        "set_since",
        "were empty at extract and got their period from somebody else",
        "period_fate = 'set_by_others' AND NOT arrived AND NOT was_set",
    ),
    _rows(
        "service_edited",
        "hold a service as it was before it was edited",
        f"service_fate {_OURS} AND NOT service_fits AND service_edited",
    ),
    _rows(
        "came_late",
        "are planned and came after apply had looked for the last time: `ojeon sync` fills them",
        "'came_late' IN (period_fate, slot_fate, service_fate)",
    ),
    Kind(
        "deleted",
        "were there at extract, or filled by this run, and are gone",
        "SELECT id FROM (SELECT id FROM extract.reservations UNION SELECT id FROM claims) ANTI JOIN live USING (id)",
    ),
)
"""Every kind, those that fail first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows of one kind; ``ids`` names the first of them, at most ``SHOWN``."""

    kind: str
    fails: bool
    says: str
    rows: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the rows in one respect, by fate: rows known at extract, and rows that arrived since."""

    fill: str
    known: Mapping[str, int]
    arrived: Mapping[str, int]

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.known.values()) + sum(self.arrived.values())


@dataclass(frozen=True, slots=True)
class Judgement:
    """The fates in each respect that the run fills, the findings, and counts of the ledger and of what was read."""

    fates: tuple[Fates, ...]
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]


def judge(evidence: Evidence) -> Judgement:
    """Judge every row of the table and every line of the ledger.

    Raises:
        duckdb.Error: the evidence is incomplete or does not fit on the disk.
    """
    tables = evidence.tables
    for name, value in _variables(evidence).items():
        tables.execute(f"SET VARIABLE {name} = $value", {"value": value})
    tables.execute((resources.files("pipeline.backfill") / "fates.sql").read_text(encoding="utf-8"))
    return Judgement(
        tuple(_fates(tables, fill) for fill in evidence.run.fills),
        tuple(finding for kind in KINDS if (finding := _find(tables, kind)).rows),
        _line(tables, _COUNTS),
    )


def _variables(evidence: Evidence) -> dict[str, Any]:
    names, run = evidence.table.names, evidence.run
    return {
        "period": names.period,
        "slot": names.slot_start,
        "service": names.service_id,
        "columns": list(names.fillable),
        "fills": run.fills,
        "applied": run.state == State.APPLIED,
        "batches": run.batches,
        "last_look": evidence.last_look,
        "comparable": not evidence.incomparable,
        "triggers": bool(evidence.triggers),
    }


def _fates(tables: duckdb.DuckDBPyConnection, fill: str) -> Fates:
    query = f"SELECT {fill}_fate, count(*) FILTER (NOT arrived), count(*) FILTER (arrived) FROM judged GROUP BY 1"
    counted = {fate: (known, arrived) for fate, known, arrived in tables.execute(query).fetchall()}
    known, arrived = ({fate: counted.get(fate, (0, 0))[side] for fate in FATES} for side in (0, 1))
    return Fates(fill, known, arrived)


def _find(tables: duckdb.DuckDBPyConnection, kind: Kind) -> Finding:
    [(rows,)] = tables.execute(f"SELECT count(*) FROM ({kind.query})").fetchall()
    first = f"SELECT id FROM ({kind.query}) ORDER BY id LIMIT {SHOWN}" if rows else "SELECT '' WHERE false"
    return Finding(
        kind.name, kind.fails, kind.says, rows, tuple(row_id for (row_id,) in tables.execute(first).fetchall())
    )


def _line(tables: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    result = tables.execute(query)
    columns = [column[0] for column in result.description]
    return dict(zip(columns, result.fetchall()[0], strict=True))
