"""The format buckets of a run: how many rows look alike, by meaning and by pattern, and which rule claims them.

An aggregate over ``texts``, ``text_shapes`` and (where there are any yet) ``decisions``; the rows themselves are never
touched. Examples are cut and masked for showing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import duckdb

from parsers.types import Disposition
from pipeline.masking import mask
from pipeline.visible import visible

EXAMPLES = 5
"""How many examples a shape shows: its most frequent texts."""
EXAMPLE_LENGTH = 60
EXEMPLIFIED = 1_000
"""How many shapes show examples: the largest. Where every text is a shape of its own, masking all takes minutes."""
# Enough of a text to recognise a telephone number that begins within what is shown.
_READ = 200
_SHAPED = "FROM texts t JOIN text_shapes s ON t.raw IS NOT DISTINCT FROM s.raw"
_Item = TypeVar("_Item")


class By(StrEnum):
    """What makes two texts alike; the values are the columns of ``text_shapes``."""

    MEANING = "meaning"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class Example:
    """One text of a shape, ready to be shown (None: the NULL), and its rows."""

    text: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What one rule made of a shape's texts: distinct texts, and their rows that had no period yet."""

    rule: str
    disposition: Disposition
    texts: int
    rows: int


@dataclass(frozen=True, slots=True)
class Shape:
    """One bucket. ``rows`` are all its rows, ``share`` of the run's 0 to 1, ``already_set`` those with a period."""

    name: str
    rows: int
    texts: int
    share: float
    already_set: int
    first_seen: datetime | None
    last_seen: datetime | None
    examples: tuple[Example, ...]
    claims: tuple[Claim, ...]

    def claimed(self, disposition: Disposition) -> int:
        """Rows without a period whose text was decided as ``disposition``."""
        return sum(claim.rows for claim in self.claims if claim.disposition == disposition)


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """What there is: all rows and distinct texts, and their buckets, each list from the largest down."""

    rows: int
    texts: int
    by_meaning: tuple[Shape, ...]
    by_pattern: tuple[Shape, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it: times in ISO format, examples masked."""
        return {
            "rows": self.rows,
            "texts": self.texts,
            "by_meaning": [_as_json(shape) for shape in self.by_meaning],
            "by_pattern": [_as_json(shape) for shape in self.by_pattern],
        }


def read_profile(workbench: duckdb.DuckDBPyConnection, *, masked: bool = True) -> ProfileReport:
    """Read both lists of buckets as the workbench has them now."""
    rows, texts = _all(workbench, 'SELECT coalesce(sum("rows"), 0)::BIGINT, count(*) FROM texts')[0]
    by_meaning, by_pattern = (shapes(workbench, by, masked=masked) for by in By)
    return ProfileReport(rows, texts, by_meaning, by_pattern)


def shapes(workbench: duckdb.DuckDBPyConnection, by: By, *, masked: bool = True) -> tuple[Shape, ...]:
    """List the buckets, from most rows to fewest; their rows sum up to all rows of ``texts``."""
    sums = _all(
        workbench,
        f"""SELECT s.{by}, sum(t."rows")::BIGINT, count(*), sum(t."rows") / sum(sum(t."rows")) OVER (),
        sum(t.already_set)::BIGINT, min(t.first_seen), max(t.last_seen)
        {_SHAPED} GROUP BY ALL ORDER BY 2 DESC, 1""",
    )
    claims, examples = (
        _claims(workbench, by),
        _examples(workbench, by, [line[0] for line in sums[:EXEMPLIFIED]], masked=masked),
    )
    return tuple(Shape(*(*line, tuple(examples[line[0]]), tuple(claims[line[0]]))) for line in sums)


def _claims(workbench: duckdb.DuckDBPyConnection, by: By) -> defaultdict[str, list[Claim]]:
    claims = _all(
        workbench,
        f"""SELECT s.{by}, d.rule, d.disposition, count(*), sum(t."rows" - t.already_set)::BIGINT
        {_SHAPED} JOIN decisions d ON t.raw IS NOT DISTINCT FROM d.raw
        GROUP BY ALL ORDER BY 5 DESC, 2, 3""",
    )
    return _grouped((name, Claim(rule, Disposition(made), *counts)) for name, rule, made, *counts in claims)


def _examples(
    workbench: duckdb.DuckDBPyConnection, by: By, names: list[str], *, masked: bool
) -> defaultdict[str, list[Example]]:
    examples = _all(
        workbench,
        f"""SELECT s.{by}, left(t.raw, {_READ}), t."rows" {_SHAPED} JOIN unnest($names) n(name) ON s.{by} = n.name
        QUALIFY row_number() OVER (PARTITION BY s.{by} ORDER BY t."rows" DESC, t.raw) <= {EXAMPLES}
        ORDER BY t."rows" DESC, t.raw""",
        {"names": names},
    )
    return _grouped((name, Example(shown(raw, masked=masked), rows)) for name, raw, rows in examples)


def shown(raw: str | None, limit: int = EXAMPLE_LENGTH, *, masked: bool = True) -> str | None:
    """Make a text fit to be seen by people: personal data masked, the unseen spelled out, cut to ``limit``."""
    if raw is None:
        return None
    return visible(mask(raw[:_READ]) if masked else raw[:_READ], limit)


def _grouped(pairs: Iterable[tuple[str, _Item]]) -> defaultdict[str, list[_Item]]:
    groups: defaultdict[str, list[_Item]] = defaultdict(list)
    for name, item in pairs:
        groups[name].append(item)
    return groups


def _as_json(shape: Shape) -> dict[str, Any]:
    seen = {"first_seen": shape.first_seen, "last_seen": shape.last_seen}
    return {**asdict(shape), **{name: time.isoformat() if time else None for name, time in seen.items()}}


def _all(
    workbench: duckdb.DuckDBPyConnection, query: str, names: dict[str, list[str]] | None = None
) -> list[tuple[Any, ...]]:
    return workbench.execute(query, names).fetchall()
