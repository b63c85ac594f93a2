"""Everything the report says, gathered from a run's workbench; texts come out fit to be shown, and masked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from pydantic import ValidationError

from parsers.confidence import ReliabilityBin, reliability
from parsers.types import Disposition, Period
from pipeline import answers, audit, audit_sample, gates, manifest, rowfacts
from pipeline.anomalies import Anomaly, find_anomalies
from pipeline.conservation import TextCounts, count_texts
from pipeline.drift import Drift, Unreadable, find_drift
from pipeline.errors import RunError
from pipeline.facts import read_facts, why_unwritable
from pipeline.gates import Gate, Verdict
from pipeline.period_split import PeriodSplit, split_by_period
from pipeline.reviewed import RULE
from pipeline.settings import Settings
from pipeline.shapes import ProfileReport, read_profile, shown
from pipeline.visible import visible
from pipeline.workbench import read_workbench

REVIEW_TEXTS = 50
"""How many of the texts that wait for a person are listed."""
SETTLED_TEXTS = 20
"""How many of the texts that reviewers have settled are listed."""
BINS = 20
"""Bars of the confidence histogram, each a twentieth wide."""
_TEXT_LENGTH = 100
_READ = 200
_SENTENCE = 400
_LIMITS = ("auto_threshold", "min_auto", "max_period_share", "noon")

_OPEN = """
FROM texts t JOIN decisions d ON t.raw IS NOT DISTINCT FROM d.raw WHERE t."rows" > t.already_set
"""
_PERIODS = f"""SELECT d.period, sum(t."rows" - t.already_set)::BIGINT {_OPEN} AND d.disposition = $auto GROUP BY 1"""
_CONFIDENCE = f"""
SELECT least(floor(d.confidence * {BINS}), {BINS - 1})::INTEGER, d.disposition,
    sum(t."rows" - t.already_set)::BIGINT
{_OPEN} GROUP BY ALL ORDER BY ALL
"""
_WAITS = f"{_OPEN} AND d.disposition = '{Disposition.REVIEW}' AND d.rule <> '{RULE}'"
_REASONS = f"""
SELECT d.reason, sum(t."rows" - t.already_set)::BIGINT, count(*) {_WAITS} GROUP BY 1 ORDER BY 2 DESC, 1
"""
_WAITING = f"""
SELECT left(t.raw, {_READ}), t."rows" - t.already_set, d.period, d.start_time, d.confidence, d.reason
{_WAITS} ORDER BY 2 DESC, t.raw NULLS FIRST LIMIT {REVIEW_TEXTS}
"""
_SETTLED = f"""
SELECT coalesce(d.period, '{answers.Verdict.NEITHER}'), count(*), sum(t."rows" - t.already_set)::BIGINT
{_OPEN} AND d.rule = '{RULE}' GROUP BY 1 ORDER BY 3 DESC, 1
"""
_SETTLED_TEXTS = f"""
SELECT left(t.raw, {_READ}), t."rows" - t.already_set, coalesce(d.period, '{answers.Verdict.NEITHER}')
{_OPEN} AND d.rule = '{RULE}' ORDER BY 2 DESC, t.raw NULLS FIRST LIMIT {SETTLED_TEXTS}
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
class SettledLine:
    """Distinct texts, and their rows, that reviewers settled with one ``verdict``."""

    verdict: str
    texts: int
    rows: int


@dataclass(frozen=True, slots=True)
class SettledText:
    """One text that reviewers settled; ``text`` is fit to be shown (None: the NULL)."""

    text: str | None
    rows: int
    verdict: str


@dataclass(frozen=True, slots=True)
class WrongText:
    """One AUTO text of the audit sample with which reviewers disagree; ``text`` is fit to be shown."""

    text: str | None
    rows: int
    decided: str
    verdict: str
    rule: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """All that the report shows.

    ``checks`` is ``CheckReport.to_dict()``, or None where nothing was checked; ``unwritable`` why the table can take no
    plan, fit to be shown, or None. ``reliability`` is the parsers' own, measured on labelled texts and not on this run.
    ``drift`` is None where no earlier run of the same table was found, ``audit`` where the run drew no sample.
    ``table`` and ``read_at`` (ISO 8601, UTC) are empty where they are not known; ``limits`` are the settings that
    expectations speak of.
    """

    run_id: str
    table: str
    read_at: str
    masked: bool
    rows: Accounting
    texts: TextCounts
    profile: ProfileReport
    limits: Mapping[str, Any]
    confidence: tuple[ConfidenceBin, ...]
    reliability: tuple[ReliabilityBin, ...]
    reasons: tuple[ReasonLine, ...]
    waiting: tuple[WaitingText, ...]
    settled: tuple[SettledLine, ...]
    settled_texts: tuple[SettledText, ...]
    split: PeriodSplit
    drift: Drift | Unreadable | None
    audit: audit.Standing | None
    wrong: tuple[WrongText, ...]
    checks: Mapping[str, Any] | None
    unwritable: str | None
    anomalies: tuple[Anomaly, ...]
    provenance: Mapping[str, Mapping[str, str]]

    @property
    def waiting_rows(self) -> int:
        """Rows whose text waits for a person: those of the review that reviewers have not settled."""
        return sum(line.rows for line in self.reasons)

    @property
    def waiting_texts(self) -> int:
        """Distinct texts that wait for a person."""
        return sum(line.texts for line in self.reasons)

    @property
    def settled_share(self) -> float:
        """Rows that wait for no person, 0 to 1 (1 where there are none)."""
        return 1 - self.waiting_rows / self.rows.extracted if self.rows.extracted else 1.0

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What stands between the plan and the live table."""
        return (
            *gates.check_gates(self.checks, self.settled_share, self.limits["min_auto"]),
            gates.accounted_gate(self.rows.extracted, self.rows.undecided, balanced=self.rows.balanced),
            gates.table_gate(writable=self.unwritable is None),
            gates.audit_gate(self.audit),
        )

    @property
    def verdict(self) -> Verdict:
        """Whether the plan may be applied."""
        return gates.verdict(self.gates)


def gather(  # noqa: PLR0913 - what a report tells comes from several stores
    workbench: duckdb.DuckDBPyConnection,
    settings: Settings,
    run_id: str,
    check_results: Mapping[str, Any] | None,
    *,
    folder: Path | None = None,
    words: answers.Standing = answers.NOTHING,
    masked: bool = True,
) -> ReportView:
    """Gather the report of one run.

    ``check_results`` is ``CheckReport.to_dict()``; beside ``folder``, the run's own, the previous run is looked for;
    ``words`` are what reviewers say now; ``masked`` hides personal data in texts.

    Raises:
        RunError: the workbench lacks a table or cannot be read.
    """
    try:
        facts = read_facts(workbench)
        source = facts.get("source", {})
        sample = audit_sample.read(workbench)
        audited = audit.standing(sample, words, settings.audit) if sample else None
        return ReportView(
            run_id=run_id,
            table=_shown_sentence(source.get("table") or source.get("file")) or "",
            read_at=source.get("snapshot_at") or "",
            masked=masked,
            rows=_accounting(workbench),
            texts=count_texts(workbench),
            profile=read_profile(workbench, masked=masked),
            limits={name: getattr(settings, name) for name in _LIMITS},
            confidence=tuple(
                ConfidenceBin(number, Disposition(made), rows) for number, made, rows in _all(workbench, _CONFIDENCE)
            ),
            reliability=reliability(),
            reasons=tuple(ReasonLine(*line) for line in _all(workbench, _REASONS)),
            waiting=tuple(
                WaitingText(shown(raw, _TEXT_LENGTH, masked=masked), *line) for raw, *line in _all(workbench, _WAITING)
            ),
            settled=tuple(SettledLine(*line) for line in _all(workbench, _SETTLED)),
            settled_texts=tuple(
                SettledText(shown(raw, _TEXT_LENGTH, masked=masked), *line)
                for raw, *line in _all(workbench, _SETTLED_TEXTS)
            ),
            split=split_by_period(workbench, settings.policy()),
            drift=find_drift(workbench, settings, source, folder) if folder else None,
            audit=audited,
            wrong=tuple(_wrong_texts(audited, masked=masked)),
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


def gather_finished(folder: Path, *, words: answers.Standing, masked: bool = True) -> ReportView:
    """Gather the report of the finished run in ``folder`` from its own workbench, settings and check.

    Raises:
        RunError: the run is unfinished, or its manifest or its workbench cannot be read.
    """
    content = manifest.read(folder)
    try:
        settings = Settings(**content["settings"])
        run_id = str(content["run"])
    except (KeyError, TypeError, ValidationError) as error:
        raise RunError(
            f"{folder / manifest.FILE_NAME} names no run or settings that this version knows. Start a new run."
        ) from error
    try:
        with read_workbench(folder) as workbench:
            found = workbench.execute("SELECT value FROM facts WHERE name = 'check'").fetchone()
            checks = json.loads(found[0]) if found else None
            return gather(workbench, settings, run_id, checks, folder=folder.resolve(), words=words, masked=masked)
    except duckdb.Error as error:
        raise RunError(
            f"The workbench of {folder} cannot be read ({type(error).__name__}): it is missing, damaged or open in "
            "another program. Close that one, or start a new run with `ojeon run`."
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


def _wrong_texts(audited: audit.Standing | None, *, masked: bool) -> Iterator[WrongText]:
    for wrong in audited.disagreements if audited else ():
        line = wrong.sampled
        yield WrongText(
            shown(line.raw, _TEXT_LENGTH, masked=masked), line.rows, line.period, wrong.verdict, visible(line.rule)
        )


def _shown_sentence(sentence: str | None) -> str | None:
    return None if sentence is None else visible(sentence, limit=_SENTENCE)


def _provenance(facts: Mapping[str, Any], settings: Settings) -> dict[str, dict[str, str]]:
    others = {name: fact for name, fact in facts.items() if name not in {"source", audit_sample.FACT}}
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
