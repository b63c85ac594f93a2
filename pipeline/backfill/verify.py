"""Verify a move: tell every row's fate again, from the live table, the ledger and the run's folder alone."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from pipeline import manifest
from pipeline.address import Address
from pipeline.backfill import capacity
from pipeline.backfill.evidence import Evidence, gathered
from pipeline.backfill.fates import KINDS, Fates, Finding, Judgement, judge
from pipeline.backfill.states import State
from pipeline.errors import RunError
from pipeline.insight import half_days
from pipeline.suite_results import SuiteResult
from pipeline.suites import load_suite, run_suite

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification found: the fates of all rows, findings with ids, and the laws of the suite ``applied``.

    ``moment`` is when the database was looked at, ``seconds`` what it took; ``path`` is the file that keeps the report.
    ``old_columns`` are those that the fingerprints of extract cover.
    """

    run_id: str
    state: str
    moment: datetime
    seconds: float
    rows: int
    old_columns: int
    fates: tuple[Fates, ...]
    findings: tuple[Finding, ...]
    suite: SuiteResult
    notices: tuple[str, ...]
    path: Path

    @property
    def passed(self) -> bool:
        """Whether everything is as it should be."""
        return self.suite.passed and not any(finding.fails for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "run": self.run_id,
            "verdict": "passed" if self.passed else "failed",
            "state": self.state,
            "moment": self.moment.isoformat(timespec="milliseconds"),
            "seconds": round(self.seconds, 1),
            "rows": self.rows,
            "old_columns": self.old_columns,
            "fates": {fates.fill: {"known": fates.known, "arrived": fates.arrived} for fates in self.fates},
            "findings": [asdict(finding) for finding in self.findings],
            "laws": [{**asdict(result), "found": result.found} for result in self.suite.results],
            "notices": self.notices,
        }


def verify(address: Address, folder: Path, announce: Announce = lambda _step: None) -> VerifyReport:
    """Verify the move of the run in ``folder`` on the database at ``address``; both are only read.

    The report is kept in the run's folder. ``announce`` is told what is done next.

    Raises:
        DatabaseError: the database cannot be read.
        UsageError: it knows nothing of the run.
        RunError: the folder lacks what its run wrote, or cannot be written, or the temporary disk is full.
    """
    started = time.monotonic()
    moment = datetime.now(UTC)
    try:
        announce("reading the table, the ledger and the run's folder")
        with gathered(address, folder) as evidence:
            announce("telling every row's fate")
            judgement = judge(evidence)
    except duckdb.Error as error:
        raise RunError(
            f"The rows could not be put side by side ({type(error).__name__}). Make room in memory and in the folder "
            "for temporary files (TMPDIR), then verify again."
        ) from error
    announce("running the suite")
    suite = _suite(evidence, judgement, folder)
    stamp = f"{moment:%Y%m%d-%H%M%S-%f}"
    announce("adding up the half-days")
    notices = [
        *_notices(evidence),
        *_half_days(address, evidence, folder / manifest.MOVES / half_days.NAME.format(stamp)),
    ]
    report = VerifyReport(
        run_id=evidence.run.run_id,
        state=evidence.run.state,
        moment=moment,
        seconds=time.monotonic() - started,
        rows=evidence.counted.rows,
        old_columns=len(evidence.old_columns),
        fates=judgement.fates,
        findings=judgement.findings,
        suite=suite,
        notices=tuple(notices),
        path=folder / manifest.MOVES / f"verify-{stamp}.json",
    )
    _keep(report)
    return report


def _suite(evidence: Evidence, judgement: Judgement, folder: Path) -> SuiteResult:
    import pandas as pd  # noqa: PLC0415 - the suite's frame; half a second that only a verification pays

    return run_suite(load_suite("applied"), pd.DataFrame([_facts(evidence, judgement, folder)]), {})


def _facts(evidence: Evidence, judgement: Judgement, folder: Path) -> dict[str, int]:
    """One line of counts; what a law calls for and what was found stand side by side."""
    counted, counts, run = evidence.counted, judgement.counts, evidence.run
    found = {finding.kind: finding.rows for finding in judgement.findings}
    return {
        "rows": counted.rows,
        "rows_read": counts["read"],
        "accounted": max((fates.rows for fates in judgement.fates), key=lambda rows: abs(rows - counted.rows)),
        "periods": counted.periods,
        "periods_read": counts["read_periods"],
        "unknown_periods": counted.unknown_periods,
        "repeated_ids": counts["repeated_ids"],
        "extracted": counts["extracted"],
        "kept_or_deleted": counts["kept"] + counts["deleted"],
        "changed": counts["changed"],
        "accounted_changes": counts["standing"] + counts["undone"] + counts["left_alone"],
        "standing_after_undo": counts["standing"] if run.state == State.UNDONE else 0,
        "miscounted_lines": counts["miscounted_lines"],
        "misplanned_texts": counts["misplanned_texts"],
        "other_table": int(evidence.table_oid != run.target_oid),
        "edited_files": _edited(folder, run.plan_sha256),
        "incomparable_columns": len(evidence.incomparable),
        **{kind.name: found.get(kind.name, 0) for kind in KINDS if kind.fails},
    }


def _edited(folder: Path, plan_sha256: str) -> int:
    """Files that are not as the run left them; the manifest itself is known by the ledger."""
    manifest_hash = sha256((folder / manifest.FILE_NAME).read_bytes()).hexdigest()
    return len(manifest.verify_files(folder)) + (manifest_hash != plan_sha256)


def _notices(evidence: Evidence) -> Iterator[str]:
    """Sentences about what could not be looked at."""
    run = evidence.run
    if run.state not in {State.APPLIED, State.UNDONE}:
        yield f"The run is {run.state}: rows that still wait are none that apply has missed."
    if not evidence.old_columns:
        yield "No fingerprints were taken at extract, so of the other columns nothing can be said."
    elif not evidence.knows_updates:
        yield (
            "The application keeps no moment of its last change (setting names.updated_at), so what it changed between "
            "extract and apply in rows that were filled then counts as altered along with them."
        )
    if added := sorted(evidence.table.old_columns.keys() - set(evidence.old_columns)):
        yield f"Not compared, for the columns were not read at extract: {', '.join(added)}."


def _half_days(address: Address, evidence: Evidence, path: Path) -> Iterator[str]:
    """Keep what the half-days hold; a sentence where that cannot be done."""
    try:
        if sentence := capacity.keep(address, evidence.table.names, evidence.run.run_id, path):
            yield sentence
    except OSError as error:
        yield f"The half-days were not kept: {path.parent} cannot be written ({error.strerror})."


def _keep(report: VerifyReport) -> None:
    try:
        report.path.parent.mkdir(mode=0o700, exist_ok=True)
        text = json.dumps(report.to_dict(), ensure_ascii=False, indent=2)
        report.path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"The report could not be kept in {report.path.parent} ({error.strerror}). Make room there or make it "
            "writable, then verify again."
        ) from error
