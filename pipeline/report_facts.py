"""Everything the report says, gathered from a run's workbench; texts come out masked and fit to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from parsers.confidence import ReliabilityBin, reliability
from parsers.types import Disposition, Period
from pipeline import manifest, rowfacts
from pipeline.anomalies import Anomaly, find_anomalies
from pipeline.conservation import TextCounts, count_texts
from pipeline.errors import RunError
from pipeline.facts import read_facts, why_unwritable
from pipeline.settings import Settings
from pipeline.shapes import ProfileReport, read_profile, shown
from pipeline.visible import visible

REVIEW_TEXTS = 50
"""How many of the texts that wait for a person are listed."""
BINS = 20
"""Bars of the confidence histogram, each a twentieth wide."""
_TEXT_LENGTH = 100
_READ = 200
_SENTENCE = 400

Verdict = Literal["go", "no_go", "not_checked"]

_OPEN = """
FROM texts t JOIN decisions d ON t.raw IS NOT DISTINCT FROM d.raw WHERE t."rows" > t.already_set
"""
_PERIODS = f"""SELECT d.period, sum(t."rows" - t.already_set)::BIGINT {_OPEN} AND d.disposition = $auto GROUP BY 1"""
_CONFIDENCE = f"""
SELECT least(floor(d.confidence * {BINS}), {BINS - 1})::INTEGER, d.disposition,
    sum(t."rows" - t.already_set)::BIGINT
{_OPEN} GROUP BY ALL ORDER BY ALL
"""
_REASONS = f"""
SELECT d.reason, sum(t."rows" - t.already_set)::BIGINT, count(*) {_OPEN} AND d.disposition = $review
GROUP BY 1 ORDER BY 2 DESC, 1
"""
_WAITING = f"""
SELECT left(t.raw, {_READ}), t."rows" - t.already_set, d.period, d.start_time, d.confidence, d.reason
{_OPEN} AND d.disposition = $review
ORDER BY 2 DESC, t.raw NULLS FIRST LIMIT {REVIEW_TEXTS}
"""


@dataclass(frozen=True, slots=True)
class Accounting:
    """Where every extracted row went. ``undecided`` is not zero only where a run went wrong."""

    extracted: int
    auto: int
    review: int
    already_set: int
    undecided: int
    morning: int
    afternoon: int

    @property
    def balanced(self) -> bool:
        """Whether each extracted row has exactly one fate."""
        return self.extracted == self.auto + self.review + self.already_set and not self.undecided

    @property
    def auto_share(self) -> float:
        """AUTO rows among those without a period, 0 to 1 (0 where there are none)."""
        waiting = self.extracted - self.already_set
        return self.auto / waiting if waiting else 0.0


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Rows whose confidence lies from ``number / BINS`` up to the next bin."""

    number: int
    disposition: Disposition
    rows: int


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """Rows and distinct texts that went to review for one reason."""

    reason: str | None
    rows: int
    texts: int


@dataclass(frozen=True, slots=True)
class WaitingText:
    """One text for a person to decide, with the suggestion; ``text`` is fit to be shown (None: the NULL)."""

    text: str | None
    rows: int
    suggestion: str | None
    start: str | None
    confidence: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReportView:
    """All that the report shows.

    ``checks`` is ``CheckReport.to_dict()``, or None where nothing was checked; ``unwritable`` why the table can take no
    plan, fit to be shown, or None. ``reliability`` is the parsers' own, measured on labelled texts and not on this run.
    """

    run_id: str
    rows: Accounting
    texts: TextCounts
    profile: ProfileReport
    auto_threshold: float
    confidence: tuple[ConfidenceBin, ...]
    reliability: tuple[ReliabilityBin, ...]
    reasons: tuple[ReasonLine, ...]
    waiting: tuple[WaitingText, ...]
    checks: Mapping[str, Any] | None
    unwritable: str | None
    anomalies: tuple[Anomaly, ...]
    provenance: Mapping[str, Mapping[str, str]]

    @property
    def verdict(self) -> Verdict:
        """Whether the plan may be applied: every check passed, every row is accounted for, the table can take it."""
        if self.checks is None:
            return "not_checked"
        passed = self.checks["verdict"] == "passed"
        return "go" if passed and self.rows.balanced and self.unwritable is None else "no_go"


def gather(
    workbench: duckdb.DuckDBPyConnection, settings: Settings, run_id: str, check_results: Mapping[str, Any] | None
) -> ReportView:
    """Gather the report of one run; ``check_results`` is ``CheckReport.to_dict()``.

    Raises:
        RunError: the workbench lacks a table or cannot be read.
    """
    review = {"review": Disposition.REVIEW.value}
    try:
        facts = read_facts(workbench)
        return ReportView(
            run_id=run_id,
            rows=_accounting(workbench),
            texts=count_texts(workbench),
            profile=read_profile(workbench),
            auto_threshold=settings.auto_threshold,
            confidence=tuple(
                ConfidenceBin(number, Disposition(made), rows) for number, made, rows in _all(workbench, _CONFIDENCE)
            ),
            reliability=reliability(),
            reasons=tuple(ReasonLine(*line) for line in _all(workbench, _REASONS, review)),
            waiting=tuple(
                WaitingText(shown(raw, _TEXT_LENGTH), *line) for raw, *line in _all(workbench, _WAITING, review)
            ),
            checks=check_results,
            unwritable=_shown_sentence(why_unwritable(facts)),
            anomalies=find_anomalies(workbench, settings.policy()),
            provenance=_provenance(facts, settings),
        )
    except duckdb.Error as error:
        raise RunError(
            f"The report could not be gathered from the run's workbench ({type(error).__name__}): it is damaged or "
            "incomplete. Start a new run with `ojeon run`."
        ) from error


def _accounting(workbench: duckdb.DuckDBPyConnection) -> Accounting:
    facts = rowfacts.planned(workbench)
    counts = {
        "extracted": facts["rows"],
        **{name: facts[name] for name in ("auto", "review", "already_set", "undecided")},
    }
    periods = dict(_all(workbench, _PERIODS, {"auto": Disposition.AUTO.value}))
    return Accounting(
        **{name: int(count or 0) for name, count in counts.items()},
        morning=periods.get(Period.MORNING.value, 0),
        afternoon=periods.get(Period.AFTERNOON.value, 0),
    )


def _shown_sentence(sentence: str | None) -> str | None:
    return None if sentence is None else visible(sentence, limit=_SENTENCE)


def _provenance(facts: Mapping[str, Any], settings: Settings) -> dict[str, dict[str, str]]:
    others = {name: fact for name, fact in facts.items() if name != "source"}
    return {
        "source": _flat({**facts.get("source", {}), **others}),
        "settings": _flat(settings.model_dump(mode="json")),
        "versions": manifest.versions(),
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Spell nested values out as one level of names and texts; empty ones are left out."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        elif value not in (None, "", []):
            said = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            flat[f"{prefix}{name}"] = visible(said, limit=_SENTENCE)
    return flat


def _all(
    workbench: duckdb.DuckDBPyConnection, query: str, names: Mapping[str, str] | None = None
) -> list[tuple[Any, ...]]:
    return workbench.execute(query, names).fetchall()
