"""The audit sample: AUTO texts drawn at random for people to judge blind, because a wrong AUTO shows in no list.

Population: the rows that this run would fill, that is AUTO and without a period at extract, whether a parser decided
them or an earlier answer of reviewers did (rule ``reviewed``). What reviewers have answered they are not asked again:
such draws are known to be right as long as the answer stands, so the bound takes the reviewers' words as true. They are
sorted by rule and text and cut into as many equal slices as draws are needed
(``pipeline.audit_bound``); from each slice one row is drawn, independently. So each row has the same chance, each rule
gets its share of the draws up to less than two, and a text with many rows is certain to be among them. What is judged
is the text: once, however often it was drawn, and each draw counts. Each rule that went without a draw gets one text on
top (``draws`` 0), which is judged like the others and counts for nothing but itself.

Where there are no more rows than draws needed, all texts are taken, each row a draw: a census, which needs no bound.

Limits: the rate is of rows, and of the rows extracted; rows that arrive later are covered as far as they resemble
those. A text with many rows is one decision, so a rate of texts, most of which are rare, may be higher. The reviewers'
own errors are not in the bound, nor is what a move may fill beside the period. Reviewers who know that the file holds
AUTO texts know that a parser found a period in each.

The seed is the run's own name, so that a draw can be repeated and yet each run draws afresh. A sample kept from an
earlier run would prove nothing: what was wrong in it has been corrected since, and what lies beside it has not.
"""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, groupby
from random import Random

import duckdb
import pyarrow as pa

from parsers.types import Disposition
from pipeline import reviewed
from pipeline.audit_bound import draws_needed
from pipeline.errors import RunError

FACT = "audit"
"""The name of the workbench's fact, and so of the manifest's, that seals the sample."""

_POPULATION = """
SELECT d.raw, d.rule, d.period, t."rows" - t.already_set AS open, 0 AS draws
FROM decisions d JOIN texts t ON d.raw = t.raw
WHERE d.disposition = $auto AND open > 0
ORDER BY d.rule, d.raw
"""
_READ = 'SELECT raw, rule, period, "rows", draws FROM audit_sample ORDER BY position'
_COLUMNS = pa.schema(
    [
        ("position", pa.int64()),
        ("raw", pa.string()),
        ("rule", pa.string()),
        ("period", pa.string()),
        ("rows", pa.int64()),
        ("draws", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True)
class Sampled:
    """An AUTO text with its decision, the rows that would be filled by it, and how often it was drawn."""

    raw: str
    rule: str
    period: str
    rows: int
    draws: int

    @property
    def is_reviewed(self) -> bool:
        """Whether reviewers decided it before the run, so that nobody is asked again."""
        return self.rule == reviewed.RULE


@dataclass(frozen=True, slots=True)
class Sample:
    """The texts drawn, in random order, out of a population of ``texts`` distinct ones in ``rows`` rows."""

    rows: int
    texts: int
    lines: tuple[Sampled, ...]

    @property
    def asked(self) -> tuple[Sampled, ...]:
        """Those that people are asked to judge."""
        return tuple(line for line in self.lines if not line.is_reviewed)

    @property
    def draws(self) -> int:
        """Rows drawn."""
        return sum(line.draws for line in self.lines)

    @property
    def is_census(self) -> bool:
        """Whether every text of the population is in it."""
        return len(self.lines) == self.texts

    @property
    def sha256(self) -> str:
        """A hash of the whole sample."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()


def draw(workbench: duckdb.DuckDBPyConnection, run_id: str, max_error: float, confidence: float) -> Sample:
    """Draw the run's sample from its decisions and keep it in ``audit_sample`` and the fact ``audit``.

    Without a wrong draw it bounds the rate of wrong rows by ``max_error`` with ``confidence`` (both 0 to 1).

    Raises:
        RunError: the workbench cannot be read or written.
    """
    try:
        found = workbench.execute(_POPULATION, {"auto": Disposition.AUTO.value}).fetchall()
        population = [Sampled(*line) for line in found]
        sample = drawn(population, draws_needed(max_error, confidence), run_id)
        _keep(workbench, sample)
    except duckdb.Error as error:
        raise RunError(
            f"The run's workbench could not take the audit sample ({type(error).__name__}): it is damaged, incomplete "
            "or its disk is full. Make room, then start a new run with `ojeon run`."
        ) from error
    return sample


def read(workbench: duckdb.DuckDBPyConnection) -> Sample | None:
    """Read the sample back; None where the run drew none.

    Raises:
        duckdb.Error: the workbench cannot be read.
    """
    found = workbench.execute("SELECT value FROM facts WHERE name = $name", {"name": FACT}).fetchone()
    if found is None:
        return None
    fact = json.loads(found[0])
    lines = tuple(Sampled(*line) for line in workbench.execute(_READ).fetchall())
    return Sample(fact["rows"], fact["texts"], lines)


def drawn(population: Sequence[Sampled], draws: int, run_id: str) -> Sample:
    """Draw from ``population``, which is sorted by rule, each of its lines one text with its rows."""
    # Repeatable by the run's name, as a seeded generator is; nobody gains by foreseeing it.
    chance = Random(f"{run_id} audit")  # noqa: S311
    rows = sum(text.rows for text in population)
    if rows <= draws:
        lines = [replace(text, draws=text.rows) for text in population]
    else:
        counts = _counts([text.rows for text in population], draws, chance)
        counted = zip(population, counts, strict=True)
        lines = [
            replace(text, draws=count)
            for _, rule in groupby(counted, lambda line: line[0].rule)
            for text, count in _taken(list(rule), chance)
        ]
    chance.shuffle(lines)
    return Sample(rows, len(population), tuple(lines))


def _counts(rows: Sequence[int], draws: int, chance: Random) -> list[int]:
    """How often each text is drawn when one row is drawn from each of ``draws`` equal slices of all rows."""
    ends = list(accumulate(rows))
    counts = [0] * len(rows)
    for slice_ in range(draws):
        row = int((slice_ + chance.random()) * ends[-1] / draws)
        counts[bisect_right(ends, min(row, ends[-1] - 1))] += 1  # the product may be rounded up to the end
    return counts


def _taken(rule: Sequence[tuple[Sampled, int]], chance: Random) -> list[tuple[Sampled, int]]:
    """The texts of one rule that were drawn, or one of them where none was, with their counts."""
    taken = [(text, count) for text, count in rule if count]
    return taken or chance.choices(rule, weights=[text.rows for text, _ in rule])


def _keep(workbench: duckdb.DuckDBPyConnection, sample: Sample) -> None:
    lines = [{"position": position, **asdict(line)} for position, line in enumerate(sample.lines)]
    fact = {
        "rows": sample.rows,
        "texts": sample.texts,
        "sampled": len(sample.lines),
        "draws": sample.draws,
        "sha256": sample.sha256,
    }
    workbench.begin()
    try:
        workbench.execute("DELETE FROM audit_sample")
        workbench.register("drawn", pa.Table.from_pylist(lines, _COLUMNS))
        workbench.execute("INSERT INTO audit_sample SELECT * FROM drawn")
        workbench.unregister("drawn")
        workbench.execute(
            "INSERT OR REPLACE INTO facts VALUES ($name, $fact)", {"name": FACT, "fact": json.dumps(fact)}
        )
        workbench.commit()
    except BaseException:
        workbench.rollback()
        raise
