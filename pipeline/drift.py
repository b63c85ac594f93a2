"""What has changed since the last finished run of the same table: shapes, the AUTO share, review reasons, settings.

Runs lie side by side in one folder. Which of them read the same table their manifests say; what they found is read from
their workbenches' dictionaries, so a run of ten million rows costs no more than one of ten thousand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from parsers.types import Disposition
from pipeline import manifest
from pipeline.errors import RunError
from pipeline.settings import Settings
from pipeline.visible import visible
from pipeline.workbench import read_workbench

GREW = 2.0
"""A shape grew when its share of the rows is this many times what it was, and shrank when it is the reverse."""
LEAST = 0.001
"""The share of the rows that a shape must have had, or have now, for its growth or shrinking to be told."""
_NAME_LENGTH = 60
_DECIDING = ("timezone", "noon", "slots", "grace", "auto_threshold", "min_auto", "max_period_share", "names")

_SHAPES = """
SELECT s.meaning, sum(t."rows")::BIGINT FROM texts t JOIN text_shapes s ON t.raw IS NOT DISTINCT FROM s.raw GROUP BY 1
"""
_OPEN = """
SELECT {kind}, sum(t."rows" - t.already_set)::BIGINT
FROM texts t JOIN decisions d ON t.raw IS NOT DISTINCT FROM d.raw WHERE t."rows" > t.already_set GROUP BY 1
"""
_DISPOSITIONS = _OPEN.format(kind="d.disposition")
_REASONS = _OPEN.format(kind="coalesce(d.reason, '')")


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of a shape or a review reason, and their share of all rows (0 to 1), in the previous run and in this one."""

    name: str
    before: int
    now: int
    share_before: float
    share_now: float


@dataclass(frozen=True, slots=True)
class Drift:
    """This run held against the ``previous`` one (its id), which ended at ``written_at`` (ISO 8601).

    Shapes begin with the one that has most rows, now or before; ``reasons`` with the one whose share moved furthest,
    and those that did not move are left out. ``settings`` names those that differ and bear on decisions.
    """

    previous: str
    written_at: str
    rows_before: int
    rows_now: int
    auto_share_before: float
    auto_share_now: float
    new: tuple[Change, ...]
    gone: tuple[Change, ...]
    grown: tuple[Change, ...]
    shrunk: tuple[Change, ...]
    reasons: tuple[Change, ...]
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The id of the previous run, whose workbench is gone or cannot be read."""

    previous: str


def find_drift(
    workbench: duckdb.DuckDBPyConnection, settings: Settings, source: Mapping[str, Any], folder: Path
) -> Drift | Unreadable | None:
    """Hold the run in ``folder`` against the last finished one of the same table beside it; None where there is none.

    ``source`` is the run's own fact of this name.

    Raises:
        duckdb.Error: the run's own workbench lacks a table or cannot be read.
    """
    found = _previous(folder, settings, source)
    if found is None:
        return None
    place, content = found
    name = visible(str(content.get("run", place.name)))
    try:
        with read_workbench(place) as earlier:
            before = _State.of(earlier)
    except duckdb.Error:
        return Unreadable(name)
    now = _State.of(workbench)
    shapes = _changes(before.shapes, now.shapes, before.rows, now.rows)
    both = [change for change in shapes if change.before and change.now]
    return Drift(
        previous=name,
        written_at=visible(str(content.get("written_at", ""))),
        rows_before=before.rows,
        rows_now=now.rows,
        auto_share_before=before.auto_share,
        auto_share_now=now.auto_share,
        new=tuple(change for change in shapes if not change.before),
        gone=tuple(change for change in shapes if not change.now),
        grown=tuple(change for change in both if _outgrew(change.share_now, change.share_before)),
        shrunk=tuple(change for change in both if _outgrew(change.share_before, change.share_now)),
        reasons=_moved(_changes(before.reasons, now.reasons, before.rows, now.rows)),
        settings=_differing(content["settings"], settings.model_dump(mode="json")),
    )


@dataclass(frozen=True, slots=True)
class _State:
    """One run's dictionary in sums of rows."""

    shapes: Mapping[str, int]
    dispositions: Mapping[str, int]
    reasons: Mapping[str, int]

    @classmethod
    def of(cls, workbench: duckdb.DuckDBPyConnection) -> "_State":
        shapes, dispositions, reasons = (
            dict(workbench.execute(query).fetchall()) for query in (_SHAPES, _DISPOSITIONS, _REASONS)
        )
        return cls(shapes, dispositions, {reason: rows for reason, rows in reasons.items() if reason})

    @property
    def rows(self) -> int:
        return sum(self.shapes.values())

    @property
    def auto_share(self) -> float:
        unset = sum(self.dispositions.values())
        return self.dispositions.get(Disposition.AUTO, 0) / unset if unset else 0.0


def _previous(folder: Path, settings: Settings, source: Mapping[str, Any]) -> tuple[Path, dict[str, Any]] | None:
    """The newest finished run before this one that read the same table, and its manifest: names begin with the time."""
    table = _table(source, settings.names.preferred_time)
    earlier = (path for path in folder.parent.iterdir() if path.name < folder.name and path.is_dir())
    for place in sorted(earlier, reverse=True):
        try:
            content = manifest.read(place)
            if _table(content["source"], content["settings"]["names"]["preferred_time"]) == table:
                return place, content
        except (RunError, KeyError, TypeError, AttributeError):
            continue  # unfinished, or not a run of ours
    return None


def _table(source: Mapping[str, Any], column: str) -> tuple[object, ...]:
    """What two runs of the same table have in common: the server knows itself, else its address must do."""
    if source.get("kind") != "postgresql":
        return source.get("file"), column
    server = source.get("system_identifier") or (source.get("host"), source.get("port"))
    return server, source.get("database"), source.get("table"), column


def _changes(before: Mapping[str, int], now: Mapping[str, int], rows_before: int, rows_now: int) -> tuple[Change, ...]:
    changes = [
        Change(
            visible(name, _NAME_LENGTH),
            was := before.get(name, 0),
            is_now := now.get(name, 0),
            was / rows_before if rows_before else 0.0,
            is_now / rows_now if rows_now else 0.0,
        )
        for name in before.keys() | now.keys()
    ]
    return tuple(sorted(changes, key=lambda change: (-max(change.before, change.now), change.name)))


def _moved(changes: Iterable[Change]) -> tuple[Change, ...]:
    moved = [change for change in changes if change.share_before != change.share_now]
    return tuple(sorted(moved, key=lambda change: -abs(change.share_now - change.share_before)))


def _outgrew(share: float, other: float) -> bool:
    return share >= LEAST and share >= GREW * other


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in _DECIDING if before.get(name) != now[name])
